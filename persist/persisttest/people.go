package persisttest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// Looked is an empty store with a way for tests to read its rows directly.
type Looked struct {
	Store persist.Store
	Rows  func() string    // every row of every table, as text
	Do    func(sql string) // changes it; the SQL is understood by all backends
}

// RunPeople tests that a backend keeps the promises of persist.People and persist.Forgetting. Each test begins with an empty store.
func RunPeople(t *testing.T, empty func(t *testing.T) Looked) {
	for name, test := range map[string]func(*testing.T, Looked){
		"rooms of a player": testRoomsOf,
		"redact":            testRedact,
		"long replay":       testLongReplayRedacted,
		"records":           testDropRecords,
		"idle guests":       testIdleGuests,
		"forget":            testForget,
		"older rooms":       testForgetOlder,
		"at once":           testForgetAtOnce,
	} {
		t.Run(name, func(t *testing.T) { test(t, empty(t)) })
	}
}

func testRoomsOf(t *testing.T, l Looked) {
	s := l.Store
	in, left, not := Game("chess", "ann", "bob"), Game("chess", "cy", "bob"), Game("chess", "cy", "bob")
	left.Named = []room.PlayerID{"bob", "cy", "ann", "\xff", "a\x00"}
	wrote(t, s, []record.Final{in, left, not}, persist.Written, persist.Written, persist.Written)
	want := []room.ID{in.Room, left.Room}
	slices.Sort(want)
	if got := get[[]room.ID](t)(s.RoomsOf(t.Context(), "ann", "", 10)); !slices.Equal(got, want) {
		t.Errorf("rooms %v, want %v", got, want)
	}
	if got := get[[]room.ID](t)(s.RoomsOf(t.Context(), "ann", want[0], 1)); !slices.Equal(got, want[1:]) {
		t.Errorf("behind the first %v, want %v", got, want[1:])
	}
	if got := get[[]room.ID](t)(s.RoomsOf(t.Context(), "nobody", "", 10)); len(got) != 0 {
		t.Errorf("of nobody %v", got)
	}
	if got := get[[]room.ID](t)(s.Unindexed(t.Context(), 10)); len(got) != 0 {
		t.Errorf("unindexed %v", got)
	}
}

// redacted is a final without a player.
func redacted(f record.Final, player room.PlayerID, replay string) record.Final {
	who := core.Redaction{Player: player, Gone: "gone_1"}
	_ = who.Learn(f, nil) // there is nothing to read
	out := who.Final(f)
	if replay != "" {
		out.Replay = record.Parts{[]byte(replay)}
	}
	return out
}

func testRedact(t *testing.T, l Looked) {
	s := l.Store
	f := Game("chess", "ann", "bob")
	f.Readers, f.Named = []room.PlayerID{"ann", "bob"}, []room.PlayerID{"ann", "bob", "cy"}
	f.Result.Summary = "Name of ann wins"
	f = Seal(f)
	wrote(t, s, []record.Final{f}, persist.Written)
	bob := get[record.Profile](t)(s.Player(t.Context(), "bob", true))
	was := get[record.StoredResult](t)(s.Result(t.Context(), f.Room))

	must(t, s.Redact(t.Context(), persist.Redacted{Player: "ann", Final: redacted(was.Final, "ann", "another replay")}))
	is := get[record.StoredResult](t)(s.Result(t.Context(), f.Room))
	if told := fmt.Sprintf("%+v %s", is, is.Result.Data); strings.Contains(told, "ann") || !strings.Contains(told, "gone_1") {
		t.Errorf("the result is %s", told)
	}
	if is.Redactions != 1 || time.Since(is.Redacted).Abs() > time.Minute || is.Hash == was.Hash || is.Hash != is.Sum() || is.Stored != was.Stored {
		t.Errorf("%d redactions at %v, hash %x, stored %v; it was %x, %v", is.Redactions, is.Redacted, is.Hash, is.Stored, was.Hash, was.Stored)
	}
	if !slices.Equal(is.Readers, []room.PlayerID{"bob"}) || string(is.Result.Data) != string(f.Result.Data) {
		t.Errorf("readers %v, data %s", is.Readers, is.Result.Data)
	}
	if len(is.Ratings) != 1 || is.Ratings[0].Player != "bob" {
		t.Errorf("ratings %+v", is.Ratings)
	}
	if replay := replayOf(t, s, f.Room); string(replay) != "another replay" {
		t.Errorf("replay %q", replay)
	}
	if now := get[record.Profile](t)(s.Player(t.Context(), "bob", true)); !reflect.DeepEqual(now, bob) {
		t.Errorf("the opponent was %+v and is %+v", bob, now)
	}
	if got := get[[]room.ID](t)(s.RoomsOf(t.Context(), "ann", "", 10)); len(got) != 0 {
		t.Errorf("rooms of who was taken out: %v", got)
	}
	if got := get[[]room.ID](t)(s.RoomsOf(t.Context(), "cy", "", 10)); len(got) != 1 {
		t.Errorf("rooms of another: %v", got)
	}

	other := f
	other.Hash[0]++
	wrote(t, s, []record.Final{f, other}, persist.Already, persist.Mismatch) // by the hash that it had
	if again := get[record.StoredResult](t)(s.Result(t.Context(), f.Room)); !reflect.DeepEqual(again, is) {
		t.Errorf("writing it again made %+v of %+v", again, is)
	}
	if _, err := s.Player(t.Context(), "ann", true); err != nil {
		t.Errorf("the profile went with a room: %v", err)
	}

	if err := s.Redact(t.Context(), persist.Redacted{Player: "bob", Final: redacted(was.Final, "bob", "")}); !errors.Is(err, record.ErrMovedOn) {
		t.Errorf("redacting what was read before: %v", err)
	}
	must(t, s.Redact(t.Context(), persist.Redacted{Player: "bob", Final: redacted(is.Final, "bob", ""), Redactions: 1}))
	if _, err := s.Replay(t.Context(), f.Room); !errors.Is(err, record.ErrNotFound) {
		t.Errorf("a replay that was dropped: %v", err)
	}
	last := get[record.StoredResult](t)(s.Result(t.Context(), f.Room))
	if len(last.Ratings) != 0 || last.Readers == nil || len(last.Readers) != 0 {
		t.Errorf("without anybody: ratings %+v, readers %#v", last.Ratings, last.Readers)
	}
	if err := s.Redact(t.Context(), persist.Redacted{Player: "bob", Final: Game("chess", "bob")}); !errors.Is(err, record.ErrMovedOn) {
		t.Errorf("redacting what is not there: %v", err)
	}
}

// A reader of a replay that is replaced meanwhile reads the old one, or not to its end, but never a mixture.
func testLongReplayRedacted(t *testing.T, l Looked) {
	s := l.Store
	f := Game("chess", "ann", "bob")
	long := func(b byte) (p record.Parts) {
		for range 5 {
			p = append(p, bytes.Repeat([]byte{b}, 200<<10))
		}
		return p
	}
	f.Replay = long('a')
	wrote(t, s, []record.Final{f}, persist.Written)
	for i, b := range []byte("bc") {
		reading := get[record.StoredReplay](t)(s.Replay(t.Context(), f.Room))
		anew := redacted(f, "ann", "")
		anew.Replay = long(b)
		must(t, s.Redact(t.Context(), persist.Redacted{Player: "ann", Final: anew, Redactions: i}))
		data, err := io.ReadAll(reading)
		if bytes.Contains(data, []byte{b}) || err == nil && len(data) < 1000<<10 {
			t.Errorf("%d bytes were read, %v, some of them new", len(data), err)
		}
		if got := replayOf(t, s, f.Room); !bytes.Equal(got, anew.Replay.Join()) {
			t.Errorf("of %d bytes %d came back, or others", anew.Replay.Len(), len(got))
		}
	}
	if rows := l.Rows(); strings.Contains(rows, "aaaaaaaaaaaaaaaa") || strings.Contains(rows, strings.Repeat("61", 16)) {
		t.Error("the old replay is there still")
	}
}

func testDropRecords(t *testing.T, l Looked) {
	s := l.Store
	f := Game("chess", "ann", "bob")
	wrote(t, s, []record.Final{f, Game("chess", "bob", "cy"), Game("go", "ann", "cy")}, persist.Written, persist.Written, persist.Written)
	must(t, s.DropRecords(t.Context(), "ann"))
	must(t, s.DropRecords(t.Context(), "nobody"))
	board := get[[]record.Standing](t)(s.Leaderboard(t.Context(), "chess", record.BoardPlace{}, 10))
	if len(board) != 2 || board[0].Player != "bob" || board[0].Place != 1 || board[1].Place != 2 {
		t.Errorf("the board is %+v", board)
	}
	if p := get[record.Profile](t)(s.Player(t.Context(), "ann", true)); p.Name != "" || len(p.Games) != 0 || len(p.Recent) != 2 {
		t.Errorf("of somebody whom results name %+v is left", p)
	}
	for _, id := range get[[]room.ID](t)(s.RoomsOf(t.Context(), "ann", "", 10)) {
		r := get[record.StoredResult](t)(s.Result(t.Context(), id))
		must(t, s.Redact(t.Context(), persist.Redacted{Player: "ann", Final: redacted(r.Final, "ann", "")}))
	}
	must(t, s.DropRecords(t.Context(), "ann"))
	if _, err := s.Player(t.Context(), "ann", true); !errors.Is(err, record.ErrNotFound) {
		t.Errorf("a player whom nothing names: %v", err)
	}
	wrote(t, s, []record.Final{Game("chess", "ann", "bob")}, persist.Written)
	if p := get[record.Profile](t)(s.Player(t.Context(), "ann", true)); p.Name == "" || p.Games[0].Games != 1 {
		t.Errorf("who plays again is %+v", p)
	}
}

func testIdleGuests(t *testing.T, l Looked) {
	s := l.Store
	old, new := Game("chess", "g_old", "g_both"), Game("chess", "g_new", "g_both")
	other := Game("chess", "old", "h")
	old.Named, new.Named = []room.PlayerID{"g_old", "g_both", "g_left", "g_seen"}, []room.PlayerID{"g_new", "g_both", "g_seen"}
	wrote(t, s, []record.Final{old, other}, persist.Written, persist.Written)
	time.Sleep(20 * time.Millisecond) // by the store's clock
	mark := get[record.StoredResult](t)(s.Result(t.Context(), other.Room)).Stored
	wrote(t, s, []record.Final{new}, persist.Written)
	for _, limit := range []int{1, 2, 3, 100} {
		var idle []room.PlayerID
		for after := room.PlayerID(""); ; {
			since := get[record.StoredResult](t)(s.Result(t.Context(), new.Room)).Stored
			cut := time.Since(since) + since.Sub(mark)/2
			some, next, err := s.IdleGuests(t.Context(), after, cut, limit)
			must(t, err)
			idle = append(idle, some...)
			if after = next; next == "" {
				break
			}
		}
		slices.Sort(idle)
		if !slices.Equal(idle, []room.PlayerID{"g_left", "g_old"}) {
			t.Errorf("idle, %d at once: %v", limit, idle)
		}
	}
	if idle, _, err := s.IdleGuests(t.Context(), "", time.Hour, 100); err != nil || len(idle) != 0 {
		t.Errorf("idle for an hour: %v, %v", idle, err)
	}
}

// chatter is a game that shows what players say, and ends when a player says so.
type chatter struct {
	Names map[room.PlayerID]string
	Order []room.PlayerID
	Said  []string

	byID bool `roomring:"derived"`
}

func (g *chatter) Join(_ *room.Turn, p room.Player) error {
	g.Names[p.ID], g.Order = p.Name, append(g.Order, p.ID)
	return nil
}

func (g *chatter) Leave(_ *room.Turn, p room.Player, _ room.LeaveReason) {
	delete(g.Names, p.ID)
	g.Order = slices.DeleteFunc(g.Order, func(id room.PlayerID) bool { return id == p.ID })
}

func (g *chatter) Act(t *room.Turn, by room.Player, said string) error {
	g.Said = append(g.Said, fmt.Sprintf("%s said %d letters", by.Name, len(said)))
	if said != "end" {
		return nil
	}
	ids := g.Order
	if g.byID {
		slices.Sort(ids)
	}
	var out []room.Outcome
	for i, id := range ids {
		rank := 1
		if g.byID {
			rank += i
		}
		out = append(out, room.Outcome{Player: id, Name: g.Names[id], Rank: rank, Seat: i})
	}
	t.Finish(room.Result{Outcomes: out, Summary: by.Name + " ended it", IdleCounts: true})
	return nil
}

func (g *chatter) View(room.Viewer) any { return map[string]any{"names": g.Names, "said": g.Said} }

// chatters are games. One of them takes another course if the players have other ids.
func chatters() *core.Games {
	rules := func(name string, byID bool) *room.Rules {
		return room.MustDefine(room.Spec{Name: name, Version: 1, MaxPlayers: 8, SharedView: true, Rated: true}, func() *chatter {
			return &chatter{Names: map[room.PlayerID]string{}, byID: byID}
		})
	}
	games, err := core.NewGames(rules("chatter", false), rules("byid", true))
	if err != nil {
		panic(err)
	}
	return games
}

// nameOf is the name of a player in a chat.
func nameOf(p room.PlayerID) string { return "Lord " + strings.ToUpper(string(p)) }

// chatted is the end of a chat in which each player says something long and some leave. The last player ends it.
func chatted(t *testing.T, game string, bytes int, leaves room.PlayerID, players ...room.PlayerID) record.Final {
	t.Helper()
	rules, _ := chatters().Lookup(game)
	head := record.Header{ID: NewRoom(), Game: game, Version: 1, Runtime: core.RuntimeVersion}
	machine, _, err := core.Open(core.Config{Header: head, Rules: rules}, 1)
	must(t, err)
	step := func(in core.Input) {
		t.Helper()
		if ready, err := machine.Step(in); err != nil || ready.Entry == nil {
			t.Fatalf("%s: %v, %v", in.Kind, err, ready.Refused)
		}
		machine.Commit(machine.Point().Seq)
	}
	say := func(p room.PlayerID, n record.CSeq, text string) {
		t.Helper()
		step(core.Input{Kind: core.KindAct, Player: p, Client: record.ClientID("c" + p), CSeq: n, Data: fmt.Appendf(nil, "%q", text)})
	}
	all := players
	if leaves != "" {
		all = append([]room.PlayerID{leaves}, players...)
	}
	for _, p := range all {
		step(core.Input{Kind: core.KindJoin, Player: p, Name: nameOf(p)})
		step(core.Input{Kind: core.KindAttach, Player: p, Client: record.ClientID("c" + p), Attempt: 1})
		text := make([]byte, bytes)
		for i := range text {
			text[i] = byte('a' + rand.IntN(26))
		}
		say(p, 1, string(text))
	}
	if leaves != "" {
		step(core.Input{Kind: core.KindLeave, Player: leaves})
	}
	say(players[len(players)-1], 2, "end")
	final, err := machine.Seal()
	must(t, err)
	return final
}

// traces returns where a store still names a player: in rows, and in the content of replays.
func traces(t *testing.T, l Looked, player room.PlayerID, rooms []record.Final) (found []string) {
	t.Helper()
	rows := l.Rows()
	if !strings.Contains(rows, string(rooms[0].Room)) {
		t.Fatal("the rows that are looked through have not even the rooms")
	}
	for _, trace := range []string{string(player), nameOf(player)} {
		if i := strings.Index(rows, trace); i >= 0 {
			found = append(found, rows[max(0, i-80):min(len(rows), i+80)])
		}
	}
	for _, f := range rooms {
		stored, err := l.Store.Replay(t.Context(), f.Room)
		if errors.Is(err, record.ErrNotFound) {
			continue
		}
		must(t, err)
		r := get[core.Replay](t)(core.ReadReplay(stored))
		r.Final.Replay = nil
		log := get[[]byte](t)(core.EncodeEntries(nil, r.Entries...))
		if all := fmt.Sprintf("%+v %+v %s", r.Header, r.Final, log); strings.Contains(all, string(player)) || strings.Contains(all, nameOf(player)) {
			found = append(found, "the replay of "+string(f.Room))
		}
	}
	return found
}

func forgetting(s persist.Store, games *core.Games) *persist.Forgetting {
	return &persist.Forgetting{Store: s, Games: games, Log: slog.New(slog.DiscardHandler)}
}

func testForget(t *testing.T, l Looked) {
	const wanted, other, early = "wanted-4711", "other-4711", "left-early-4711"
	finals := []record.Final{
		chatted(t, "chatter", 10, "", wanted, other),
		chatted(t, "chatter", 300<<10, "", other, wanted), // in pieces
		chatted(t, "chatter", 10, early, wanted, other, "third-4711"),
		chatted(t, "byid", 10, "", other, wanted),
		chatted(t, "chatter", 10, early, other, "third-4711"),
		chatted(t, "chatter", 10, "", other, "third-4711"),
	}
	private := chatted(t, "chatter", 10, "", wanted, other)
	private.Readers = []room.PlayerID{wanted, other}
	finals = append(finals, private)
	wrote(t, l.Store, finals, slices.Repeat([]persist.Outcome{persist.Written}, len(finals))...)
	bob := get[record.Profile](t)(l.Store.Player(t.Context(), other, true))
	if found := traces(t, l, wanted, finals); len(found) < 6 {
		t.Fatalf("there is nothing to forget: %q", found)
	}
	f := forgetting(l.Store, chatters())
	got, err := f.Forget(t.Context(), wanted, time.Minute)
	must(t, err)
	if want := (persist.ForgotPlayer{Done: true, Results: 5, Redacted: 4, Dropped: 1}); got != want {
		t.Errorf("it came to %+v, want %+v", got, want)
	}
	if found := traces(t, l, wanted, finals); len(found) > 0 {
		t.Errorf("what is left: %q", found)
	}
	if again := get[persist.ForgotPlayer](t)(f.Forget(t.Context(), wanted, time.Minute)); again != (persist.ForgotPlayer{Done: true}) {
		t.Errorf("once more it came to %+v", again)
	}
	wrote(t, l.Store, finals, slices.Repeat([]persist.Outcome{persist.Already}, len(finals))...)
	if found := traces(t, l, wanted, finals); len(found) > 0 {
		t.Errorf("results that were offered again brought back: %q", found)
	}
	if now := get[record.Profile](t)(l.Store.Player(t.Context(), other, true)); !reflect.DeepEqual(now, bob) {
		t.Errorf("the opponent was %+v and is %+v", bob, now)
	}
	board := get[[]record.Standing](t)(l.Store.Leaderboard(t.Context(), "byid", record.BoardPlace{}, 10))
	if len(board) != 1 || board[0].Player != other || board[0].Place != 1 {
		t.Errorf("the board is %+v", board)
	}
	// A player who left before the end is in no result.
	got, err = f.Forget(t.Context(), early, time.Minute)
	must(t, err)
	if want := (persist.ForgotPlayer{Done: true, Results: 2, Redacted: 2}); got != want {
		t.Errorf("who left early: %+v, want %+v", got, want)
	}
	if found := traces(t, l, early, finals); len(found) > 0 {
		t.Errorf("of who left early is left: %q", found)
	}
	for _, final := range finals {
		stored, err := l.Store.Replay(t.Context(), final.Room)
		if errors.Is(err, record.ErrNotFound) {
			continue
		}
		must(t, err)
		replay := get[core.Replay](t)(core.ReadReplay(stored))
		rules, _ := chatters().Lookup(replay.Header.Game)
		machine, err := core.Run(core.Config{Header: replay.Header, Rules: rules}, replay.Log(), nil)
		if result := get[record.StoredResult](t)(l.Store.Result(t.Context(), final.Room)); err != nil || machine.Final().Sum() != result.Hash {
			t.Errorf("the replay of %s comes to another end: %v", final.Room, err)
		}
	}
}

// Rooms that an older program stored are found by their logs, which are read once. Forgetting goes on where it was stopped.
func testForgetOlder(t *testing.T, l Looked) {
	const wanted, early = "wanted-4711", "left-early-4711"
	var finals []record.Final
	for range 5 {
		finals = append(finals, chatted(t, "chatter", 10, early, wanted, "other-4711"))
	}
	broken, without := Game("chess", wanted, "other-4711"), Game("chess", "other-4711", "third-4711")
	without.Replay = nil
	wrote(t, l.Store, append(slices.Clone(finals), broken, without), slices.Repeat([]persist.Outcome{persist.Written}, 7)...)
	l.Do(`DELETE FROM others`)
	l.Do(`UPDATE results SET indexed = NOT indexed`)
	f := forgetting(l.Store, chatters())
	if got := get[persist.ForgotPlayer](t)(f.Forget(t.Context(), early, 0)); got.Done || got.Results+got.Indexed != 0 {
		t.Errorf("in no time it came to %+v", got)
	}
	if got := get[[]room.ID](t)(l.Store.Unindexed(t.Context(), 10)); len(got) != 6 {
		t.Errorf("unindexed %v", got)
	}
	if got := get[persist.ForgotPlayer](t)(f.Forget(t.Context(), early, time.Minute)); got != (persist.ForgotPlayer{Done: true, Results: 5, Redacted: 5, Indexed: 6}) {
		t.Errorf("it came to %+v", got)
	}
	if found := traces(t, l, early, finals); len(found) > 0 {
		t.Errorf("what is left: %q", found)
	}
	if got := get[persist.ForgotPlayer](t)(f.Forget(t.Context(), wanted, time.Minute)); got != (persist.ForgotPlayer{Done: true, Results: 6, Redacted: 5, Dropped: 1}) {
		t.Errorf("it came to %+v", got)
	}
	if found := traces(t, l, wanted, finals); len(found) > 0 {
		t.Errorf("what is left: %q", found)
	}
}

// When several nodes forget players of the same room at once, all of them are forgotten.
func testForgetAtOnce(t *testing.T, l Looked) {
	players := []room.PlayerID{"first-4711", "second-4711", "third-4711"}
	var finals []record.Final
	for range 6 {
		finals = append(finals, chatted(t, "chatter", 10, "", players...))
	}
	wrote(t, l.Store, finals, slices.Repeat([]persist.Outcome{persist.Written}, len(finals))...)
	errs := make(chan error)
	for _, p := range players {
		for range 2 {
			go func() {
				got, err := forgetting(l.Store, chatters()).Forget(t.Context(), p, time.Minute)
				if err == nil && !got.Done {
					err = fmt.Errorf("%s: %+v", p, got)
				}
				errs <- err
			}()
		}
	}
	for range 2 * len(players) {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	for _, p := range players {
		if found := traces(t, l, p, finals); len(found) > 0 {
			t.Errorf("of %s is left: %q", p, found)
		}
	}
}
