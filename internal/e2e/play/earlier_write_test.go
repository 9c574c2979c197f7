package play_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/persist/pgtest"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/client"
)

// leaving is a running server of an earlier version.
type leaving struct {
	*e2e.Server
	ctx context.Context
	e   *earlier
	is  string // the fate of the rooms that are made now
}

// leaveBehind plays with an earlier binary and keeps the data that it leaves behind.
func leaveBehind(t *testing.T, path, store string) {
	t.Helper()
	if err := os.MkdirAll(path, 0o750); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	url := "sqlite:" + filepath.Join(dir, "alone", "store.db")
	if store == "postgres" {
		url = pgtest.URL(t)
	}
	process := func(folder string, args ...string) *e2e.Server {
		s := e2e.NewServer(t, append(e2e.GenerousLimits, append(args, "--store", url)...)...)
		s.Exe, s.Dir, s.Env = *writeEarlier, filepath.Join(dir, folder), []string{heldVersion}
		return s.Start()
	}
	e := &earlier{Boards: map[string]json.RawMessage{}}

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	alone := &leaving{Server: process("alone"), ctx: ctx, e: e}
	alone.finishes()
	alone.setsAside()
	alone.is = "live"
	alone.plays()
	alone.is = "held"
	alone.counts("versioned")
	alone.Kill()

	member := &leaving{ctx: ctx, e: e, is: "released", Server: process("member", "--node", "m",
		"--peer-listen", e2e.FreePort(t), "--gossip-listen", e2e.FreePort(t), "--cluster-secret-file", writeEarlierSecret(t))}
	member.plays()
	if code, _ := member.Stop(); code != e2e.ExitOK {
		t.Errorf("it stopped with %d", code)
	}

	for _, f := range []string{"alone.ready", "member.ready"} {
		_ = os.Remove(filepath.Join(dir, f))
	}
	pack(t, filepath.Join(path, "folders.tar.gz"), dir)
	if store == "postgres" {
		if err := os.WriteFile(filepath.Join(path, "store.sql"), []byte(pgtest.Dump(t, url)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := json.MarshalIndent(e, "", " ")
	if err == nil {
		err = os.WriteFile(filepath.Join(path, "rooms.json"), append(raw, '\n'), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// finishes plays a game of each kind to its end, and ends other games in other ways.
func (l *leaving) finishes() {
	chess := l.opens("chess", map[string]any{"white": "first", "clock": map[string]any{"initial_ms": 600_000}}, 2)
	for i, san := range strings.Fields("f3 e5 g4 Qh4#") {
		chess.acts(i%2, fmt.Sprintf(`{"move":%q}`, san))
	}
	dice := l.opens("liarsdice", map[string]any{"players": 2, "dice": 1, "reveal_ms": 100, "turn_ms": 600_000}, 2)
	first := dice.turn(2)
	dice.acts(first, `{"bid":{"count":2,"face":6}}`)
	dice.acts(1-first, `{"liar":true}`)
	snakes := l.opens("snakes", map[string]any{"rounds": 1, "round_s": 5, "start_s": 1, "pause_s": 1}, 2)
	closed := l.opens("chess", nil, 2)
	l.closes(closed.Info.ID)
	for _, r := range []*leavingRoom{chess, dice, snakes, closed} {
		e2e.Hear[wire.Over](r.socks[1])
		r.Players = nil // the players have nothing to come back to
		result := l.Result(r.Info.ID)
		r.Is, r.Result = "over", &result
		l.e.Rooms = append(l.e.Rooms, r.earlierRoom)
	}
	for _, game := range []string{"chess", "liarsdice", "snakes"} {
		var raw []byte
		if code := l.Call("GET", "/v1/leaderboards/"+game, nil, &raw); code != http.StatusOK {
			l.T.Fatalf("leaderboard of %s: %d", game, code)
		}
		l.e.Boards[game] = raw
	}
}

func (l *leaving) closes(id string) {
	l.T.Helper()
	if code := l.CallAdmin("POST", "/admin/v1/rooms/"+id+"/close", map[string]string{"reason": "enough"}, nil); code/100 != 2 {
		l.T.Fatalf("closing %s: %d", id, code)
	}
}

// setsAside makes rooms that are set aside: one with a result that no store takes, and one whose game kills two processes at the same
// act.
func (l *leaving) setsAside() {
	aside := func(info e2e.RoomInfo) { l.e.Rooms = append(l.e.Rooms, earlierRoom{Info: info, Is: "aside"}) }
	unwritable := l.Create("poison", nil)
	c := l.Join(unwritable, client.Options{})
	if _, err := c.Act(l.ctx, e2e.PoisonAct{Do: "unwritable"}); err != nil {
		l.T.Fatal(err)
	}
	c.Close()
	l.Until(l.ctx, "the room is set aside", func() bool {
		var list struct{ Rooms []e2e.RoomInfo }
		return l.Server.CallAdmin("GET", "/admin/v1/rooms", nil, &list) == http.StatusOK && len(list.Rooms) == 0 &&
			strings.Contains(l.Log.String(), "refused by the store")
	})
	aside(unwritable)

	poisoned := l.Create("poison", nil)
	c = l.Join(poisoned, client.Options{})
	died := make(chan error, 1)
	go func() {
		_, err := c.Act(l.ctx, e2e.PoisonAct{Do: "overflow"})
		died <- err
	}()
	for over := false; !over; {
		select {
		case <-l.Ended:
			l.Start()
		case <-died:
			over = true
		}
	}
	l.Result(poisoned.ID)
	aside(poisoned)
}

// plays leaves games of all kinds unfinished.
func (l *leaving) plays() {
	chess := l.opens("chess", map[string]any{
		"white": "first", "takeback": true, "clock": map[string]any{"initial_ms": 3_600_000, "increment_ms": 2000},
	}, 2)
	for i, move := range strings.Fields("e4 e5 Nf3 Nc6 Bb5") {
		chess.acts(i%2, fmt.Sprintf(`{"move":%q}`, move))
	}
	chess.refuses(0, `{"move":"a5"}`)
	chess.acts(0, `{"takeback":"offer"}`)
	chess.leaves(1, `{"takeback":"accept"}`)

	matched := &leavingRoom{l: l}
	for i := range 2 {
		var got e2e.MatchedRoom
		if code := l.Call("POST", "/v1/matchmake", map[string]any{"game": "chess", "options": map[string]any{"white": "first"}, "ticket": e2e.Ticket(i)}, &got); code != http.StatusOK {
			l.T.Fatalf("matchmaking: %d", code)
		}
		l.Call("GET", "/v1/rooms/"+got.ID, nil, &matched.Info)
		matched.enters(i, got.Guest.Token)
	}
	matched.begins()
	matched.acts(0, `{"move":"d4"}`)
	matched.leaves(1, `{"move":"d5"}`)

	dice := l.opens("liarsdice", map[string]any{"players": 3, "bots": 1, "turn_ms": 600_000}, 2)
	turn := dice.turn(2)
	dice.refuses(1-turn, `{"liar":true}`)
	var view struct{ Least json.RawMessage }
	e2e.MustDecode(l.T, wholeView(dice.socks[turn]).View, &view)
	dice.leaves(turn, fmt.Sprintf(`{"bid":%s}`, view.Least))

	snakes := l.opens("snakes", map[string]any{"rounds": 20, "round_s": 5, "start_s": 1, "pause_s": 1, "walls": false, "bots": 1}, 2)
	l.Until(l.ctx, "a snake turns", func() bool { return strings.HasPrefix(snakes.says(0, `{"turn":"up"}`), "ack") })
	snakes.leaves(0, `{"turn":"left"}`)

	l.counts("tally")
}

// counts leaves a private room of a game that counts.
func (l *leaving) counts(game string) {
	r := l.opens(game, nil, 2)
	r.acts(0, `{"add":5}`)
	r.acts(1, `{"add":2}`)
	r.refuses(1, `{"add":10}`)
	r.leaves(0, `{"add":1}`)
}

// leavingRoom is a room of that server.
type leavingRoom struct {
	earlierRoom
	l     *leaving
	socks []*e2e.Socket
}

// opens makes a private room and connects players.
func (l *leaving) opens(game string, options any, players int) *leavingRoom {
	l.T.Helper()
	r := &leavingRoom{l: l}
	body := map[string]any{"game": game, "private": true}
	if options != nil {
		body["options"] = options
	}
	if code := l.Call("POST", "/v1/rooms", body, &r.Info); code != http.StatusCreated {
		l.T.Fatalf("creating a room of %s: %d", game, code)
	}
	for i := range players {
		r.enters(i, "")
	}
	r.begins()
	return r
}

// enters connects the next player. Without a token the server makes a guest.
func (r *leavingRoom) enters(i int, token string) {
	p := earlierPlayer{Client: fmt.Sprint("client", i), Attempt: 1, Encoding: e2e.EncodingOf(i)}
	sock := e2e.Dial(r.l.T, r.Info.URL, p.Encoding)
	w := sock.Hello(wire.Hello{Token: token, Name: e2e.Name(i), Client: p.Client, Attempt: p.Attempt, Code: r.Info.Code})
	p.Player, p.Token = w.Player, cmp.Or(token, w.Token)
	e2e.Hear[wire.State](sock)
	r.Players, r.socks = append(r.Players, p), append(r.socks, sock)
}

// begins waits until a game of chess says that it has begun.
func (r *leavingRoom) begins() {
	if r.Info.Game != "chess" {
		return
	}
	r.l.Until(r.l.ctx, "the game begins", func() bool { return e2e.Field(seen(r.l.T, wholeView(r.socks[0]).View), "status") == "playing" })
}

// turn waits until it is a human player's turn in a game of dice. The human players come first.
func (r *leavingRoom) turn(people int) (seat int) {
	r.l.Until(r.l.ctx, "a player's turn comes", func() bool {
		at, ok := e2e.Field(seen(r.l.T, wholeView(r.socks[0]).View), "turn").(float64)
		seat = int(at)
		return ok && seat >= 0 && seat < people
	})
	return seat
}

// says sends an act and records its answer.
func (r *leavingRoom) says(i int, data string) string {
	p := &r.Players[i]
	p.Acts = append(p.Acts, data)
	r.socks[i].Act(uint64(len(p.Acts)), data)
	answer := told(r.socks[i].Answer())
	p.Answers = append(p.Answers, answer)
	return answer
}

func (r *leavingRoom) acts(i int, data string) {
	r.l.T.Helper()
	if answer := r.says(i, data); !strings.HasPrefix(answer, "ack") {
		r.l.T.Fatalf("%s in a game of %s: %s", data, r.Info.Game, answer)
	}
}

func (r *leavingRoom) refuses(i int, data string) {
	r.l.T.Helper()
	if answer := r.says(i, data); !strings.HasPrefix(answer, "reject") {
		r.l.T.Fatalf("%s in a game of %s: %s", data, r.Info.Game, answer)
	}
}

// leaves records what everybody knows of the room at the end, and what somebody can do next.
func (r *leavingRoom) leaves(by int, next string) {
	for i := range r.Players {
		state := wholeView(r.socks[i])
		r.Players[i].View, r.Players[i].At = state.View, wire.Resume{Epoch: r.Info.Epoch, Seq: state.Seq}
	}
	r.Is, r.Next = r.l.is, earlierAct{By: by, Data: next}
	r.l.e.Rooms = append(r.l.e.Rooms, r.earlierRoom)
}
