package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/web/auth"
)

// TestTokenIsTaken makes a token with the command and passes it to the server's own check.
func TestTokenIsTaken(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("0123456789abcdef0123456789abcdef"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, problems strings.Builder
	args := []string{"token", "--auth-key-file", file, "--token-issuer", "us", "--token-audience", "play", "--name", "Alice", "--game", "chess", "alice"}
	if code := Run(Program{}, args, &out, &problems); code != ExitOK {
		t.Fatalf("exit %d: %s", code, problems.String())
	}
	keys, err := auth.ReadKeyFile(file)
	if err != nil {
		t.Fatal(err)
	}
	auth, err := auth.New(auth.Options{Keys: keys, Issuer: "us", Audience: "play"})
	if err != nil {
		t.Fatal(err)
	}
	who, err := auth.Check(t.Context(), strings.TrimSpace(out.String()))
	if err != nil {
		t.Fatal(err)
	}
	if who.Player != room.PlayerID("alice") || who.Name != "Alice" || who.Game != "chess" || time.Until(who.Expires) < 23*time.Hour {
		t.Errorf("the server reads it as %+v", who)
	}
}
