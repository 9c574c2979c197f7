package actor

import "container/list"

// unused are the rooms that nobody ever joined, by who has made them: a network if the address is in one, else the address,
// else the player. The registry's mutex guards it.
type unused struct {
	of     map[any]*holder
	levels []*list.List // of *holder: those with one room, with two, … In each, who came to so many first is in front.
	top    int          // the highest level with anybody
}

// holder has unused rooms, the oldest in front.
type holder struct {
	key   any
	rooms list.List // of *liveRoom
	at    *list.Element
}

// holding is who an unused room is counted for.
func (c creator) holding() any {
	switch {
	case c.wide.IsValid():
		return c.wide
	case c.narrow.IsValid():
		return c.narrow
	}
	return c.by
}

func (u *unused) add(r *liveRoom) {
	if u.of == nil {
		u.of = map[any]*holder{}
	}
	key := r.reg.creator.holding()
	h := u.of[key]
	if h == nil {
		h = &holder{key: key}
		u.of[key] = h
	}
	u.move(h, func() { r.reg.unused = h.rooms.PushBack(r) })
}

// remove takes a room out, if it is there.
func (u *unused) remove(r *liveRoom) {
	if r.reg.unused == nil {
		return
	}
	h := u.of[r.reg.creator.holding()]
	u.move(h, func() {
		h.rooms.Remove(r.reg.unused)
		r.reg.unused = nil
	})
	if h.rooms.Len() == 0 {
		delete(u.of, h.key)
	}
}

// first is the oldest room of the holder with the most; nil: there is none.
func (u *unused) first() *liveRoom {
	if u.top == 0 {
		return nil
	}
	return u.levels[u.top-1].Front().Value.(*holder).rooms.Front().Value.(*liveRoom)
}

// move changes how many rooms a holder has, by one.
func (u *unused) move(h *holder, change func()) {
	if n := h.rooms.Len(); n > 0 {
		u.levels[n-1].Remove(h.at)
	}
	change()
	n := h.rooms.Len()
	if n > len(u.levels) {
		u.levels = append(u.levels, list.New())
	}
	if n > 0 {
		h.at = u.levels[n-1].PushBack(h)
	}
	for u.top = max(u.top, n); u.top > 0 && u.levels[u.top-1].Len() == 0; {
		u.top--
	}
}
