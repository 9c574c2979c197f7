package persisttest

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/glicko"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

func testResult(t *testing.T, s persist.Store) {
	f := Game("chess", "ann", "bob")
	wrote(t, s, []record.Final{f}, persist.Written)
	got := get[record.StoredResult](t)(s.Result(t.Context(), f.Room))
	if since := time.Since(got.Stored); since < -time.Minute || since > time.Minute || got.Stored.Location() != time.UTC {
		t.Errorf("stored at %v", got.Stored)
	}
	want := f
	want.Replay = nil
	if !reflect.DeepEqual(got.Final, want) {
		t.Errorf("got  %+v\nwant %+v", got.Final, want)
	}
	if len(got.Ratings) != 2 || got.Ratings[0].Player != "ann" || got.Ratings[0].Before != glicko.Newcomer {
		t.Errorf("ratings %+v", got.Ratings)
	}
	if replay := replayOf(t, s, f.Room); !bytes.Equal(replay, f.Replay.Join()) {
		t.Errorf("replay %q, want %q", replay, f.Replay.Join())
	}
}

// replayOf reads a replay, and checks that it has the size that the store says.
func replayOf(t *testing.T, s persist.Store, id room.ID) []byte {
	t.Helper()
	replay := get[record.StoredReplay](t)(s.Replay(t.Context(), id))
	data := get[[]byte](t)(io.ReadAll(replay))
	if int64(len(data)) != replay.Size {
		t.Errorf("a replay of %d bytes was said to have %d", len(data), replay.Size)
	}
	return data
}

// A replay of any length, in parts of any length, is read back byte for byte, in small pieces. It is pruned with its result.
func testLongReplay(t *testing.T, s persist.Store) {
	long, empty := Game("chess", "ann", "bob"), Game("chess", "ann", "bob")
	long.Replay, empty.Replay = nil, nil
	for _, n := range []int{7, 0, 300 << 10, 1, 900 << 10, 256 << 10, 100 << 10, 100 << 10, 100 << 10} {
		part := make([]byte, n)
		rand.Read(part)
		long.Replay = append(long.Replay, part)
	}
	wrote(t, s, []record.Final{long, empty}, persist.Written, persist.Written)
	if data := replayOf(t, s, long.Room); !bytes.Equal(data, long.Replay.Join()) {
		t.Errorf("of %d bytes %d came back, or others", long.Replay.Len(), len(data))
	}
	if _, err := s.Replay(t.Context(), empty.Room); !errors.Is(err, record.ErrNotFound) {
		t.Errorf("a room without a replay has one: %v", err)
	}
	first := make([]byte, 1)
	if _, err := io.ReadFull(get[record.StoredReplay](t)(s.Replay(t.Context(), long.Room)), first); err != nil || first[0] != long.Replay[0][0] {
		t.Errorf("the first byte: %v, %v", first, err)
	}
	wrote(t, s, []record.Final{long}, persist.Already)
}

func testNothingThere(t *testing.T, s persist.Store) {
	_, result := s.Result(t.Context(), NewRoom())
	_, replay := s.Replay(t.Context(), NewRoom())
	_, player := s.Player(t.Context(), "nobody", true)
	_, row := s.Row(t.Context(), NewRoom())
	_, code := s.RowByCode(t.Context(), "")
	_, checkpoint := s.Checkpoint(t.Context(), NewRoom())
	for what, err := range map[string]error{"result": result, "replay": replay, "player": player, "row": row, "code": code, "checkpoint": checkpoint} {
		if !errors.Is(err, record.ErrNotFound) {
			t.Errorf("%s: %v, want ErrNotFound", what, err)
		}
	}
	if board := get[[]record.Standing](t)(s.Leaderboard(t.Context(), "chess", record.BoardPlace{}, 10)); len(board) != 0 {
		t.Errorf("leaderboard %+v", board)
	}
}

func testWrittenOnce(t *testing.T, s persist.Store) {
	f := Game("chess", "ann", "bob")
	wrote(t, s, []record.Final{f}, persist.Written)
	before := get[record.Profile](t)(s.Player(t.Context(), "ann", true))
	wrote(t, s, []record.Final{f, Game("chess", "cy", "dee")}, persist.Already, persist.Written)
	if after := get[record.Profile](t)(s.Player(t.Context(), "ann", true)); !reflect.DeepEqual(after, before) {
		t.Errorf("the second write changed %+v to %+v", before, after)
	}
}

func testMismatch(t *testing.T, s persist.Store) {
	f := Game("chess", "ann", "bob")
	wrote(t, s, []record.Final{f}, persist.Written)
	other := f
	other.Result.Outcomes = slices.Clone(f.Result.Outcomes)
	other = Draw(other)
	fine := Game("chess", "cy", "dee")
	verdicts := wrote(t, s, []record.Final{other, fine}, persist.Mismatch, persist.Written)
	if !strings.Contains(verdicts[0].Reason, fmt.Sprintf("%x", f.Hash[:8])) {
		t.Errorf("the reason does not tell the hashes: %q", verdicts[0].Reason)
	}
	if got := get[record.StoredResult](t)(s.Result(t.Context(), f.Room)); got.Hash != f.Hash {
		t.Error("the mismatch replaced the row")
	}
	if ann := get[record.Profile](t)(s.Player(t.Context(), "ann", true)); ann.Games[0].Games != 1 || ann.Games[0].Wins != 1 {
		t.Errorf("the mismatch counted: %+v", ann.Games)
	}
}

func testTwiceInABatch(t *testing.T, s persist.Store) {
	f := Game("chess", "ann", "bob")
	other := Seal(f)
	other.Hash[0]++
	wrote(t, s, []record.Final{f, f, other}, persist.Written, persist.Already, persist.Mismatch)
	if ann := get[record.Profile](t)(s.Player(t.Context(), "ann", true)); ann.Games[0].Games != 1 {
		t.Errorf("counted %+v", ann.Games)
	}
}

func testUnwritable(t *testing.T, s persist.Store) {
	broken := map[string]func(*record.Final){
		"NUL in a name":          func(f *record.Final) { f.Result.Outcomes[0].Name = "a\x00b" },
		"NUL in a player":        func(f *record.Final) { f.Result.Outcomes[0].Player = "a\x00b" },
		"NUL in the summary":     func(f *record.Final) { f.Result.Summary = "\x00" },
		"name not UTF-8":         func(f *record.Final) { f.Result.Outcomes[1].Name = "\xff" },
		"data not JSON":          func(f *record.Final) { f.Result.Data = []byte("{") },
		"no hash":                func(f *record.Final) { f.Hash = [32]byte{} },
		"no such end":            func(f *record.Final) { f.End = "exploded" },
		"a player twice":         func(f *record.Final) { f.Result.Outcomes[1].Player = f.Result.Outcomes[0].Player },
		"not a room":             func(f *record.Final) { f.Room = "nowhere" },
		"epoch beyond all bound": func(f *record.Final) { f.Point.Epoch = math.MaxUint64 },
	}
	var finals []record.Final
	var want []persist.Outcome
	for name, breakIt := range broken {
		f := Game("chess", "ann", "bob")
		breakIt(&f)
		finals = append(finals, Game("chess", "cy", room.PlayerID("with "+name)), f)
		want = append(want, persist.Written, persist.Unwritable)
	}
	for _, v := range wrote(t, s, finals, want...) {
		if v.Outcome == persist.Unwritable && v.Reason == "" {
			t.Error("an unwritable final without a reason")
		}
	}
	if _, err := s.Player(t.Context(), "ann", true); !errors.Is(err, record.ErrNotFound) {
		t.Errorf("an unwritable final left a player behind: %v", err)
	}
}

func testEmptyBatch(t *testing.T, s persist.Store) {
	wrote(t, s, nil)
}

func testRatings(t *testing.T, s persist.Store) {
	want := map[room.PlayerID]record.Rating{"ann": glicko.Newcomer, "bob": glicko.Newcomer, "cy": glicko.Newcomer}
	var finals []record.Final
	for i, pair := range [][2]room.PlayerID{{"ann", "bob"}, {"bob", "cy"}, {"ann", "cy"}, {"ann", "bob"}} {
		f := Game("chess", pair[0], pair[1])
		ranks := []int{1, 2}
		if i == 2 {
			f, ranks = Draw(f), []int{1, 1}
		}
		after := glicko.Game([]record.Rating{want[pair[0]], want[pair[1]]}, ranks)
		want[pair[0]], want[pair[1]] = after[0], after[1]
		finals = append(finals, f)
	}
	wrote(t, s, finals[:3], persist.Written, persist.Written, persist.Written) // several of one player in a batch
	wrote(t, s, finals[3:], persist.Written)
	for player, rating := range want {
		p := get[record.Profile](t)(s.Player(t.Context(), player, true))
		if *p.Games[0].Rating != rating {
			t.Errorf("%s has %+v, want %+v", player, *p.Games[0].Rating, rating)
		}
	}
	ann := get[record.Profile](t)(s.Player(t.Context(), "ann", true)).Games[0]
	if ann.Games != 3 || ann.Wins != 2 || ann.Draws != 1 || ann.Losses != 0 {
		t.Errorf("ann %+v", ann)
	}
	Audit(t, s, finals)
}

func testUnrated(t *testing.T, s persist.Store) {
	casual := Game("chess", "ann", "bob")
	casual.Rated = false
	alone := Game("solo", "ann")
	withBot := Game("chess", "ann", "engine")
	withBot.Rated, withBot.Result.Outcomes[1].Bot = false, true
	aborted := Game("chess", "ann", "bob")
	aborted.End, aborted.Rated = record.Aborted, false
	wrote(t, s, []record.Final{Seal(casual), alone, Seal(withBot), Seal(aborted)},
		persist.Written, persist.Written, persist.Written, persist.Written)
	ann := get[record.Profile](t)(s.Player(t.Context(), "ann", true))
	if len(ann.Games) != 2 || ann.Games[0].Game != "chess" || ann.Games[0].Games != 2 || ann.Games[0].Wins != 2 {
		t.Errorf("games %+v", ann.Games)
	}
	for _, g := range ann.Games {
		if g.Rating != nil {
			t.Errorf("%s is rated %+v", g.Game, *g.Rating)
		}
	}
	if len(ann.Recent) != 4 {
		t.Errorf("recent %+v", ann.Recent)
	}
	if _, err := s.Player(t.Context(), "engine", true); !errors.Is(err, record.ErrNotFound) {
		t.Errorf("a bot became a player: %v", err)
	}
	if board := get[[]record.Standing](t)(s.Leaderboard(t.Context(), "chess", record.BoardPlace{}, 10)); len(board) != 0 {
		t.Errorf("the unrated are on the leaderboard: %+v", board)
	}
}

func testManyPlayers(t *testing.T, s persist.Store) {
	f := Game("snakes", "a", "b", "c", "d")
	for i, rank := range []int{1, 1, 3, 4} {
		f.Result.Outcomes[i].Rank = rank
	}
	f = Seal(f)
	wrote(t, s, []record.Final{f}, persist.Written)
	newcomers := []record.Rating{glicko.Newcomer, glicko.Newcomer, glicko.Newcomer, glicko.Newcomer}
	want := glicko.Game(newcomers, []int{1, 1, 3, 4})
	got := get[record.StoredResult](t)(s.Result(t.Context(), f.Room)).Ratings
	for i, change := range got {
		if change.After != want[i] {
			t.Errorf("%s got %+v, want %+v", change.Player, change.After, want[i])
		}
	}
	a, c := get[record.Profile](t)(s.Player(t.Context(), "a", true)), get[record.Profile](t)(s.Player(t.Context(), "c", true))
	if len(got) != 4 || a.Games[0].Draws != 1 || c.Games[0].Losses != 1 {
		t.Errorf("%d changes, a %+v, c %+v", len(got), a.Games, c.Games)
	}
}

func testNames(t *testing.T, s persist.Store) {
	f, g, h := Game("chess", "ann", "bob"), Game("chess", "ann", "bob"), Game("chess", "ann", "bob")
	f.Result.Outcomes[0].Name, g.Result.Outcomes[0].Name, h.Result.Outcomes[0].Name = "Ann", "Änn 💥", "Anna"
	wrote(t, s, []record.Final{f, g}, persist.Written, persist.Written)
	if p := get[record.Profile](t)(s.Player(t.Context(), "ann", true)); p.Name != "Änn 💥" {
		t.Errorf("name %q", p.Name)
	}
	wrote(t, s, []record.Final{h}, persist.Written)
	if p := get[record.Profile](t)(s.Player(t.Context(), "ann", true)); p.Name != "Anna" {
		t.Errorf("name %q", p.Name)
	}
}

func testRecent(t *testing.T, s persist.Store) {
	var finals []record.Final
	for range 60 {
		f := Game("chess", "ann", "bob")
		wrote(t, s, []record.Final{f}, persist.Written)
		finals = append(finals, f)
	}
	recent := get[record.Profile](t)(s.Player(t.Context(), "bob", true)).Recent
	if len(recent) != 50 {
		t.Fatalf("%d recent games", len(recent))
	}
	for i, g := range recent {
		if want := finals[59-i].Room; g.Room != want || g.Rank != 2 || g.Players != 2 || g.End != record.Finished || g.Game != "chess" {
			t.Fatalf("recent[%d] = %+v, want room %s", i, g, want)
		}
	}
}

func testLeaderboard(t *testing.T, s persist.Store) {
	wrote(t, s, []record.Final{Game("chess", "a", "b"), Game("chess", "c", "d"), Draw(Game("chess", "e", "f")), Game("go", "z", "a")},
		persist.Written, persist.Written, persist.Written, persist.Written)
	board := get[[]record.Standing](t)(s.Leaderboard(t.Context(), "chess", record.BoardPlace{}, 10))
	var got []string
	for _, row := range board {
		got = append(got, fmt.Sprint(row.Place, row.Player, row.Name, row.Games, row.Wins, row.Draws, row.Losses))
	}
	want := []string{"1aName of a1 1 0 0", "1cName of c1 1 0 0", "3eName of e1 0 1 0", "3fName of f1 0 1 0", "5bName of b1 0 0 1", "5dName of d1 0 0 1"}
	for i, w := range want {
		if i >= len(got) || strings.ReplaceAll(got[i], " ", "") != strings.ReplaceAll(w, " ", "") {
			t.Fatalf("leaderboard %q, want %q", got, want)
		}
	}
	checkPages(t, s, board)
}

// testRivals writes overlapping batches at once. Each final counts once, and the ratings fit some order of the games.
func testRivals(t *testing.T, s persist.Store) {
	players := []room.PlayerID{"a", "b", "c", "d", "e"}
	var finals []record.Final
	for i := range 120 {
		finals = append(finals, Game("chess", players[i%5], players[(i+1+i%4)%5]))
	}
	var group sync.WaitGroup
	for w := range 6 {
		group.Go(func() {
			mine := slices.Concat(finals[w*20:], finals[:w*20])
			for batch := range slices.Chunk(mine, 30) {
				if _, err := s.WriteResults(t.Context(), batch); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	Audit(t, s, finals)
}
