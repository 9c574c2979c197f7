package node

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web/admin"
)

// players finds and forgets what is kept of a player: in the store that all nodes share, and in the rooms of all nodes.
type players struct{ n *Node }

func (n *Node) forgetting() *persist.Forgetting {
	return &persist.Forgetting{Store: n.store, Games: n.games, Log: n.log, Watch: func(id room.ID, game string) func() {
		return n.journal.BlackBox().BeginRerun(id, game).Release
	}}
}

// RoomsOf also finds rooms that an older program stored: it indexes those first.
func (p players) RoomsOf(ctx context.Context, player room.PlayerID, after room.ID) ([]room.ID, error) {
	if after == "" {
		if _, err := p.n.forgetting().Index(ctx, time.Now().Add(time.Hour)); err != nil {
			return nil, err
		}
	}
	return p.n.store.RoomsOf(ctx, player, after, 100)
}

// Unfinished lists the player's rooms whose result is not stored yet. A room that is over and stored may stay in memory for
// players to see its end; it is not listed.
func (p players) Unfinished(ctx context.Context, player room.PlayerID) (unfinished []actor.Info, partial bool, err error) {
	unfinished, _, partial, err = p.present(ctx, player)
	return unfinished, partial, err
}

// presentPage bounds the rooms of a player that are looked at.
const presentPage = 1000

// present returns the rooms in memory that name a player: those whose result is not stored yet, and those whose result is.
func (p players) present(ctx context.Context, player room.PlayerID) (unfinished, stored []actor.Info, partial bool, err error) {
	list, err := p.n.allRooms().List(ctx, actor.Filter{Private: true, Named: player, Limit: presentPage})
	if err != nil {
		return nil, nil, false, err
	}
	for _, info := range list.Rooms {
		if info.Phase == core.PhaseOver {
			_, err := p.n.store.Result(ctx, info.ID)
			if err == nil {
				stored = append(stored, info)
				continue
			}
			if !errors.Is(err, record.ErrNotFound) {
				return nil, nil, false, err
			}
		}
		unfinished = append(unfinished, info)
	}
	return unfinished, stored, list.Partial || len(list.Rooms) == presentPage, nil
}

// ForgetPlayer first closes the player's rooms that are over and stored, because they still show who was there.
func (p players) ForgetPlayer(ctx context.Context, player room.PlayerID, length time.Duration) (admin.ForgotPlayer, error) {
	_, stored, _, err := p.present(ctx, player)
	if err != nil {
		return admin.ForgotPlayer{}, err
	}
	for _, info := range stored {
		if err := p.n.allRooms().Close(ctx, info.ID, ""); err != nil && ctx.Err() == nil {
			p.n.log.Debug("a room that is over had closed already", "room", info.ID, "err", err)
		}
	}
	defer p.n.refreshBoards()
	got, err := p.n.forgetting().Forget(ctx, player, length)
	return admin.ForgotPlayer(got), err
}

// refreshBoards drops this node's cached leaderboards. Those of other nodes are at most --leaderboard-cache old.
func (n *Node) refreshBoards() {
	if s := n.web.Load(); s != nil {
		s.RefreshBoards()
	}
}

const (
	guestPage   = 500         // guests read with one query
	guestLength = time.Minute // for one step of forgetting a guest
	guestFails  = 3           // failures in a row after which the store counts as away
)

// forgetGuests forgets guests who have not been seen for --keep-guests, and returns how many. It pauses after each guest for
// as long as that guest took, because it runs replays again. Several nodes may do this at once, so each shuffles its pages.
func (n *Node) forgetGuests(ctx context.Context) (forgotten int, failed error) {
	all, fails := players{n}, 0
	for after := room.PlayerID(""); ctx.Err() == nil; {
		idle, next, err := n.store.IdleGuests(ctx, after, n.cfg.KeepGuests, guestPage)
		if err != nil {
			return forgotten, err
		}
		rand.Shuffle(len(idle), func(i, j int) { idle[i], idle[j] = idle[j], idle[i] })
		for _, guest := range idle {
			began := time.Now()
			done, err := all.forgetGuest(ctx, guest)
			switch {
			case err != nil: // a guest who cannot be forgotten does not hold up the others
				if failed, fails = err, fails+1; fails == guestFails {
					return forgotten, failed
				}
			case done:
				forgotten, fails = forgotten+1, 0
			}
			if !clock.Sleep(ctx, nil, time.Since(began)) {
				return forgotten, failed
			}
		}
		if after = next; next == "" {
			break
		}
	}
	return forgotten, failed
}

// forgetGuest forgets a guest who is in no unfinished room. The end of such a room counts as the last time they were seen.
func (p players) forgetGuest(ctx context.Context, guest room.PlayerID) (done bool, err error) {
	rooms, _, err := p.Unfinished(ctx, guest)
	if err != nil || len(rooms) > 0 {
		return false, err
	}
	for !done && err == nil && ctx.Err() == nil {
		var got persist.ForgotPlayer
		got, err = p.n.forgetting().Forget(ctx, guest, guestLength)
		done = got.Done
	}
	return done, err
}
