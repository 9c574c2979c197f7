package torture

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/client"
)

// storedResult is the part of a room's result that is compared.
type storedResult struct {
	Status string
	End    string
	Hash   string
	Point  struct{ Seq uint64 }
	Result json.RawMessage
}

// judge gathers what is known of a room, checks it and adds its figures to the report.
func (r *run) judge(l *live) {
	ctx := r.verdict // the store may be away
	l.mu.Lock()
	owners := l.owners
	l.mu.Unlock()
	e := &evidence{ID: l.id, Rules: l.game.rules, Clients: l.logs(), Owners: owners, Counted: map[room.PlayerID]int{}}
	e.Ending, e.Missing = r.ending(ctx, l.id)
	joined := false
	for _, log := range e.Clients {
		joined = joined || log.Player != ""
	}
	if e.Ending != nil && (joined || e.Ending.End == "finished") {
		if err := r.replay(ctx, e); err != nil {
			r.violate(Violation{Rule: RuleResults, Room: l.id, Text: fmt.Sprintf("its replay cannot be read: %v", err)})
		}
		if err := r.count(ctx, e); err != nil {
			r.violate(Violation{Rule: RuleResults, Room: l.id, Text: err.Error()})
		}
	}
	for _, g := range l.everybody() {
		if why := turnedAway(g.Err()); why != "" {
			r.violate(Violation{RuleRooms, l.id, g.log.Name, "its session ended for good: " + why})
		}
		if n := g.Stats().Mismatches; n > 0 {
			r.violate(Violation{RuleViews, l.id, g.log.Name, fmt.Sprintf("%d checksums of the server were not those of its view", n)})
		}
	}
	for _, v := range check(e) {
		r.violate(v)
	}
	r.measure(l, e)
}

// turnedAway says why a session ended that should have gone on; "" if it should not.
func turnedAway(err error) string {
	closed, ok := errors.AsType[*client.Closed](err)
	if !ok || closed.Code == wire.CloseOver || closed.Code == wire.CloseNormal {
		return ""
	}
	return closed.Error()
}

// patienceWithNone is how long the cluster may say that a room has no result and is not there.
const patienceWithNone = 5 * time.Second

// ending reads a room's result, and waits until it is there.
func (r *run) ending(ctx context.Context, id room.ID) (e *ending, missing string) {
	var raw []byte
	missing = "the store did not answer"
	var none time.Time // since when there is none
	err := until(ctx, func() bool {
		code, err := r.cluster.askAny(ctx, request{method: http.MethodGet, path: "/v1/results/" + string(id), into: &raw})
		if err != nil {
			missing = err.Error()
			return false
		}
		missing = fmt.Sprintf("it is asked for and answered with %d", code)
		if code != http.StatusNotFound {
			none = time.Time{}
		} else if none.IsZero() {
			none = time.Now()
		}
		return code == http.StatusOK || !none.IsZero() && time.Since(none) > patienceWithNone
	})
	var s storedResult
	if err != nil || raw == nil {
		return nil, missing
	}
	if err := json.Unmarshal(raw, &s); err != nil || s.Status != "stored" {
		return nil, missing
	}
	var result room.Result
	_ = json.Unmarshal(s.Result, &result) // the comparison with the replay finds what is wrong with it
	return &ending{s.End, s.Hash, s.Point.Seq, s.Result, s.End == "aborted" && result.Summary == ""}, ""
}

// replay reads a room's replay.
func (r *run) replay(ctx context.Context, e *evidence) error {
	var raw []byte
	why := errors.New("no node answered")
	if err := until(ctx, func() bool {
		code, err := r.cluster.askAny(ctx, request{method: http.MethodGet, path: "/v1/replays/" + string(e.ID), into: &raw})
		if err != nil || code != http.StatusOK {
			why = errors.Join(err, fmt.Errorf("the answer is %d", code))
		}
		return err == nil && (code == http.StatusOK || code == http.StatusNotFound)
	}); err != nil || raw == nil {
		return why
	}
	replay, err := core.ReadReplay(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	e.Replay = &replay
	return nil
}

// count reads how often the store has counted a game for each player in the result. Each has played in this room alone.
func (r *run) count(ctx context.Context, e *evidence) error {
	var result room.Result
	if err := json.Unmarshal(e.Ending.Result, &result); err != nil {
		return nil // the comparison with the replay finds that
	}
	mine := map[room.PlayerID]bool{}
	for _, log := range e.Clients {
		mine[log.Player] = log.Player != ""
	}
	for _, o := range result.Outcomes {
		if !mine[o.Player] || e.Ending.End != "finished" {
			continue
		}
		var profile struct{ Games []struct{ Games int } }
		code := 0
		if err := until(ctx, func() bool {
			var err error
			code, err = r.cluster.askAny(ctx, request{method: http.MethodGet, path: "/v1/players/" + url.PathEscape(string(o.Player)), into: &profile})
			return err == nil && (code == http.StatusOK || code == http.StatusNotFound)
		}); err != nil {
			return fmt.Errorf("player %s cannot be looked up: %d %w", o.Player, code, err)
		}
		e.Counted[o.Player] = 0
		for _, g := range profile.Games {
			e.Counted[o.Player] += g.Games
		}
	}
	return nil
}

// watchOwners asks the admin API again and again which node has each room, until ctx ends.
func (r *run) watchOwners(ctx context.Context) {
	for ctx.Err() == nil {
		for after := ""; ; {
			var page struct {
				Rooms []struct {
					ID    room.ID
					Node  string
					Epoch uint64
				}
				Next string
			}
			path := "/admin/v1/rooms?limit=1000"
			if after != "" {
				path += "&after=" + after
			}
			if code, err := r.cluster.askAny(ctx, request{method: http.MethodGet, path: path, into: &page}); err != nil || code != http.StatusOK {
				break
			}
			r.mu.Lock()
			for _, x := range page.Rooms {
				if l := r.living[x.ID]; l != nil {
					l.owned(owner{x.Epoch, x.Node})
				}
			}
			r.mu.Unlock()
			if after = page.Next; after == "" {
				break
			}
		}
		r.pause(ctx, 2*time.Second)
	}
}

// owned notes an owner, once.
func (l *live) owned(o owner) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(l.owners, o) {
		l.owners = append(l.owners, o)
	}
}
