package core

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// state is the part of the room that the log alone determines, except for the game's own state.
type state struct {
	Index   room.Index     `cbor:"1,keyasint"`
	Epoch   record.Epoch   `cbor:"2,keyasint"`
	Lineage []record.Point `cbor:"3,keyasint,omitempty"` // each former epoch with its last index
	Now     time.Duration  `cbor:"4,keyasint"`
	Version int            `cbor:"5,keyasint"`            // of the present rules
	Runtime int            `cbor:"36,keyasint,omitempty"` // the runtime that the room was moved to; 0: the one that opened it

	Seats   []seat          `cbor:"6,keyasint"`
	Limit   int             `cbor:"25,keyasint,omitempty"` // number of seats; 0 is Spec.MaxPlayers
	Clients []client        `cbor:"7,keyasint,omitempty"`
	Banned  []room.PlayerID `cbor:"8,keyasint,omitempty"`
	Locked  bool            `cbor:"9,keyasint,omitempty"`
	Started bool            `cbor:"10,keyasint,omitempty"` // enough players have been present at once
	Joined  bool            `cbor:"11,keyasint,omitempty"` // a player has joined at least once

	Timers  []timer       `cbor:"12,keyasint,omitempty"` // by time, then name
	Events  []event       `cbor:"13,keyasint,omitempty"` // for the next turn
	TickAt  time.Duration `cbor:"14,keyasint,omitempty"` // zero: the room does not tick
	EmptyAt time.Duration `cbor:"15,keyasint,omitempty"` // since when nobody is connected

	Classes   []classInfo `cbor:"16,keyasint,omitempty"` // of players, by id
	NextClass ClassID     `cbor:"17,keyasint,omitempty"`

	Final    *record.Final   `cbor:"18,keyasint,omitempty"`
	Linger   time.Duration   `cbor:"19,keyasint,omitempty"` // when a finished room may be closed
	Agreed   []room.PlayerID `cbor:"20,keyasint,omitempty"` // players who agreed to a rematch
	Rematch  json.RawMessage `cbor:"21,keyasint,omitempty"` // options of the agreed rematch
	Next     room.ID         `cbor:"22,keyasint,omitempty"` // the room of the rematch
	CloseWhy string          `cbor:"23,keyasint,omitempty"`

	Waits bool          `cbor:"30,keyasint,omitempty"` // the game decides when it begins
	Grace time.Duration `cbor:"31,keyasint,omitempty"` // set by Turn.Grace; 0 is Spec.Grace
	Empty time.Duration `cbor:"32,keyasint,omitempty"` // set by Turn.Empty; 0 is Spec.Empty
	Acted []acted       `cbor:"34,keyasint,omitempty"` // players who acted and have given up their seats, oldest first

	Reserved []Reservation `cbor:"37,keyasint,omitempty"` // oldest first; some may have run out

	FirstAct time.Duration `cbor:"35,keyasint,omitempty"` // when the first act was accepted; 0: none yet

	ActedOnce []room.PlayerID `cbor:"33,keyasint,omitempty"` // Acted as written by older programs that did not count

	Game []byte `cbor:"24,keyasint,omitempty"` // the game's snapshot, only in snapshots
	Sum  []byte `cbor:"26,keyasint,omitempty"` // SHA-256 of all other fields, only in snapshots
}

type seat struct {
	Player  room.PlayerID   `cbor:"1,keyasint,omitempty"` // empty: free
	Name    string          `cbor:"2,keyasint,omitempty"`
	Online  bool            `cbor:"3,keyasint,omitempty"`
	Client  record.ClientID `cbor:"4,keyasint,omitempty"` // the client that attached last
	Since   time.Duration   `cbor:"5,keyasint,omitempty"` // offline since
	Class   ClassID         `cbor:"6,keyasint,omitempty"`
	InClass room.Index      `cbor:"7,keyasint,omitempty"` // since when
	Acts    uint32          `cbor:"9,keyasint,omitempty"` // number of accepted actions
	Acted   bool            `cbor:"8,keyasint,omitempty"` // any action was accepted; written by older programs that did not count
}

// acted counts the accepted actions of a player in seats that the player has given up.
type acted struct {
	Player room.PlayerID `cbor:"1,keyasint"`
	Acts   uint32        `cbor:"2,keyasint"`
}

// convertActed converts the state of programs that only noted who acted: each of those players acted at least once.
func (s *state) convertActed() {
	for i := range s.Seats {
		if at := &s.Seats[i]; at.Acted {
			at.Acted, at.Acts = false, max(at.Acts, 1)
		}
	}
	for _, p := range s.ActedOnce {
		s.Acted = append(s.Acted, acted{p, 1})
	}
	s.ActedOnce = nil
}

// capActs limits the counts of actions to one. It makes a state comparable with one restored from a snapshot that did not
// count.
func (s *state) capActs() {
	for i := range s.Seats {
		s.Seats[i].Acts = min(s.Seats[i].Acts, 1)
	}
	for i := range s.Acted {
		s.Acted[i].Acts = min(s.Acted[i].Acts, 1)
	}
	s.FirstAct = 0
}

// classInfo is the part of a class that the log determines.
type classInfo struct {
	ID   ClassID    `cbor:"1,keyasint"`
	Key  string     `cbor:"2,keyasint"`
	Last room.Index `cbor:"3,keyasint"` // index of its last turn, or of its creation
}

// client is what the room remembers of one client of a player, whether it is connected or not.
type client struct {
	Player  room.PlayerID   `cbor:"1,keyasint"`
	Client  record.ClientID `cbor:"2,keyasint"`
	Attempt uint64          `cbor:"3,keyasint,omitempty"`
	CSeq    record.CSeq     `cbor:"4,keyasint,omitempty"`
	Used    room.Index      `cbor:"5,keyasint"`
	Answers []answer        `cbor:"6,keyasint,omitempty"` // the last KeptAnswers, oldest first
}

type answer struct {
	CSeq   record.CSeq `cbor:"1,keyasint"`
	Index  room.Index  `cbor:"2,keyasint"`
	Code   string      `cbor:"3,keyasint,omitempty"` // empty: an ack
	Reason string      `cbor:"4,keyasint,omitempty"`
}

// Limits of what a room remembers.
const (
	// KeptAnswers is how many answers a room keeps for each client. It also limits the unanswered acts of a client.
	KeptAnswers = 32
	// keptClients is how many clients a room remembers in addition to two for each seat.
	keptClients = 16
)

func (s *state) seatOf(p room.PlayerID) int {
	return slices.IndexFunc(s.Seats, func(x seat) bool { return x.Player == p && p != "" })
}

// failed reports whether the game has failed, so that the snapshot has no game. A snapshot that is empty but not nil is valid.
func (s *state) failed() bool {
	return s.Game == nil && s.Final != nil && s.Final.Failed()
}

func (s *state) anyOnline() bool {
	return slices.ContainsFunc(s.Seats, func(x seat) bool { return x.Online })
}

func (s *state) clientOf(p room.PlayerID, id record.ClientID) *client {
	for i := range s.Clients {
		if s.Clients[i].Player == p && s.Clients[i].Client == id {
			return &s.Clients[i]
		}
	}
	return nil
}

// ensureClient finds or makes the record of a client. If there are too many, it drops the longest unused one that holds
// no seat.
func (s *state) ensureClient(p room.PlayerID, id record.ClientID) *client {
	if r := s.clientOf(p, id); r != nil {
		return r
	}
	if len(s.Clients) >= 2*len(s.Seats)+keptClients {
		s.forgetOldest()
	}
	s.Clients = append(s.Clients, client{Player: p, Client: id})
	return &s.Clients[len(s.Clients)-1]
}

func (s *state) forgetOldest() {
	oldest := -1
	for i, r := range s.Clients {
		if at := s.seatOf(r.Player); at >= 0 && s.Seats[at].Client == r.Client {
			continue
		}
		if oldest < 0 || r.Used < s.Clients[oldest].Used {
			oldest = i
		}
	}
	if oldest >= 0 {
		s.Clients = slices.Delete(s.Clients, oldest, oldest+1)
	}
}

func (r *client) addAnswer(a answer) {
	if len(r.Answers) == KeptAnswers {
		r.Answers = slices.Delete(r.Answers, 0, 1)
	}
	r.Answers = append(r.Answers, a)
}

// epochStart returns the index of the entry that began the present epoch.
func (s *state) epochStart() room.Index {
	if n := len(s.Lineage); n > 0 {
		return s.Lineage[n-1].Seq + 1
	}
	return 1
}

// contains reports whether a resume point lies in the room's history.
func (s *state) contains(p record.Point) bool {
	if p.Epoch == s.Epoch {
		return p.Seq <= s.Index
	}
	i := slices.IndexFunc(s.Lineage, func(l record.Point) bool { return l.Epoch == p.Epoch })
	return i >= 0 && p.Seq <= s.Lineage[i].Seq
}
