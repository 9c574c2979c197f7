package actor

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
)

// listing keeps the rooms in the order of their ids, in one list for each listKey. So the cost of a page does not grow with
// the number of rooms. Each room's goroutine notes its own changes; the lock is held for moments only.
type listing struct {
	mu sync.RWMutex
	of map[listKey][]*liveRoom
}

// listKey is what narrows a list without a look at each room.
type listKey struct {
	game    string // "": any
	private bool   // private rooms too
	open    bool   // only rooms that take players
}

func (f *Filter) key() listKey { return listKey{f.Game, f.Private, f.Open && !f.Private} }

// keys are the lists that a room is on; none before its first commit.
func (i *Info) keys() []listKey {
	if i == nil {
		return nil
	}
	keys := []listKey{{"", true, false}, {i.Game, true, false}}
	if !i.Private {
		keys = append(keys, listKey{"", false, false}, listKey{i.Game, false, false})
	}
	if !i.Private && i.Open {
		keys = append(keys, listKey{"", false, true}, listKey{i.Game, false, true})
	}
	return keys
}

// note moves a room from the lists that it was on to those that it is on now.
func (l *listing) note(r *liveRoom, was, is *Info) {
	before, now := was.keys(), is.keys()
	if slices.Equal(before, now) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range before {
		if at, there := rank(l.of[k], r.id); there && !slices.Contains(now, k) {
			if l.of[k] = slices.Delete(l.of[k], at, at+1); len(l.of[k]) == 0 {
				delete(l.of, k)
			}
		}
	}
	for _, k := range now {
		if at, there := rank(l.of[k], r.id); !there {
			l.of[k] = slices.Insert(l.of[k], at, r)
		}
	}
}

func rank(rooms []*liveRoom, id room.ID) (at int, there bool) {
	return slices.BinarySearchFunc(rooms, id, func(r *liveRoom, id room.ID) int { return cmp.Compare(r.id, id) })
}

// after copies the rooms that follow an id into a buffer, up to its capacity.
func (l *listing) after(k listKey, id room.ID, into []*liveRoom) []*liveRoom {
	l.mu.RLock()
	defer l.mu.RUnlock()
	rooms := l.of[k]
	at, there := rank(rooms, id)
	if there {
		at++
	}
	return into[:copy(into[:cap(into)], rooms[at:])]
}

// listStride is how many rooms are copied at most while the lock is held.
const listStride = 128

// List answers rooms by id, a page at a time, as Info knows them: a page of a hundred rooms is not worth a hundred questions.
func (d *Directory) List(f Filter) []Info {
	var out []Info
	var buffer [listStride]*liveRoom
	size := f.PageSize()
	for last := f.After; ; {
		rooms := d.lists.after(f.key(), last, buffer[:min(size, listStride)])
		for _, r := range rooms {
			if info, ok := r.public(); ok && f.admits(&info) {
				if out = append(out, info); len(out) == size {
					return out
				}
			}
		}
		if len(rooms) == 0 {
			return out
		}
		last = rooms[len(rooms)-1].id
	}
}

// PageSize is how many rooms a page holds at most.
func (f *Filter) PageSize() int {
	if f.Limit <= 0 {
		return 100
	}
	return min(f.Limit, 1000)
}

func (f *Filter) admits(i *Info) bool {
	return i.ID > f.After &&
		(f.Game == "" || i.Game == f.Game) &&
		(f.Phase == "" || i.Phase == f.Phase) &&
		(!f.Open || i.Open) &&
		(f.Private || !i.Private) &&
		(!f.Hidden || i.Private) &&
		(f.Node == "" || i.Node == f.Node) &&
		(f.Named == "" || slices.Contains(i.named, f.Named)) &&
		(f.Search == "" || i.matches(strings.ToLower(f.Search)))
}

// matches looks for a text in lower case: at the beginning of the id, in the name, and in the players' ids and names.
func (i *Info) matches(text string) bool {
	holds := func(s string) bool { return strings.Contains(strings.ToLower(s), text) }
	return strings.HasPrefix(string(i.ID), text) || holds(i.Name) ||
		slices.ContainsFunc(i.Seats, func(s core.SeatInfo) bool { return holds(string(s.Player)) || holds(s.Name) })
}
