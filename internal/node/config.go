package node

import (
	"cmp"
	"os"
	"time"
)

// Config holds the settings of one node, from flags, ROOMRING_… variables, a config file or defaults. docs/CONFIG.md
// describes each; it is generated from the flags in internal/cli. The zero value is not valid: the flags have the defaults.
type Config struct {
	Node           string
	Listen         string
	AdminListen    string
	AdminTokenFile string
	AdminCertFile  string
	AdminKeyFile   string
	PublicURL      string
	AllowedOrigins []string
	TrustedProxies []string
	ReadyFile      string
	Pages          string

	DataDir         string
	AdoptDataDir    bool
	MaxJournalBytes int64
	JournalSync     bool
	Store           string
	StoreFile       string
	StoreExposed    bool // --store on the command line contains a password
	Durability      string
	KeepResults     time.Duration
	KeepReplays     time.Duration
	KeepGuests      time.Duration
	KeepSetAside    time.Duration

	AuthKeyFile string
	JWKSURL     string
	Issuer      string
	Audience    string
	Guests      string
	TokenGrace  time.Duration
	OwnTokens   bool // the program checks players' tokens itself; it has no flag

	RateGuests          bool
	RatedMinTime        time.Duration
	RatedPerOpponent    int
	LeaderboardMinGames int

	MaxRooms                 int
	MaxSpectators            int
	MaxSocketsPerAddress     int
	MaxConnectionsPerAddress int
	MaxConnections           int
	RequestTimeout           time.Duration
	RequestsPerSecond        int
	RefusalsPerSecond        int
	RoomsPerSecond           int
	GuestsPerSecond          int
	CodesPerSecond           int
	ListsPerSecond           int
	RoomShare                int
	UnclaimedSeats           int
	UnclaimedTimeout         time.Duration
	MaxMessageBytes          int
	MessagesPerSecond        int
	BytesPerSecond           int
	FloorBytesPerSecond      int
	AddressBytesPerSecond    int
	RoomBytesPerSecond       int
	ReplaysPerSecond         int
	LeaderboardsPerSecond    int
	LeaderboardMaxOffset     int
	LeaderboardCache         time.Duration
	StoreConns               int
	StoreReaders             int
	ReplayStallTimeout       time.Duration
	ReplayPace               int
	OutboxBytes              int
	Heartbeat                time.Duration
	HelloTimeout             time.Duration
	WriteTimeout             time.Duration
	CloseTimeout             time.Duration

	Webhook             string
	WebhookSecretFile   string
	WebhookEvents       []string
	WebhooksFile        string
	WebhookAllowPrivate bool
	WebhookTimeout      time.Duration
	WebhookGiveUp       time.Duration
	WebhookParallel     int
	OutboxEvents        int
	KeepEvents          time.Duration

	PeerListen        string
	GossipListen      string
	Join              []string
	Advertise         string
	ClusterLabel      string
	ClusterSecretFile string
	InsecureCluster   bool
	PeerCertFile      string
	PeerKeyFile       string
	PeerCAFile        string
	Zone              string
	Weight            float64
	DrainTimeout      time.Duration
	PeerSilence       time.Duration
	DoubtWait         time.Duration
	ReattachTimeout   time.Duration

	LogFormat  string
	LogLevel   string
	ShowPanics bool
	// KeepState lets rooms go on that these rules play differently; see core.Config. For development alone.
	KeepState bool
	DevTools  bool // the operator may act for players: for machines on which games are written
}

// Name returns --node or, by default, the host's name.
func (c *Config) Name() string {
	host, _ := os.Hostname() // without a host name the node is called "roomring"
	return cmp.Or(c.Node, host, "roomring")
}
