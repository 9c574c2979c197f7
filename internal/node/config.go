package node

import (
	"cmp"
	"os"
	"time"
)

// Config is what one node is told, whether by flags, ROOMRING_… variables, a config file or defaults. docs/CONFIG.md, which
// is made from the flags in internal/cli, describes each setting. The zero value is not valid: defaults are the flags'.
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

	DataDir         string
	AdoptDataDir    bool
	MaxJournalBytes int64
	JournalSync     bool
	Store           string
	StoreFile       string
	StoreExposed    bool // a password stands in --store, on the command line
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
	OwnTokens   bool // the program checks players' tokens itself: no flag

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
	ReattachTimeout   time.Duration

	LogFormat  string
	LogLevel   string
	ShowPanics bool
}

// nodeName is --node, or else the host's name.
func (c *Config) nodeName() string {
	host, _ := os.Hostname() // a host without a name has "roomring" for one
	return cmp.Or(c.Node, host, "roomring")
}
