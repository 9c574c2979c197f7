package snakes_test

import (
	"fmt"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/games/snakes"
	"github.com/roomring/roomring/room/record"
)

const short = `{"walls": false, "rounds": 1, "round_s": 5}`

// Players who never steered have no rank, and a game that fewer than two played has no result.
func TestIdlePlayersAreLeftOut(t *testing.T) {
	for played, want := range map[int]string{
		0: "The game was aborted: nobody played, so it does not count",
		1: "The game was aborted: only P1 played, so it does not count",
		2: "", 3: "",
	} {
		b := seat(t, 3, short)
		b.until(snakes.Playing)
		for i := range played {
			b.steer(room.PlayerID(fmt.Sprintf("p%d", i+1)))
		}
		b.tick(5 * 15)
		f := b.core.Final()
		if f == nil {
			t.Fatal("the game is not over")
		}
		if want != "" {
			if f.End != record.Aborted || f.Rated || f.Result.Summary != want || len(f.Result.Outcomes) != 0 {
				t.Errorf("%d played: %+v", played, f)
			}
			continue
		}
		if f.End != record.Finished || !f.Rated || len(f.Result.Outcomes) != played {
			t.Errorf("%d played: %+v", played, f)
		}
		for number, p := range b.client().Players {
			if ranked := p.Rank > 0; ranked != (number <= played) {
				t.Errorf("%d played: player %d has rank %d", played, number, p.Rank)
			}
		}
	}
}

// Players who are cut off keep their rank, and players who leave rank last.
func TestBeingCutOffForfeitsNothing(t *testing.T) {
	for why, first := range map[room.LeaveReason]room.PlayerID{room.TimedOut: "p1", room.Left: "p2", room.Kicked: "p2"} {
		b := seat(t, 3, short)
		b.until(snakes.Playing)
		b.steer("p1", "p2", "p3")
		b.game().Roster[0].Points = 50
		b.step(core.Input{Kind: core.KindLeave, Player: "p1", Reason: string(why)})
		b.hear()
		b.tick(5 * 15)
		for _, o := range b.core.Final().Result.Outcomes {
			if (o.Rank == 1) != (o.Player == first) && (first == "p1" || o.Player == "p1") {
				t.Errorf("after p1 is gone (%s), %s has rank %d", why, o.Player, o.Rank)
			}
		}
	}
}

// Rooms of the first runtime go on, and are replayed, by the rules that they began with.
func TestRoomsOfTheFirstRuntimeKeepItsRules(t *testing.T) {
	b := openUnder(t, 1, short)
	b.sit("p1")
	b.sit("p2")
	b.until(snakes.Playing)
	b.step(core.Input{Kind: core.KindLeave, Player: "p1", Reason: string(room.TimedOut)})
	b.tick(10 * 15)
	f := b.core.Final()
	if f == nil || f.End != record.Finished || len(f.Result.Outcomes) != 2 || f.Result.Outcomes[0].Rank != 2 {
		t.Errorf("it ended as %+v", f)
	}
}
