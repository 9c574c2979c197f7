package core

import (
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Abandon makes the end of a room that no program may run again, from its log and without stepping it: an abort at the
// log's last point with a reason for people. The error says why the replay in it is incomplete.
func Abandon(kept record.Kept, why string) (record.Final, error) {
	f := record.Final{
		Room: kept.Header.ID, Game: kept.Header.Game, Version: kept.Header.Version,
		End: record.Aborted, Result: room.Result{Reason: why}, Private: kept.Header.Private,
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

// EndedAt is the index of the input that ended a kept room; 0: none did, or its log is of the first runtime, which did not say so, or
// cannot be read.
func EndedAt(kept record.Kept) room.Index {
	for e, err := range entriesOf(&kept) {
		if err != nil {
			return 0
		}
		if e.Result == StepEnded || e.Result == StepFailed {
			return e.Index
		}
	}
	return 0
}

var errEnded = errors.New("the room has ended")

// End runs a kept room's log up to the input that ended the room, and no further, and returns the room's end as Seal does. It
// blocks for as long as that takes. The error says why the log does not come to an end.
func End(cfg Config, kept record.Kept) (record.Final, error) {
	if err := checkRuntimes(&kept); err != nil {
		return record.Final{}, err
	}
	cfg.Header = kept.Header
	c, err := Run(cfg, func() iter.Seq2[Entry, error] { return entriesOf(&kept) }, func(c *Core, _ Entry) error {
		if c.Final() != nil {
			return errEnded
		}
		return nil
	})
	switch {
	case errors.Is(err, errEnded):
		return c.Seal()
	case err != nil:
		return record.Final{}, err
	}
	return record.Final{}, fmt.Errorf("the log of room %s does not come to an end", kept.Header.ID)
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
