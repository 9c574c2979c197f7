package webtest

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// Rooms is a directory without games: rooms that stand as they were made.
type Rooms struct {
	mu      sync.Mutex
	Rooms   map[room.ID]actor.Info
	tickets map[string]room.ID
	Created []actor.Create
	Matched []actor.Match
	fail    error // answer of every call
	Partial bool  // answer of every list
	Acted   []string
	Events  chan actor.RoomEvent
}

// NewRooms is empty.
func NewRooms() *Rooms {
	return &Rooms{Rooms: map[room.ID]actor.Info{}, tickets: map[string]room.ID{}, Events: make(chan actor.RoomEvent, 100)}
}

func (m *Rooms) Create(_ context.Context, c actor.Create) (actor.Info, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.Created = append(m.Created, c)
	return m.create(c)
}

func (m *Rooms) create(c actor.Create) (actor.Info, error) {
	if m.fail != nil {
		return actor.Info{}, m.fail
	}
	if c.Game == "go" {
		return actor.Info{}, actor.ErrUnknownGame
	}
	if strings.Contains(string(c.Options), "bad") {
		return actor.Info{}, &actor.OptionsError{Field: "options.clock", Reason: "the clock is wrong"}
	}
	if strings.Contains(string(c.Options), "refuse") {
		return actor.Info{}, room.Refuse("no", "not like this")
	}
	var random [10]byte
	rand.Read(random[:])
	info := actor.Info{
		ID: record.NewID(random), Game: c.Game, Version: 1, Name: c.Name, Options: c.Options, Private: c.Private,
		Phase: core.PhaseWaiting, Open: true, MaxPlayers: 2, Epoch: 1, Index: 2, Node: "alpha", Created: time.Now(),
	}
	if c.Private {
		info.Code = "c0de" + string(info.ID[:4])
	}
	m.Rooms[info.ID] = info
	return info, nil
}

func (m *Rooms) Match(_ context.Context, q actor.Match) (actor.Info, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.Matched = append(m.Matched, q)
	if id, known := m.tickets[q.Ticket]; known && q.Ticket != "" {
		return m.Rooms[id], nil
	}
	info, err := m.create(actor.Create{Game: q.Game, Options: q.Options})
	m.tickets[q.Ticket] = info.ID
	return info, err
}

func (m *Rooms) Info(_ context.Context, id room.ID) (actor.Info, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return actor.Info{}, m.fail
	}
	info, known := m.Rooms[id]
	if !known {
		return info, actor.ErrNotFound
	}
	return info, nil
}

func (m *Rooms) Find(_ context.Context, code string) (actor.Info, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, info := range m.Rooms {
		if info.Code == code {
			return info, m.fail
		}
	}
	return actor.Info{}, cmp.Or(m.fail, actor.ErrNotFound)
}

func (m *Rooms) List(_ context.Context, f actor.Filter) (actor.Listing, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := actor.Listing{Partial: m.Partial}
	for _, id := range slices.Sorted(maps.Keys(m.Rooms)) {
		i := m.Rooms[id]
		switch {
		case f.Hidden && !i.Private, f.Node != "" && i.Node != f.Node, !strings.Contains(i.Name, f.Search):
		case i.Private && !f.Private, id <= f.After, f.Game != "" && i.Game != f.Game, f.Phase != "" && i.Phase != f.Phase, f.Open && !i.Open:
		case len(out.Rooms) < f.Limit:
			out.Rooms = append(out.Rooms, i)
		}
	}
	return out, m.fail
}

// Change edits a room.
func (m *Rooms) Change(id room.ID, edit func(*actor.Info)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	info := m.Rooms[id]
	edit(&info)
	m.Rooms[id] = info
}

func (m *Rooms) Remove(id room.ID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.Rooms, id)
}

func (m *Rooms) FailWith(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

func (m *Rooms) Inspect(ctx context.Context, id room.ID, look actor.Look) (actor.Inspection, error) {
	info, err := m.Info(ctx, id)
	in := actor.Inspection{
		Members: &record.Members{
			Epoch:   info.Epoch,
			Standby: &record.Member{Node: "beta", Folder: "f2", Lag: record.Lag{Entries: 3, Oldest: 1500 * time.Microsecond}, Whole: true, Linked: true},
			Learner: &record.Member{Folder: "f3"},
		},
		Info: info, Durability: room.Standby, Point: record.Point{Epoch: info.Epoch, Seq: info.Index + 3}, Committed: info.Index,
		Time: time.Minute, Deadline: new(2 * time.Minute), Mailbox: 1, Pending: 2, Held: 4,
		Sessions: []actor.SessionInfo{{Player: "ann", Client: "c", Edge: "beta", Queue: actor.OutboxStats{Messages: 2, Bytes: 80}}},
		Recent:   []actor.RecentInput{{Index: info.Index, Kind: "act", Player: "ann", CSeq: 1, Bytes: 2}},
	}
	if look.State {
		in.State = json.RawMessage(`"everything"`)
	}
	if look.View != nil {
		in.View, _ = json.Marshal(look.View)
	}
	return in, err
}

func (m *Rooms) act(what string, id room.ID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.Rooms[id]; !known {
		return actor.ErrNotFound
	}
	m.Acted = append(m.Acted, what)
	return m.fail
}

func (m *Rooms) Close(_ context.Context, id room.ID, reason string) error {
	return m.act("close: "+reason, id)
}

func (m *Rooms) Kick(_ context.Context, id room.ID, player room.PlayerID) error {
	return m.act("kick: "+string(player), id)
}

func (m *Rooms) Signal(_ context.Context, id room.ID, name string, data []byte) error {
	return m.act("signal: "+name+string(data), id)
}

func (m *Rooms) ActFor(_ context.Context, id room.ID, player room.PlayerID, action json.RawMessage) error {
	return m.act("act for "+string(player)+": "+string(action), id)
}

// Watch tells the events that the test has queued, and waits for more.
func (m *Rooms) Watch(ctx context.Context, id room.ID, each func(actor.RoomEvent) error) error {
	if _, err := m.Info(ctx, id); err != nil {
		return err
	}
	for {
		select {
		case e, more := <-m.Events:
			if !more {
				return nil
			}
			if err := each(e); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
