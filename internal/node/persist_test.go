package node

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/roomring/roomring/persist/journal"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// lookout is a game of one act. Each call of it looks for its room in the black box's file.
type lookout struct {
	seen func() `roomring:"derived"`
}

func (l *lookout) Act(t *room.Turn, by room.Player, _ struct{}) error {
	l.seen()
	t.Finish(room.Result{Outcomes: []room.Outcome{{Player: by.ID, Rank: 1}}})
	return nil
}

func (l *lookout) View(room.Viewer) map[string]int { l.seen(); return map[string]int{} }

// Reloading an end runs the game again, which may kill the process. So the black box must name the room at each call.
func TestBlackBoxNamesAReloadedRoom(t *testing.T) {
	const id = room.ID("100k0vt000000000")
	dir := t.TempDir()
	calls, unmarked, boxed := 0, 0, false
	games, err := core.NewGames(room.MustDefine(room.Spec{Name: "lookout", Version: 1}, func() *lookout {
		return &lookout{func() {
			box, err := os.ReadFile(filepath.Join(dir, "blackbox"))
			if calls++; boxed && (err != nil || !bytes.Contains(box, []byte(id))) {
				unmarked++
			}
		}}
	}))
	if err != nil {
		t.Fatal(err)
	}
	rules, _ := games.Lookup("lookout")
	h := record.Header{ID: id, Game: "lookout", Version: 1, Runtime: core.RuntimeVersion, Created: time.Unix(1e9, 0)}
	machine, entries, err := core.Open(core.Config{Header: h, Rules: rules}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []core.Input{
		{Kind: core.KindJoin, Player: "ann"}, {Kind: core.KindAttach, Player: "ann", Client: "c", Attempt: 1},
		{Kind: core.KindAct, Player: "ann", Client: "c", CSeq: 1, Data: []byte(`{}`)},
	} {
		ready, err := machine.Step(in)
		if err != nil || ready.Entry == nil {
			t.Fatal(ready, err)
		}
		entries = append(entries, *ready.Entry)
	}
	raw, err := core.EncodeEntries(nil, entries...)
	if err != nil {
		t.Fatal(err)
	}
	folder, err := journal.OpenFolder(dir, journal.FolderOptions{Boot: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	j, err := journal.Open(t.Context(), folder, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close(t.Context())
	kept := record.Kept{Header: h, Epoch: 1, Batches: []record.Batch{{
		Room: id, Epoch: 1, First: entries[0].Index, Last: entries[len(entries)-1].Index, Entries: raw,
	}}}
	if err := j.Import(t.Context(), kept); err != nil {
		t.Fatal(err)
	}

	calls, boxed = 0, true
	final, err := (&Node{journal: j, games: games}).reload(t.Context(), id)
	if err != nil || final.End != record.Finished {
		t.Fatal(final.End, err)
	}
	if calls == 0 || unmarked > 0 {
		t.Errorf("%d calls of the game, %d of them not in the black box", calls, unmarked)
	}
}
