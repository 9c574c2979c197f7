package play_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/auth"
	"github.com/roomring/roomring/web/client"
)

// command runs this binary as `roomring` and returns its exit code and its output.
func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	cmd := &exec.Cmd{Path: exe, Args: append([]string{"roomring"}, args...), Stdout: &out, Stderr: &errs, Dir: t.TempDir()}
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// authKey writes a secret of one letter and returns its file.
func authKey(t *testing.T, letter string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key-"+letter)
	if err := os.WriteFile(file, []byte(strings.Repeat(letter, 40)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// signed makes a token with the command.
func signed(t *testing.T, key string, args ...string) string {
	t.Helper()
	code, out, errs := command(t, append([]string{"token", "--auth-key-file", key}, args...)...)
	if code != 0 {
		t.Fatalf("roomring token %q: %d %s", args, code, errs)
	}
	return strings.TrimSpace(out)
}

// expired makes a token that expired yesterday.
func expired(t *testing.T, file string) string {
	t.Helper()
	keys, err := auth.ReadKeyFile(file)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	text, err := keys.Mint(auth.Identity{Player: "ann", Expires: now.Add(-24 * time.Hour)}, "", "", now.Add(-48*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// unsigned returns a token without a signature. A library that trusts a token's own algorithm would accept it.
func unsigned() string {
	part := base64.RawURLEncoding.EncodeToString
	claims := fmt.Sprintf(`{"sub":"ann","exp":%d}`, time.Now().Add(time.Hour).Unix())
	return part([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + part([]byte(claims)) + "."
}

// claiming makes a token with any claims, signed with the key of letter k.
func claiming(t *testing.T, claims string) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: bytes.Repeat([]byte("k"), 40)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign([]byte(claims))
	if err != nil {
		t.Fatal(err)
	}
	token, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// TestLongIDs plays a game between players whose ids have the greatest allowed length, and looks the players up.
func TestLongIDs(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, "--auth-key-file", authKey(t, "k")).Start()
	ids := []string{strings.Repeat("a", 128), "auth0|" + strings.Repeat("\u00e9", 60)}
	tokens := make([]string, len(ids))
	for i, id := range ids {
		tokens[i] = claiming(t, `{"exp":9999999999,"sub":"`+id+`"}`)
	}
	var info e2e.RoomInfo
	if code := s.CallAt(s.URL, "POST", "/v1/rooms", tokens[0], map[string]any{"game": "chess", "options": map[string]any{"white": "first"}}, &info); code != http.StatusCreated {
		t.Fatalf("creating: %d", code)
	}
	players := make([]*client.Client, len(ids))
	for i, token := range tokens {
		players[i] = s.Join(info, client.Options{Token: token, Client: strings.Repeat("c", 128)})
	}
	for i, act := range []map[string]any{{"move": "e2e4"}, {"move": "e7e5"}, {"resign": true}} {
		if _, err := players[i%2].Act(e2e.WaitContext(t), act); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.Result(info.ID).Result.Outcomes; len(got) != 2 {
		t.Errorf("outcomes %+v", got)
	}
	for _, id := range ids {
		var profile struct{ Player string }
		if code := s.Call("GET", "/v1/players/"+url.PathEscape(id), nil, &profile); code != http.StatusOK || profile.Player != id {
			t.Errorf("%s: %d, %+v", id, code, profile)
		}
	}
}

// TestTokens tests tokens on a server that requires one of every player.
func TestTokens(t *testing.T) {
	t.Parallel()
	key := authKey(t, "k")
	s := e2e.NewServer(t, append(e2e.GenerousLimits, "--auth-key-file", key)...).Start()
	ann := signed(t, key, "--name", "Ann", "ann")
	var info, other e2e.RoomInfo
	for _, into := range []*e2e.RoomInfo{&info, &other} {
		if code := s.CallAt(s.URL, "POST", "/v1/rooms", ann, map[string]any{"game": "tally"}, into); code != http.StatusCreated {
			t.Fatalf("creating with a token: %d", code)
		}
	}
	before := s.Inspect(info.ID).Index
	half, _, _ := strings.Cut(ann, ".")
	for what, bad := range map[string]struct {
		token  string
		code   wire.CloseCode
		reason string
	}{
		"no token":            {"", wire.CloseUnauthorised, "guest"},
		"no JWT":              {"nonsense", wire.CloseUnauthorised, "JWT"},
		"half a token":        {half, wire.CloseUnauthorised, ""},
		"changed":             {ann[:len(ann)-6] + "AAAAAA", wire.CloseUnauthorised, ""},
		"another key":         {signed(t, authKey(t, "o"), "ann"), wire.CloseUnauthorised, "key"},
		"alg none":            {unsigned(), wire.CloseUnauthorised, ""},
		"expired":             {expired(t, key), wire.CloseUnauthorised, "expired"},
		"sub a number":        {claiming(t, `{"sub":12345,"exp":9999999999}`), wire.CloseUnauthorised, "sub is a number"},
		"exp text":            {claiming(t, `{"sub":"ann","exp":"9999999999"}`), wire.CloseUnauthorised, "exp is text"},
		"name an object":      {claiming(t, `{"sub":"ann","exp":9999999999,"name":{}}`), wire.CloseUnauthorised, "name is an object"},
		"room a number":       {claiming(t, `{"sub":"ann","exp":9999999999,"room":7}`), wire.CloseUnauthorised, "room is a number"},
		"sub too long":        {claiming(t, `{"sub":"`+strings.Repeat("x", 129)+`","exp":9999999999}`), wire.CloseUnauthorised, "sub is longer than 128 bytes"},
		"for another room":    {signed(t, key, "--room", other.ID, "ann"), wire.CloseForbidden, "another room"},
		"for another game":    {signed(t, key, "--game", "chess", "ann"), wire.CloseForbidden, "another game"},
		"for a room and game": {signed(t, key, "--game", "tally", "--room", other.ID, "ann"), wire.CloseForbidden, "another room"},
	} {
		for _, as := range []string{wire.AsPlayer, wire.AsSpectator} {
			c := e2e.Dial(t, info.URL, wire.JSON)
			c.Write(wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "a", Token: bad.token, As: as}))
			code, reason, _ := c.Closed()
			if code != bad.code || !e2e.Mentions(reason, bad.reason) || bad.token != "" && strings.Contains(reason, bad.token) {
				t.Errorf("%s as %s: closed %d %q, should be %d with %q", what, as, code, reason, bad.code, bad.reason)
			}
		}
		want := http.StatusUnauthorized
		if bad.code == wire.CloseForbidden {
			want = http.StatusForbidden
		}
		if code := s.CallAt(s.URL, "POST", "/v1/rooms", bad.token, map[string]any{"game": "tally"}, nil); code != want {
			t.Errorf("creating with a token that is %s: %d, should be %d", what, code, want)
		}
	}
	if code := s.Call("POST", "/v1/guest", map[string]any{}, nil); code != http.StatusForbidden {
		t.Errorf("POST /v1/guest: %d, should be 403", code)
	}
	if now := s.Inspect(info.ID).Index; now != before {
		t.Errorf("bad tokens took the room from index %d to %d", before, now)
	}
	for _, good := range []string{ann, signed(t, key, "--room", info.ID, "bob"), signed(t, key, "--game", "tally", "cem")} {
		c := e2e.Dial(t, info.URL, wire.CBOR)
		if w := c.Hello(wire.Hello{Client: "a", Token: good}); w.Player == "" || w.Token != "" {
			t.Errorf("welcomed as %+v", w)
		}
	}
	if log := s.Log.String(); strings.Contains(log, ann) {
		t.Error("the log holds a token")
	}
}
