package webtest

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

var errNoRecord = errors.New("no such row")

// Records is a store of maps.
type Records struct {
	Mu         sync.Mutex
	Results    map[room.ID]record.StoredResult
	Replays    map[room.ID]record.Parts
	Players    map[room.PlayerID]record.Profile
	Board      []record.Standing
	BoardAsked int
	Waiting    map[room.ID]bool
	Fail       error
	Asked      func(id room.ID) // called before Result looks
}

func lookUp[K comparable, V any](m *Records, in map[K]V, key K) (V, error) {
	m.Mu.Lock()
	defer m.Mu.Unlock()
	v, known := in[key]
	if m.Fail == nil && !known {
		return v, errNoRecord
	}
	return v, m.Fail
}

func (m *Records) Result(_ context.Context, id room.ID) (record.StoredResult, error) {
	res, err := lookUp(m, m.Results, id)
	if _, missing := lookUp(m, m.Replays, id); missing == nil && errors.Is(err, errNoRecord) {
		err = nil // no store has a replay without a result
	}
	if m.Asked != nil {
		m.Asked(id)
	}
	return res, err
}

func (m *Records) Replay(_ context.Context, id room.ID) (record.StoredReplay, error) {
	parts, err := lookUp(m, m.Replays, id)
	return record.StoredReplay{Size: int64(parts.Len()), Reader: parts.Reader()}, err
}

func (m *Records) Player(_ context.Context, id room.PlayerID, _ bool) (record.Profile, error) {
	return lookUp(m, m.Players, id)
}

func (m *Records) Leaderboard(_ context.Context, _ string, after record.BoardPlace, limit int) ([]record.Standing, error) {
	m.Mu.Lock()
	defer m.Mu.Unlock()
	m.BoardAsked++
	from := min(after.Count, len(m.Board))
	return slices.Clone(m.Board[from:min(from+limit, len(m.Board))]), m.Fail
}

func (m *Records) Pending(id room.ID) bool {
	pending, err := lookUp(m, m.Waiting, id)
	return pending && err == nil
}

func (m *Records) NotFound(err error) bool { return errors.Is(err, errNoRecord) }

// NewRecords is empty.
func NewRecords() *Records {
	return &Records{
		Results: map[room.ID]record.StoredResult{}, Replays: map[room.ID]record.Parts{},
		Players: map[room.PlayerID]record.Profile{}, Waiting: map[room.ID]bool{},
	}
}

// Add queues a result in a store of maps, which has it at once.
func (m *Records) Add(f record.Final, stored func()) {
	m.Mu.Lock()
	m.Results[f.Room] = record.StoredResult{Final: f, Stored: Now}
	if f.Replay.Len() > 0 {
		m.Replays[f.Room] = f.Replay
	}
	m.Mu.Unlock()
	stored()
}
