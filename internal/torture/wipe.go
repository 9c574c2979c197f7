package torture

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/roomring/roomring/room"
)

// wipe kills a node, deletes its folder and starts it again. Nothing else is broken meanwhile. The folder is deleted only once every room
// goes on without it: a standby may be dismissed in the moment in which the node is killed.
func (r *run) wipe(calm, after context.Context, s *server, away time.Duration) error {
	if s.running() == nil {
		return errors.New("it does not run")
	}
	if err := r.spareable(calm, s); err != nil {
		return err
	}
	r.hit(blow{kind: "kill", node: s.name, at: r.since()})
	s.kill()
	r.note("%s is dead", s.name)
	r.pause(calm, away)
	err := r.served(after)
	if err == nil {
		err = emptyFolder(s.dir)
		r.note("the folder of %s is empty", s.name)
	}
	return errors.Join(err, r.back(after, s))
}

// loss is what the admin API says would become of a node's rooms if it died.
type loss struct {
	Wait []struct {
		Why   string
		Rooms int
	}
	Lost     int
	Examples []struct {
		Room room.ID
		Fate string
	}
}

// spareable waits until all rooms of a node would go on without it. A room that never would, although nothing is broken, is a violation.
func (r *run) spareable(calm context.Context, s *server) error {
	ctx, cancel := context.WithTimeout(calm, startCeiling)
	defer cancel()
	var stuck map[room.ID]string // by room that waited at each look: why
	var local error
	err := until(ctx, func() bool {
		var now loss
		code, err := r.cluster.net.ask(ctx, s, request{method: http.MethodGet, path: "/admin/v1/nodes/" + s.name + "/loss", into: &now})
		if err != nil || code != http.StatusOK {
			return false
		}
		if local = now.local(s.name); local != nil {
			return true
		}
		waits := map[room.ID]string{}
		for _, e := range now.Examples {
			if e.Fate != "goes-on" {
				waits[e.Room] = e.Fate
			}
		}
		if stuck == nil {
			stuck = waits
		}
		maps.DeleteFunc(stuck, func(id room.ID, _ string) bool { return waits[id] == "" })
		return len(now.Wait) == 0
	})
	switch {
	case err == nil:
		return local
	case calm.Err() != nil:
		return errors.New("the time was over before each of its rooms had a standby: its folder was left")
	}
	for _, id := range slices.Sorted(maps.Keys(stuck)) {
		r.violate(Violation{Rule: RuleRooms, Room: id, Text: fmt.Sprintf("for %v in which nothing was broken it has had no standby: %s", startCeiling, stuck[id])})
	}
	return fmt.Errorf("not all of its rooms have had a standby at one time within %v: its folder was left", startCeiling)
}

// local says that rooms are not meant to outlive the node.
func (l *loss) local(node string) error {
	n := l.Lost
	for _, w := range l.Wait {
		if w.Why == "waits-local" {
			n += w.Rooms
		}
	}
	if n > 0 {
		return fmt.Errorf("%d rooms are kept on %s alone by their game's or the node's durability: its folder was left", n, node)
	}
	return nil
}

// serveCeiling bounds the wait until the rooms of a dead node go on elsewhere.
const serveCeiling = 30 * time.Second

// served waits until every room is served, or over.
func (r *run) served(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, serveCeiling)
	defer cancel()
	for _, l := range r.rooms() {
		if err := until(ctx, func() bool {
			code, err := r.cluster.askAny(ctx, request{method: http.MethodGet, path: "/admin/v1/rooms/" + string(l.id)})
			return err == nil && code < http.StatusInternalServerError
		}); err != nil {
			return fmt.Errorf("room %s does not go on without the node: its folder was left", l.id)
		}
	}
	return nil
}

// emptyFolder deletes what is in a folder, which may be where a disk is mounted.
func emptyFolder(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, f := range files {
		errs = append(errs, os.RemoveAll(filepath.Join(dir, f.Name())))
	}
	return errors.Join(errs...)
}
