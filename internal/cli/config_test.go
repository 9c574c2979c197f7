package cli

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/node"
	"github.com/roomring/roomring/room/core"
)

// parse loads settings from a command line only.
func parse(t *testing.T, args ...string) (*node.Config, error) {
	t.Helper()
	s := newSettings()
	if err := s.all.Parse(args); err != nil {
		return nil, err
	}
	return &s.Config, s.load()
}

func TestDefaultsAreValid(t *testing.T) {
	c, err := parse(t)
	if err != nil {
		t.Fatal(err)
	}
	if !c.GuestsAllowed() {
		t.Error("a server without keys turns guests away by default")
	}
	driver, target, err := c.StoreTarget()
	if err != nil || driver != "sqlite" || target != "roomring-data/store.db" {
		t.Errorf("default store: %s %s %v", driver, target, err)
	}
}

func TestValidate(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"--listen=7777", "--listen"},
		{"--listen=:70000", "--listen"},
		{"--listen=:http", "--listen"},
		{"--admin-listen=nonsense", "--admin-listen"},
		{"--admin-listen=0.0.0.0:9000", "--admin-token-file"},
		{"--listen=127.0.0.1:7778", "same address"},
		{"--listen=[::]:7778", "same address"},
		{"--public-url=play.example.com", "--public-url"},
		{"--public-url=ftp://play.example.com", "--public-url"},
		{"--public-url=https://play.example.com/games//ring", "--public-url"},
		{"--public-url=https://play.example.com/games/../ring", "--public-url"},
		{"--public-url=https://play.example.com/a%20b", "--public-url"},
		{"--public-url=https://play.example.com/a;Path=b", "--public-url"},
		{"--public-url=https://play.example.com/v1", "--public-url"},
		{"--public-url=https://play.example.com/ring?", "--public-url"},
		{"--public-url=https://user@play.example.com", "--public-url"},
		{"--allowed-origins=https://example.com/page", "--allowed-origins"},
		{"--allowed-origins=ws://example.com", "--allowed-origins"},
		{"--allowed-origins=example.com", "--allowed-origins"},
		{"--allowed-origins=https://[", "--allowed-origins"},
		{"--trusted-proxies=10.0.0.0/33", "--trusted-proxies"},
		{"--trusted-proxies=proxy.example.com", "--trusted-proxies"},
		{"--data-dir=", "--data-dir"},
		{"--store=mysql://db", "--store"},
		{"--store=sqlite:", "--store"},
		{"--store=postgres:db", "--store"},
		{"--jwks-url=id.example.com", "--jwks-url"},
		{"--jwks-url=https://id.example.com --auth-key-file=k", "exclude each other"},
		{"--guests=off", "lets nobody in"},
		{"--token-issuer=https://id.example", "--auth-key-file"},
		{"--node=a~b", "--node"},
		{"--node=" + strings.Repeat("n", 65), "--node"},
		{"--max-rooms=0", "--max-rooms"},
		{"--join=10.0.0.1", "--cluster-secret-file"},
		{"--advertise=10.0.0.1", "--cluster-secret-file"},
		{"--cluster-secret-file=s --insecure-cluster", "exclude each other"},
		{"--insecure-cluster --peer-cert-file=c", "--peer-key-file"},
		{"--insecure-cluster --join=http://10.0.0.1", "--join"},
		{"--insecure-cluster --join=dns+peers", "--join"},
		{"--insecure-cluster --peer-listen=nonsense", "--peer-listen"},
		{"--insecure-cluster --gossip-listen=:99999", "--gossip-listen"},
		{"--insecure-cluster --peer-listen=:7946", "same address"},
		{"--insecure-cluster --peer-listen=:7777", "same address"},
		{"--zone=a,b\u00e4", "--zone"},
		{"--weight=0", "--weight"},
		{"--weight=NaN", "--weight"},
		{"--cluster-label=", "--cluster-label"},
		{"--drain-timeout=0s", "--drain-timeout"},
		{"--max-message-bytes=100", "--max-message-bytes"},
		{"--messages-per-second=-1", "--messages-per-second"},
		{"--heartbeat=1ms", "--heartbeat"},
		{"--keep-set-aside=-1h", "--keep-set-aside"},
		{"--keep-results=-1h", "--keep-results"},
		{"--rated-min-time=-1s", "--rated-min-time"},
		{"--rated-per-opponent=-1", "--rated-per-opponent"},
		{"--leaderboard-min-games=0", "--leaderboard-min-games"},
	} {
		_, err := parse(t, strings.Fields(tt.args)...)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got error %v, want one about %q", tt.args, err, tt.want)
		}
	}
}

func TestValidSettings(t *testing.T) {
	for _, args := range []string{
		"--listen=127.0.0.1:0 --admin-listen=127.0.0.1:0",
		"--listen=[::1]:7777",
		"--listen=10.0.0.1:7000 --admin-listen=127.0.0.1:7000",
		"--admin-listen=:9000 --admin-token-file=t",
		"--public-url=https://play.example.com:8443/",
		"--public-url=https://example.com/games/ring",
		"--public-url=https://example.com/v1.ring/",
		"--allowed-origins=https://example.com,http://localhost:3000,*",
		"--allowed-origins=capacitor://localhost,ionic://localhost,tauri://localhost,file://,null,https://*.example.com,http://[::1]:8080",
		"--store=postgresql://user:pass@db:5432/roomring?sslmode=require",
		"--store=sqlite:/var/lib/roomring/store.db",
		"--guests=off --auth-key-file=k",
		"--guests=on --jwks-url=https://id.example.com/jwks.json",
		"--keep-set-aside=0",
	} {
		if _, err := parse(t, strings.Fields(args)...); err != nil {
			t.Errorf("%s: %v", args, err)
		}
	}
}

func TestGuestsFollowKeys(t *testing.T) {
	for args, want := range map[string]bool{
		"--guests=auto":                    true,
		"--auth-key-file=k":                false,
		"--jwks-url=https://id.example":    false,
		"--auth-key-file=k --guests=on":    true,
		"--auth-key-file=k --guests=off":   false,
		"--guests=on --max-rooms=7":        true,
		"--jwks-url=https://i --guests=on": true,
	} {
		c, err := parse(t, strings.Fields(args)...)
		if err != nil || c.GuestsAllowed() != want {
			t.Errorf("%s: guests allowed is not %v (error %v)", args, want, err)
		}
	}
}

func TestListsFromVariables(t *testing.T) {
	t.Setenv("ROOMRING_ALLOWED_ORIGINS", "https://a.example,https://b.example")
	t.Setenv("ROOMRING_HEARTBEAT", "3s")
	t.Setenv("ROOMRING_ADOPT_DATA_DIR", "true")
	c, err := parse(t, "--heartbeat=4s")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(c.AllowedOrigins, []string{"https://a.example", "https://b.example"}) || !c.AdoptDataDir {
		t.Errorf("variables were read as %v, %v", c.AllowedOrigins, c.AdoptDataDir)
	}
	if c.Heartbeat != 4*time.Second {
		t.Errorf("a variable outranked its flag: %v", c.Heartbeat)
	}
}

// noGames is for commands that run no games.
func noGames(t *testing.T) *core.Games {
	t.Helper()
	games, err := core.NewGames()
	if err != nil {
		t.Fatal(err)
	}
	return games
}
