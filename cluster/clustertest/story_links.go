package clustertest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

func (s *Sim) doPower(words []string) error {
	if len(words) != 2 {
		return errUsage
	}
	l, err := s.alive(words[0])
	n, wrong := strconv.Atoi(words[1])
	if err := errors.Join(err, wrong); err != nil {
		return err
	}
	l.folder.losePower(func() int { return n })
	l.crash("its machine loses power")
	return nil
}

func (s *Sim) doCopy(words []string) error {
	if len(words) != 3 {
		return errUsage
	}
	from, err := s.node(words[0])
	if err != nil {
		return err
	}
	n := s.addNode(words[2])
	n.folder.former = from.folder.ids()
	for _, id := range from.folder.order {
		k := *from.folder.rooms[id]
		n.folder.put(id, &k)
	}
	return nil
}

func (s *Sim) doPause(words []string) error {
	if len(words) != 2 {
		return errUsage
	}
	l, err := s.alive(words[0])
	d, wrong := time.ParseDuration(words[1])
	if err := errors.Join(err, wrong); err != nil {
		return err
	}
	l.node.paused = s.now + d
	return nil
}

func (s *Sim) doCut(words []string) error { return s.cut(words, s.now+time.Hour) }

func (s *Sim) doMend(words []string) error { return s.cut(words, 0) }

// cut cuts the links between two nodes until a time, both ways unless there are more words.
func (s *Sim) cut(words []string, until time.Duration) error {
	if len(words) < 2 {
		return errUsage
	}
	a, err := s.node(words[0])
	b, wrong := s.node(words[1])
	if err := errors.Join(err, wrong); err != nil {
		return err
	}
	s.cuts[[2]*node{a, b}] = until
	if len(words) == 2 {
		s.cuts[[2]*node{b, a}] = until
	}
	return nil
}

func (s *Sim) doLag(words []string) error {
	if len(words) != 3 {
		return errUsage
	}
	from, err := s.node(words[0])
	to, wrong := s.node(words[1])
	d, bad := time.ParseDuration(words[2])
	if err := errors.Join(err, wrong, bad); err != nil {
		return err
	}
	s.lags[[2]*node{from, to}] = d
	return nil
}

func (s *Sim) doTend(words []string) error {
	if len(words) == 0 {
		return errUsage
	}
	if d, err := time.ParseDuration(words[0]); err == nil {
		for until := s.now + d; s.now < until; s.run(s.now + lookAround) {
			for _, n := range s.nodes {
				n.tend()
			}
		}
		return nil
	}
	for _, w := range words {
		l, err := s.alive(w)
		if err != nil {
			return err
		}
		l.node.tend()
	}
	return nil
}

func (n *node) tend() {
	if n.life != nil && n.s.now >= n.paused {
		n.life.tend()
	}
}

// owner returns a room in the memory of a process that owns it, or did.
func (s *Sim) owner(words []string) (*live, error) {
	if len(words) == 0 {
		return nil, errUsage
	}
	all := s.serving(room.ID(words[0]))
	if len(all) == 0 {
		return nil, fmt.Errorf("nobody serves %s", words[0])
	}
	newest := all[0]
	for _, r := range all {
		if r.epoch > newest.epoch {
			newest = r
		}
	}
	return newest, nil
}

// tellOwner delivers an event to the process that a room's row names as the owner.
func (s *Sim) tellOwner(words []string, e ownership.Event) error {
	if len(words) != 1 {
		return errUsage
	}
	r := s.store.rows[room.ID(words[0])]
	if r == nil || s.serves(r.Folder) == nil {
		return fmt.Errorf("nobody owns %s", words[0])
	}
	if e.Kind == ownership.Yield {
		e.Folder = r.Standby
	}
	s.serves(r.Folder).loop.Deliver(r.Room, e, nil)
	return nil
}

func (s *Sim) doFill(words []string) error {
	_, to, err := s.at(words)
	r, wrong := s.owner(words)
	if err := errors.Join(err, wrong); err != nil {
		return err
	}
	r.learner = to.self
	r.offerTo(to.self)
	return nil
}

func (s *Sim) doPart(words []string) error {
	if len(words) != 2 {
		return errUsage
	}
	n, err := s.node(words[0])
	if err != nil {
		return err
	}
	n.part, err = strconv.Atoi(words[1])
	return err
}

func (s *Sim) doSuspect(words []string) error {
	id, l, err := s.at(words)
	if err == nil {
		if c := l.copies[id]; c != nil {
			c.suspected = true
		}
		l.loop.Deliver(id, ownership.Event{Kind: ownership.Suspected}, nil)
	}
	return err
}

func (s *Sim) doDismiss(words []string) error {
	return s.tellOwner(words, ownership.Event{Kind: ownership.Dismiss})
}

func (s *Sim) doYield(words []string) error {
	return s.tellOwner(words, ownership.Event{Kind: ownership.Yield})
}

func (s *Sim) doUnable(words []string) error {
	return s.tellOwner(words, ownership.Event{Kind: ownership.Unable, Why: "its disk is full"})
}

func (s *Sim) doAsk(words []string) error {
	id, l, err := s.at(words)
	if err != nil {
		return err
	}
	r := l.live[id]
	if r == nil {
		return fmt.Errorf("%s is not in the memory of %s", id, words[2])
	}
	l.awake(r.ask)
	return nil
}

// membersOf names the nodes that have the folders of a row's members.
func (s *Sim) membersOf(id room.ID) string {
	r := s.store.rows[id]
	if r == nil || r.State != record.RowLive {
		return "none"
	}
	var names []string
	for _, folder := range [...]string{r.Folder, r.Standby} {
		for _, n := range s.nodes {
			if n.folder.id == folder {
				names = append(names, n.name)
			}
		}
	}
	return strings.Join(names, " ")
}
