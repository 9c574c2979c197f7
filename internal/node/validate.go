package node

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/roomring/roomring/web/api"
	"github.com/roomring/roomring/web/trust"
)

// Validate returns an error for the first setting that cannot work. The error names its flag, and repeats no value that may
// hold a password. Validate uses neither files nor the network.
func (c *Config) Validate() error {
	for _, check := range []func() error{
		c.validateAddresses, c.validatePublic, c.validateData, c.validatePlayers, c.validateHooks, c.validateCluster, c.validateLimits,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// listener is one address at which a node listens.
type listener struct {
	flag, text string
	Address
}

func (c *Config) validateAddresses() error {
	all := []listener{{flag: "listen", text: c.Listen}, {flag: "admin-listen", text: c.AdminListen}}
	if c.Clustered() {
		all = append(all, listener{flag: "peer-listen", text: c.PeerListen}, listener{flag: "gossip-listen", text: c.GossipListen})
	}
	for i, l := range all {
		at, err := ParseAddress(l.flag, l.text)
		if err != nil {
			return err
		}
		for _, other := range all[:i] {
			if at.overlaps(other.Address) {
				return fmt.Errorf("--%s %s and --%s %s are the same address: give each its own port", other.flag, other.text, l.flag, l.text)
			}
		}
		all[i].Address = at
	}
	if admin := all[1]; !admin.Loopback() && c.AdminTokenFile == "" {
		return fmt.Errorf("--admin-listen %s can be reached from other machines: add --admin-token-file, or listen on 127.0.0.1", c.AdminListen)
	}
	if (c.AdminCertFile == "") != (c.AdminKeyFile == "") {
		return errors.New("TLS on the admin listener needs --admin-cert-file and --admin-key-file, both")
	}
	return nil
}

func (c *Config) validatePublic() error {
	if c.PublicURL != "" {
		if _, err := api.ParsePublicURL(c.PublicURL); err != nil {
			return fmt.Errorf("--public-url %q: %w", c.PublicURL, err)
		}
	}
	if _, err := trust.ParseOrigins(c.AllowedOrigins); err != nil {
		return fmt.Errorf("--allowed-origins %w", err)
	}
	if _, err := trust.ParseProxies(c.TrustedProxies); err != nil {
		return fmt.Errorf("--trusted-proxies: give addresses or networks, such as 10.0.0.0/8: %w", err)
	}
	return nil
}

func (c *Config) validateData() error {
	if c.DataDir == "" {
		return errors.New("--data-dir is empty: name a folder")
	}
	_, _, err := c.StoreTarget()
	return err
}

func (c *Config) validatePlayers() error {
	if c.AuthKeyFile != "" && c.JWKSURL != "" {
		return errors.New("--auth-key-file and --jwks-url exclude each other: keep the one that signs your tokens")
	}
	if c.OwnTokens && (c.AuthKeyFile != "" || c.JWKSURL != "") {
		return errors.New("this program checks tokens itself, so --auth-key-file and --jwks-url have no use: remove them, or its own check")
	}
	if c.JWKSURL != "" {
		if u, err := url.Parse(c.JWKSURL); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			return errors.New("--jwks-url is not an http or https URL")
		}
	}
	if (c.Issuer != "" || c.Audience != "") && !c.keyed() {
		return errors.New("--token-issuer and --token-audience apply to your own tokens: add --auth-key-file or --jwks-url")
	}
	if c.Guests == "off" && !c.keyed() {
		return errors.New("--guests off lets nobody in without --auth-key-file or --jwks-url: add one of them")
	}
	if len(c.Node) > 64 || strings.ContainsFunc(c.Node, func(r rune) bool { return r <= ' ' || r > '~' || r == '~' }) {
		return fmt.Errorf("--node %q: use up to 64 printable ASCII characters without space or ~", c.Node)
	}
	return nil
}

func (c *Config) validateLimits() error {
	for _, l := range []struct {
		flag  string
		value int
		min   int
		max   int
	}{
		{"max-rooms", c.MaxRooms, 1, 1 << 24},
		{"max-spectators", c.MaxSpectators, 1, 1 << 24},
		{"max-sockets-per-address", c.MaxSocketsPerAddress, 0, 1 << 24},
		{"rooms-per-second", c.RoomsPerSecond, 0, 1 << 24},
		{"guests-per-second", c.GuestsPerSecond, 0, 1 << 24},
		{"room-share", c.RoomShare, 1, 100},
		{"unclaimed-seats", c.UnclaimedSeats, 0, 1 << 24},
		{"lists-per-second", c.ListsPerSecond, 0, 1 << 24},
		{"max-connections-per-address", c.MaxConnectionsPerAddress, 0, 1 << 24},
		{"requests-per-second", c.RequestsPerSecond, 0, 1 << 24},
		{"refusals-per-second", c.RefusalsPerSecond, 0, 1 << 24},
		{"max-connections", c.MaxConnections, 0, 1 << 24},
		{"codes-per-second", c.CodesPerSecond, 0, 1 << 24},
		{"max-message-bytes", c.MaxMessageBytes, 1 << 10, 16 << 20},
		{"messages-per-second", c.MessagesPerSecond, 1, 1 << 16},
		{"bytes-per-second", c.BytesPerSecond, 1 << 10, 1 << 30},
		{"floor-bytes-per-second", c.FloorBytesPerSecond, 1, 1 << 30},
		{"address-bytes-per-second", c.AddressBytesPerSecond, 0, 1 << 30},
		{"room-bytes-per-second", c.RoomBytesPerSecond, 0, 1 << 30},
		{"leaderboards-per-second", c.LeaderboardsPerSecond, 0, 1 << 24},
		{"leaderboard-max-offset", c.LeaderboardMaxOffset, 0, 100_000},
		{"rated-per-opponent", c.RatedPerOpponent, 0, 1 << 24},
		{"leaderboard-min-games", c.LeaderboardMinGames, 1, 1 << 24},
		{"store-conns", c.StoreConns, 2, 1 << 10},
		{"store-readers", c.StoreReaders, 1, 1 << 10},
		{"replays-per-second", c.ReplaysPerSecond, 0, 1 << 24},
		{"replay-min-bytes-per-second", c.ReplayPace, 1, 1 << 30},
		{"outbox-bytes", c.OutboxBytes, 4 << 10, 64 << 20},
		{"outbox-events", c.OutboxEvents, 100, 1 << 24},
		{"webhook-parallel", c.WebhookParallel, 1, 256},
	} {
		if l.value < l.min || l.value > l.max {
			return fmt.Errorf("--%s %d: give %d to %d", l.flag, l.value, l.min, l.max)
		}
	}
	if c.MaxJournalBytes < 0 || c.MaxJournalBytes > 0 && c.MaxJournalBytes < 256<<10 {
		return fmt.Errorf("--max-journal-bytes %d: give 262144 or more, or 0 for no limit", c.MaxJournalBytes)
	}
	if c.BytesPerSecond < c.MaxMessageBytes {
		return fmt.Errorf("--bytes-per-second %d: give at least --max-message-bytes %d, or its largest message could not be sent", c.BytesPerSecond, c.MaxMessageBytes)
	}
	return c.validateTimes()
}

func (c *Config) validateTimes() error {
	for _, l := range []struct {
		flag  string
		value time.Duration
		min   time.Duration
		max   time.Duration
	}{
		{"heartbeat", c.Heartbeat, 100 * time.Millisecond, time.Hour},
		{"unclaimed-timeout", c.UnclaimedTimeout, 100 * time.Millisecond, time.Hour},
		{"hello-timeout", c.HelloTimeout, 100 * time.Millisecond, 5 * time.Minute},
		{"write-timeout", c.WriteTimeout, 100 * time.Millisecond, 5 * time.Minute},
		{"close-timeout", c.CloseTimeout, 100 * time.Millisecond, 5 * time.Second},
		{"token-grace", c.TokenGrace, 0, 1<<63 - 1},
		{"rated-min-time", c.RatedMinTime, 0, 24 * time.Hour},
		{"leaderboard-cache", c.LeaderboardCache, 0, time.Hour},
		{"replay-stall-timeout", c.ReplayStallTimeout, 100 * time.Millisecond, time.Minute},
		{"request-timeout", c.RequestTimeout, 100 * time.Millisecond, 5 * time.Minute},
		{"drain-timeout", c.DrainTimeout, time.Second, time.Hour},
		{"peer-silence", c.PeerSilence, 500 * time.Millisecond, time.Minute},
		{"doubt-wait", c.DoubtWait, time.Second, 1<<63 - 1},
		{"reattach-timeout", c.ReattachTimeout, 100 * time.Millisecond, time.Minute},
		{"keep-results", c.KeepResults, 0, 1<<63 - 1},
		{"keep-replays", c.KeepReplays, 0, 1<<63 - 1},
		{"keep-guests", c.KeepGuests, 0, 1<<63 - 1},
		{"webhook-timeout", c.WebhookTimeout, 100 * time.Millisecond, 5 * time.Minute},
		{"webhook-give-up", c.WebhookGiveUp, time.Second, 90 * 24 * time.Hour},
		{"keep-events", c.KeepEvents, time.Minute, 10 * 365 * 24 * time.Hour},
		{"keep-set-aside", c.KeepSetAside, 0, 1<<63 - 1},
	} {
		if l.value < l.min || l.value > l.max {
			return fmt.Errorf("--%s %v: give %v to %v", l.flag, l.value, l.min, l.max)
		}
	}
	return nil
}

// roomShare returns the number of rooms that --room-share allows. Below 0 there is no limit.
func (c *Config) roomShare() int {
	if c.RoomShare == 100 {
		return -1
	}
	return max(c.MaxRooms*c.RoomShare/100, 1)
}

// keyed reports whether this node can check tokens that the operator issues.
func (c *Config) keyed() bool { return c.OwnTokens || c.AuthKeyFile != "" || c.JWKSURL != "" }

// GuestsAllowed reports whether players may join, and create rooms, without a token.
func (c *Config) GuestsAllowed() bool {
	return c.Guests == "on" || c.Guests == "auto" && !c.keyed()
}

// StoreTarget returns the store to open: "postgres" and a connection URL, or "sqlite" and a path.
func (c *Config) StoreTarget() (driver, target string, err error) {
	scheme, rest, _ := strings.Cut(c.Store, ":")
	switch {
	case c.Store == "":
		return "sqlite", filepath.Join(c.DataDir, "store.db"), nil
	case scheme == "sqlite" && rest != "":
		return "sqlite", strings.TrimPrefix(rest, "//"), nil
	case (scheme == "postgres" || scheme == "postgresql") && strings.HasPrefix(rest, "//"):
		if _, err := url.Parse(c.Store); err != nil {
			return "", "", errors.New("--store is not a URL: is a character of the password unescaped?")
		}
		return "postgres", c.Store, nil
	}
	return "", "", errors.New("--store: give postgres://user@host/database or sqlite:PATH")
}

// Address is the address that a listener is to bind.
type Address struct {
	host string
	port int
}

// ParseAddress parses HOST:PORT. The error names the flag at fault.
func ParseAddress(flag, s string) (Address, error) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return Address{}, fmt.Errorf("--%s %q: give HOST:PORT or :PORT", flag, s)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return Address{}, fmt.Errorf("--%s %q: the port is 0 to 65535", flag, s)
	}
	return Address{host, int(n)}, nil
}

func (a Address) wildcard() bool {
	ip, err := netip.ParseAddr(a.host)
	return a.host == "" || err == nil && ip.IsUnspecified()
}

// Loopback reports whether only this machine can reach the address.
func (a Address) Loopback() bool {
	ip, err := netip.ParseAddr(a.host)
	return a.host == "localhost" || err == nil && ip.IsLoopback()
}

// overlaps reports whether two listeners cannot both be opened.
func (a Address) overlaps(b Address) bool {
	return a.port != 0 && a.port == b.port && (a.host == b.host || a.wildcard() || b.wildcard())
}
