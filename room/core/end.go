package core

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// finishGame ends the game with its result, or as aborted. An invalid result is the game's fault and aborts the room.
func (c *Core) finishGame(r room.Result, abort bool) {
	if err := checkResult(&r); err != nil {
		panic(err.Error())
	}
	end := record.Finished
	if !abort {
		c.givenOutcomes = r.Outcomes
		why := c.dropIdle(&r)
		r.Summary, abort = cmp.Or(why, r.Summary), why != ""
	}
	if abort {
		end = record.Aborted
		r = room.Result{
			Outcomes: []room.Outcome{}, Data: r.Data,
			Reason: reasonAborted, Summary: cmp.Or(r.Summary, "the game was broken off"),
		}
	}
	if c.runtime() >= 2 {
		makeStorable(&r)
	}
	c.endRoom(end, "")
	bot := slices.ContainsFunc(r.Outcomes, func(o room.Outcome) bool { return o.Bot })
	r.IdleCounts = false // it has done its work, and is no part of what is kept
	c.s.Final.Result = r
	c.s.Final.Rated = c.spec.Rated && !r.Unrated && !bot && len(r.Outcomes) > 1 && c.header.ForkOf == ""
	c.s.Linger = c.s.Now + c.spec.Linger
}

// reasonAborted is the Result.Reason of a game without a result.
const reasonAborted = "aborted"

// checkResult refuses an invalid result; it makes the text UTF-8 and the data compact.
func checkResult(r *room.Result) error {
	seen := map[room.PlayerID]bool{}
	for _, o := range r.Outcomes {
		switch {
		case o.Player == "":
			return fmt.Errorf("result: the outcome of seat %d names no player: a built-in opponent needs an id of its own too, and Bot", o.Seat)
		case seen[o.Player]:
			return fmt.Errorf("result: player of seat %d stands in it twice", o.Seat)
		case o.Rank < 1:
			return fmt.Errorf("result: the rank of seat %d is %d: ranks count from 1", o.Seat, o.Rank)
		}
		seen[o.Player] = true
	}
	r.Reason, r.Summary = toUTF8(r.Reason), toUTF8(r.Summary)
	if len(r.Data) > 0 {
		var compact bytes.Buffer
		if err := json.Compact(&compact, r.Data); err != nil {
			return fmt.Errorf("result: data is no JSON: %w", err)
		}
		r.Data = compact.Bytes()
	}
	return nil
}

// makeStorable replaces characters that a store cannot hold, because a result may quote players.
func makeStorable(r *room.Result) {
	text := func(s string) string { return strings.ReplaceAll(toUTF8(s), "\x00", "\uFFFD") }
	r.Reason, r.Summary = text(r.Reason), text(r.Summary)
	if len(r.Data) > 0 {
		r.Data = bytes.ToValidUTF8(r.Data, []byte("\uFFFD"))
	}
	r.Outcomes = slices.Clone(r.Outcomes)
	for i := range r.Outcomes {
		o := &r.Outcomes[i]
		o.Player, o.Name = room.PlayerID(text(string(o.Player))), text(o.Name)
	}
}

// endRoom ends the room, once. A room that failed or was closed may leave memory at once.
func (c *Core) endRoom(end record.End, why string) {
	if c.s.Final != nil {
		return
	}
	c.s.Final = &record.Final{
		Room: c.header.ID, Game: c.header.Game, Version: c.s.Version, End: end,
		Result: room.Result{Reason: why}, Point: c.Point(), Duration: c.s.Now,
	}
	c.s.Timers, c.s.TickAt, c.s.Linger = nil, 0, c.s.Now
}

// announceEnd tells everybody if the present input has ended the room.
func (c *Core) announceEnd(wasOver bool) {
	if !wasOver && c.s.Final != nil {
		c.queue(Ended{c.stamp(), c.overFrame()})
	}
}

func (c *Core) overFrame() *Frame {
	over := c.s.Final.Over()
	return &Frame{Kind: FrameOver, Seq: c.s.Final.Point.Seq, encode: func(e wire.Encoding) []byte {
		return wire.AppendOver(nil, e, over)
	}}
}

// Seal is the room's end as the store keeps it, replay and hash included. The room must be over. There is no replay of a room
// that was closed with nobody ever in a seat: there is nothing to see in it, and strangers can make any number of them.
func (c *Core) Seal() (record.Final, error) {
	f := *c.Final()
	f.Hash, f.Readers, f.Named, f.Played, f.Private = f.Sum(), c.Readers(), c.Named(), c.played(), c.header.Private
	if f.End == record.Closed && !c.s.Joined {
		return f, nil
	}
	replay, err := c.log.replay(c.header, f)
	f.Replay = replay
	return f, err
}
