package play_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/persist/journal"
	"github.com/roomring/roomring/persist/pgtest"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/auth"
)

var writeEarlier = flag.String("write-earlier", "", "write testdata/earlier anew with this test `binary`, see the README there")

// earlier is what an earlier version of Roomring left behind: the folder of a single node that was killed in the middle of everything,
// the folder of a cluster's last node, which released its rooms when it stopped, and the store of both.
type earlier struct {
	path   string // of the files
	secret string // the cluster's
	Rooms  []earlierRoom
	Boards map[string]json.RawMessage // leaderboards by game
}

// earlierRoom is a room and what its players knew last.
type earlierRoom struct {
	Info    e2e.RoomInfo
	Is      string // live, held, aside, released or over
	Players []earlierPlayer
	Next    earlierAct        // what somebody can do now
	Result  *e2e.StoredResult // of a room that is over
}

type earlierAct struct {
	By   int // index of the player
	Data string
}

type earlierPlayer struct {
	Player, Token, Client string
	Attempt               uint64
	Encoding              wire.Encoding
	At                    wire.Resume
	View                  json.RawMessage // as of At
	Acts                  []string        // by cseq, from 1 on
	Answers               []string
}

const (
	earlierSecret = "what an earlier cluster shared" // a cluster secret that guards nothing
	// heldVersion is the version of the game "versioned" in an earlier process. A process has no such game by default.
	heldVersion = e2e.VersionVariable + "=7"
)

// TestEarlierDataGoesOn opens what an earlier version left behind. Live rooms go on for clients that resume, held rooms are kept,
// released rooms are claimed, and everything that is over is still served.
func TestEarlierDataGoesOn(t *testing.T) {
	t.Parallel()
	for _, store := range []string{"sqlite", "postgres"} {
		path := filepath.Join("testdata", "earlier", store)
		if *writeEarlier != "" {
			leaveBehind(t, path, store)
		}
		for name, goesOn := range map[string]func(*earlier, *e2e.Server){"alone": (*earlier).alone, "member": (*earlier).member} {
			t.Run(store+"/"+name, func(t *testing.T) {
				t.Parallel()
				e, s := openEarlier(t, path, store, name)
				goesOn(e, s)
			})
		}
	}
}

// openEarlier copies the data to a place where a process can start on it.
func openEarlier(t *testing.T, path, store, folder string) (*earlier, *e2e.Server) {
	t.Helper()
	e := &earlier{path: path}
	raw, err := os.ReadFile(filepath.Join(path, "rooms.json"))
	if err != nil {
		t.Fatal(err)
	}
	e2e.MustDecode(t, raw, e)
	dir := t.TempDir()
	unpack(t, filepath.Join(path, "folders.tar.gz"), dir)
	url := "sqlite:" + filepath.Join(dir, "alone", "store.db")
	if store == "postgres" {
		sql, err := os.ReadFile(filepath.Join(path, "store.sql"))
		if err != nil {
			t.Fatal(err)
		}
		url = pgtest.URL(t)
		pgtest.Fill(t, url, string(sql))
	}
	s := e2e.NewServer(t, append(e2e.GenerousLimits, "--store", url, "--adopt-data-dir", "--keep-set-aside", "0")...)
	s.Dir = filepath.Join(dir, folder)
	e.secret = writeEarlierSecret(t)
	return e, s
}

func writeEarlierSecret(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(earlierSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// alone goes on with the folder of the node that was killed.
func (e *earlier) alone(s *e2e.Server) {
	t := s.T
	key, err := auth.GuestKeyFile(filepath.Join(s.Dir, "guest.key"))
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	ctx := e2e.WaitContext(t)
	for _, r := range e.that("live") {
		e.goesOn(ctx, s, r, key)
	}
	held := e.that("held")
	for _, r := range held {
		if code := s.Call("GET", "/v1/rooms/"+r.Info.ID, nil, nil); code != http.StatusServiceUnavailable {
			t.Errorf("a room of a game that this process lacks: %d", code)
		}
		s.WaitForLog("kept but cannot be served", r.Info.ID)
	}
	e.recordsAreServed(s)
	e.asideIsListed(s)

	s.Env = append(s.Env, heldVersion)
	s.Args = append(s.Args, "--rate-guests=false")
	s.Start()
	e.guestsAreUnlisted(s)
	for _, r := range held {
		e.goesOn(ctx, s, r, key)
	}
}

// member goes on with the folder of the node that released its rooms.
func (e *earlier) member(s *e2e.Server) {
	secret, err := os.ReadFile(e.secret)
	if err != nil {
		s.T.Fatal(err)
	}
	guests, err := hkdf.Key(sha256.New, bytes.TrimSpace(secret), nil, "roomring guests", sha256.Size)
	if err != nil {
		s.T.Fatal(err)
	}
	s.Args = append(s.Args, "--node", "m", "--peer-listen", e2e.FreePort(s.T), "--gossip-listen", e2e.FreePort(s.T), "--cluster-secret-file", e.secret)
	s.Start()
	ctx := e2e.WaitContext(s.T)
	for _, r := range e.that("released") {
		s.Until(ctx, "room "+r.Info.ID+" is claimed", func() bool {
			var now e2e.RoomInfo
			return s.Call("GET", "/v1/rooms/"+r.Info.ID, nil, &now) == http.StatusOK && now.Node == "m"
		})
		e.goesOn(ctx, s, r, guests)
	}
	e.recordsAreServed(s)
}

func (e *earlier) that(is string) (rooms []earlierRoom) {
	for _, r := range e.Rooms {
		if r.Is == is {
			rooms = append(rooms, r)
		}
	}
	return rooms
}

// goesOn checks that every player of a room can come back to what they saw last, that one of them can act, and that the room can end.
func (e *earlier) goesOn(ctx context.Context, s *e2e.Server, r earlierRoom, key []byte) {
	t := s.T
	t.Helper()
	var now e2e.RoomInfo
	s.Until(ctx, r.Is+" room "+r.Info.ID+" of "+r.Info.Game+" is there", func() bool { // 503 while it is brought back
		return s.Call("GET", "/v1/rooms/"+r.Info.ID+"?code="+r.Info.Code, nil, &now) == http.StatusOK
	})
	if now.Epoch <= r.Info.Epoch {
		t.Errorf("%s room %s of %s: %+v", r.Is, r.Info.ID, r.Info.Game, now)
		return
	}
	socks := make([]*e2e.Socket, len(r.Players))
	for i, p := range r.Players {
		socks[i] = p.resumes(t, r, now.URL, key)
	}
	by := r.Players[r.Next.By]
	cseq := uint64(len(by.Acts))
	s.Until(ctx, "an act is taken in a room of "+r.Info.Game, func() bool {
		cseq++
		socks[r.Next.By].Act(cseq, r.Next.Data)
		answer := told(socks[r.Next.By].Answer())
		if !r.ticks() && !strings.HasPrefix(answer, "ack") {
			t.Fatalf("room %s of %s: %s is answered %s", r.Info.ID, r.Info.Game, r.Next.Data, answer)
		}
		return strings.HasPrefix(answer, "ack")
	})
	if code := s.CallAdmin("POST", "/admin/v1/rooms/"+r.Info.ID+"/close", map[string]string{"reason": "seen"}, nil); code/100 != 2 {
		t.Errorf("closing room %s: %d", r.Info.ID, code)
	}
	s.Result(r.Info.ID)
	if !slices.Contains([]string{"tally", "versioned"}, r.Info.Game) { // only test processes have these games
		s.CheckReplay(r.Info.ID)
	}
}

// ticks reports whether a room goes on by itself, so that nobody finds it as it was.
func (r earlierRoom) ticks() bool { return r.Info.Game == "snakes" }

// resumes comes back as the player. It checks that the last answer comes again and that the view is the same.
func (p earlierPlayer) resumes(t *testing.T, r earlierRoom, url string, key []byte) *e2e.Socket {
	t.Helper()
	sock := e2e.Dial(t, url, p.Encoding)
	at := p.At
	w := sock.Hello(wire.Hello{
		Token: stillValid(t, p.Token, key), Client: p.Client, Attempt: p.Attempt + 1, Code: r.Info.Code, Resume: &at,
	})
	if w.Player != p.Player || w.CSeq != uint64(len(p.Acts)) || !w.Recovered && !r.ticks() {
		t.Errorf("room %s of %s: %s is welcomed as %+v", r.Info.ID, r.Info.Game, p.Player, w)
	}
	if !w.Recovered {
		e2e.Hear[wire.State](sock)
	}
	for i, data := range p.Acts {
		sock.Act(uint64(i+1), data)
		if got := told(sock.Answer()); got != p.Answers[i] {
			t.Errorf("room %s of %s: act %d of %s was answered %s and is now %s", r.Info.ID, r.Info.Game, i+1, p.Player, p.Answers[i], got)
		}
	}
	was, is := seen(t, p.View), seen(t, wholeView(sock).View)
	if r.ticks() {
		was, is = e2e.Field(was, "width"), e2e.Field(is, "width")
	}
	if !reflect.DeepEqual(was, is) {
		t.Errorf("room %s of %s: %s saw\n%v\nand now sees\n%v", r.Info.ID, r.Info.Game, p.Player, was, is)
	}
	return sock
}

// wholeView asks for the whole view and returns it as JSON.
func wholeView(s *e2e.Socket) wire.State {
	s.T.Helper()
	s.Write(wire.AppendResync(nil, s.Encoding))
	state := e2e.Hear[wire.State](s)
	if s.Encoding == wire.CBOR {
		text, err := wire.AppendJSONFromCBOR(nil, state.View)
		if err != nil {
			s.T.Fatal(err)
		}
		state.View = text
	}
	return state
}

// seen is a view without the connection states, which change as players come back one after another.
func seen(t *testing.T, view []byte) any {
	t.Helper()
	var v any
	e2e.MustDecode(t, view, &v)
	return offlineAll(v)
}

func offlineAll(v any) any {
	switch v := v.(type) {
	case map[string]any:
		delete(v, "online")
		for _, inner := range v {
			offlineAll(inner)
		}
	case []any:
		for _, inner := range v {
			offlineAll(inner)
		}
	}
	return v
}

// told is the part of an answer that a client may rely on.
func told(m wire.ServerMessage) string {
	switch m := m.(type) {
	case wire.Ack:
		return fmt.Sprintf("ack %d at %d", m.CSeq, m.Seq)
	case wire.Reject:
		return fmt.Sprintf("reject %d: %s", m.CSeq, m.Code)
	}
	return fmt.Sprintf("%T", m)
}

// stillValid returns a guest's token with a later expiry, because it was signed long ago. The key must be the one that signed it.
func stillValid(t *testing.T, token string, key []byte) string {
	t.Helper()
	parts := strings.Split(token, ".")
	sign := func(text string) string {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(text))
		return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	}
	if len(parts) != 3 || sign(parts[0]+"."+parts[1]) != parts[2] {
		t.Fatal("a guest's token was signed by another key")
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	e2e.MustDecode(t, raw, &claims)
	claims["exp"] = time.Now().Add(time.Hour).Unix()
	if raw, err = json.Marshal(claims); err != nil {
		t.Fatal(err)
	}
	text := parts[0] + "." + base64.RawURLEncoding.EncodeToString(raw)
	return text + "." + sign(text)
}

// guestsAreUnlisted checks that the leaderboards are empty when guests are not rated, because all their players are guests.
func (e *earlier) guestsAreUnlisted(s *e2e.Server) {
	s.T.Helper()
	for game := range e.Boards {
		var board e2e.ChessBoard
		if code := s.Call("GET", "/v1/leaderboards/"+game, nil, &board); code != http.StatusOK || len(board.Players) > 0 {
			s.T.Errorf("the leaderboard of %s, without guests: %d, %+v", game, code, board)
		}
	}
}

// recordsAreServed compares results, replays and leaderboards.
func (e *earlier) recordsAreServed(s *e2e.Server) {
	t := s.T
	t.Helper()
	for _, r := range e.that("over") {
		if got := s.Result(r.Info.ID); !reflect.DeepEqual(got, *r.Result) {
			t.Errorf("the result of a room of %s was %+v and is %+v", r.Info.Game, *r.Result, got)
		}
		s.CheckReplay(r.Info.ID)
	}
	type board struct {
		Players []struct {
			Player string
			Rating float64
		}
	}
	for game, raw := range e.Boards {
		var was, is board
		e2e.MustDecode(t, raw, &was)
		if s.Call("GET", "/v1/leaderboards/"+game, nil, &is); !reflect.DeepEqual(was, is) || len(is.Players) < 2 {
			t.Errorf("the leaderboard of %s was %+v and is %+v", game, was, is)
		}
		for _, p := range is.Players {
			if got := recordOf(s, game, p.Player, ""); got.Rated < 1 || got.Rated > got.Games || !got.Listed {
				t.Errorf("%s of the leaderboard of %s has %+v", p.Player, game, got)
			}
		}
	}
}

// asideIsListed stops the process and looks into its journal.
func (e *earlier) asideIsListed(s *e2e.Server) {
	t := s.T
	t.Helper()
	if code, _ := s.Stop(); code != e2e.ExitOK {
		t.Errorf("it stopped with %d", code)
	}
	folder, err := journal.OpenFolder(s.Dir, journal.FolderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	j, err := journal.Open(t.Context(), folder, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close(t.Context())
	listed, err := j.ListAside(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range e.that("aside") {
		i := slices.IndexFunc(listed, func(a journal.Aside) bool { return string(a.Room) == r.Info.ID })
		if i < 0 {
			t.Errorf("room %s is not listed as set aside: %+v", r.Info.ID, listed)
			continue
		}
		if kept, err := j.LoadAside(t.Context(), listed[i].Key); err != nil || len(kept.Batches) == 0 {
			t.Errorf("room %s, which was set aside, is loaded with %d batches: %v", r.Info.ID, len(kept.Batches), err)
		}
	}
}

// pack writes folders of dir into a compressed archive.
func pack(t *testing.T, archive, dir string) {
	t.Helper()
	var out bytes.Buffer
	zip, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	files := tar.NewWriter(zip)
	err = errors.Join(files.AddFS(os.DirFS(dir)), files.Close(), zip.Close(), os.WriteFile(archive, out.Bytes(), 0o600))
	if err != nil {
		t.Fatal(err)
	}
}

// unpack extracts an archive that pack made.
func unpack(t *testing.T, archive, dir string) {
	t.Helper()
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zip, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for files := tar.NewReader(zip); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, filepath.Clean("/"+h.Name))
		if h.FileInfo().IsDir() {
			err = os.MkdirAll(path, 0o700)
		} else {
			err = writeNew(path, h.FileInfo().Mode().Perm(), files)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func writeNew(path string, mode fs.FileMode, content io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	return errors.Join(err, f.Close())
}
