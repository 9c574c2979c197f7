package ledger

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/room/record"
)

// Droppable are the kinds that are deleted when the outbox is full, first ones first.
var Droppable = []record.EventKind{record.PlayerJoined, record.RoomCreated}

// EventRow is one new row of the outbox.
type EventRow struct {
	Event, Target, Kind, Room string
	Player                    string // of PlayerJoined, so that a player can be forgotten
	Data                      string // the event as JSON
}

// EventRows returns the rows of events for the targets that want them, in the order in which all writers write them.
func EventRows(subscribers []persist.Subscriber, events []record.Event) []EventRow {
	var rows []EventRow
	for _, e := range events {
		if !persist.Wants(subscribers, e.Kind) {
			continue
		}
		row := EventRow{Event: e.ID, Kind: string(e.Kind), Room: string(e.Room), Data: encodeEvent(e)}
		if e.Player != nil {
			row.Player = plain(string(e.Player.ID))
		}
		for _, s := range subscribers {
			if slices.Contains(s.Kinds, e.Kind) {
				row.Target = s.Target
				rows = append(rows, row)
			}
		}
	}
	slices.SortFunc(rows, func(a, b EventRow) int { return cmp.Or(cmp.Compare(a.Event, b.Event), cmp.Compare(a.Target, b.Target)) })
	return slices.CompactFunc(rows, func(a, b EventRow) bool { return a.Event == b.Event && a.Target == b.Target })
}

// encodeEvent is an event as JSON that any store can hold. The result's data is left out if it is none.
func encodeEvent(e record.Event) string {
	text, err := json.Marshal(e)
	if err != nil {
		bare := *e.Result
		bare.Data, e.Result = nil, &bare
		text, _ = json.Marshal(e) // nothing else in it can fail
	}
	return plain(string(text))
}

// plain is text that any store can hold.
func plain(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// told are the events that are written with results.
func told(finals []record.Final) (all []record.Event) {
	for _, f := range finals {
		all = append(append(all, f.Events...), f.Told()...)
	}
	return all
}

// ScanDelivery reads number, target, kind, data, made, state, tries, how long it has waited in microseconds, due, settled and error.
func ScanDelivery(row Scanner) (d record.Delivery, err error) {
	var kind, data string
	var waited int64
	err = row.Scan(&d.Number, &d.Target, &kind, &data, instant{&d.Event.At}, &d.State, &d.Tries, &waited, instant{&d.Due}, instant{&d.Settled}, &d.Error)
	if err != nil {
		return d, err
	}
	d.Waited = time.Duration(waited) * time.Microsecond
	err = json.Unmarshal([]byte(data), &d.Event)
	d.Event.Kind = record.EventKind(kind)
	return d, err
}

// ScanOutboxStat reads target, state, count and the age of the oldest in microseconds.
func ScanOutboxStat(row Scanner) (s record.OutboxStat, err error) {
	var oldest int64
	err = row.Scan(&s.Target, &s.State, &s.Count, &oldest)
	s.Oldest = max(time.Duration(oldest)*time.Microsecond, 0)
	return s, err
}
