package core

import (
	"fmt"
	"slices"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Abandon makes the end of a room that no program may run again, from its log and without stepping it: an abort at the
// log's last point with a reason for people. The error says why the replay in it is incomplete.
func Abandon(kept record.Kept, why string) (record.Final, error) {
	f := record.Final{
		Room: kept.Header.ID, Game: kept.Header.Game, Version: kept.Header.Version,
		End: record.Aborted, Result: room.Result{Reason: why},
	}
	if kept.Header.Closed() {
		f.Readers = []room.PlayerID{}
	}
	var log logbook
	var damage error
	for _, b := range kept.Batches {
		for e, err := range DecodeEntries(b.Entries) {
			if err != nil {
				damage = fmt.Errorf("log of room %s: %w", kept.Header.ID, err)
				break
			}
			log.append(e, false)
			if e.Kind == KindJoin && f.Readers != nil && !slices.Contains(f.Readers, e.Player) {
				f.Readers = append(f.Readers, e.Player)
			}
			f.Point, f.Duration = record.Point{Epoch: e.Epoch, Seq: e.Index}, e.At
		}
	}
	f.Hash, f.Named = f.Sum(), log.named.all
	replay, err := log.replay(kept.Header, f)
	if err != nil {
		return f, err
	}
	f.Replay = replay
	return f, damage
}

// AbandonRow makes the end of a room of which only the row is left: an abort with a reason for people, and a replay
// without inputs.
func AbandonRow(row record.Row, why string) (record.Final, error) {
	f := record.Final{Room: row.Room, Game: row.Game, End: record.Aborted, Result: room.Result{Reason: why}, Point: record.Point{Epoch: row.Epoch}}
	if row.Private { // who played is unknown, so nobody may read it
		f.Readers = []room.PlayerID{}
	}
	f.Hash = f.Sum()
	var log logbook
	var err error
	f.Replay, err = log.replay(record.Header{ID: row.Room, Game: row.Game, Private: row.Private, Runtime: RuntimeVersion}, f)
	return f, err
}
