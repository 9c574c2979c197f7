package timeline

import (
	"context"
	"errors"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// Page is a part of a room's log.
type Page struct {
	Header      record.Header // without join code
	First, Last room.Index    // of the whole log; First is not 1 if the log was cut, or one that begins with an upgrade
	Final       record.Final  // zero while the room lives
	Entries     []core.Entry
	Seats       []int         // of the entries' players; -1: none
	Events      [][]core.Told // of the entries' turns, if they were wanted
}

// Entries returns at most limit entries after an index. It runs nothing, unless events are wanted: then it runs the log up to the
// last of the entries.
func (t *Timelines) Entries(ctx context.Context, id room.ID, after room.Index, limit int, events bool) (Page, error) {
	p, release, err := t.hold(ctx, id, 0)
	if err != nil {
		return Page{}, err
	}
	defer release()
	page := Page{Header: p.rec.Header, First: p.rec.First(), Last: p.rec.Last().Seq, Final: p.rec.Final}
	if limit < 1 {
		return page, nil
	}
	for e, err := range p.rec.Entries(after) {
		if err != nil {
			return page, err
		}
		page.Seats = append(page.Seats, p.rec.Seat(e.Player, e.Index))
		if page.Entries = append(page.Entries, e); len(page.Entries) == limit {
			break
		}
	}
	if events {
		page.Events, err = t.events(ctx, p, page.Entries)
	}
	return page, err
}

// events runs the log over some entries and returns what each of them told.
func (t *Timelines) events(ctx context.Context, p *tape, entries []core.Entry) (all [][]core.Told, err error) {
	if err := t.prepare(p); err != nil {
		return nil, err
	}
	done, err := t.begin(ctx, p)
	if err != nil {
		return nil, err
	}
	defer done()
	stop := t.budget(ctx)
	for _, e := range entries {
		c, err := p.seeker.Seek(e.Index, stop)
		if _, before := errors.AsType[*core.BeforeError](err); before {
			all = append(all, nil) // other rules have played it
			continue
		}
		if err != nil {
			return nil, shown(err, p, e.Index)
		}
		all = append(all, c.Told())
	}
	return all, nil
}

// Replay returns the whole log, as far as it is committed, as a replay. It holds the seed and every hidden fact. Checked has it hold the
// checksums of all views behind each input, see core.Recording.Checked, if the log can be run within the budget.
func (t *Timelines) Replay(ctx context.Context, id room.ID, checked bool) (record.Parts, error) {
	p, release, err := t.hold(ctx, id, 0)
	if err != nil {
		return nil, err
	}
	defer release()
	if checked && t.prepare(p) == nil {
		done, err := t.begin(ctx, p)
		if err != nil {
			return nil, err
		}
		defer done()
		rules, _ := t.o.Games.Lookup(p.rec.Header.Game) // prepare has found them
		if replay, err := p.rec.Checked(rules, t.budget(ctx)); err == nil {
			return replay, nil
		}
	}
	return p.rec.Replay()
}

// Fork returns the log of a room up to an index, as that of a room with the header that rename makes of the room's own.
func (t *Timelines) Fork(ctx context.Context, id room.ID, index room.Index, rename func(record.Header) (record.Header, error)) (record.Kept, error) {
	p, release, err := t.hold(ctx, id, index)
	if err != nil {
		return record.Kept{}, err
	}
	defer release()
	if err := p.check(index); err != nil {
		return record.Kept{}, err
	}
	h, err := rename(p.rec.Header)
	if err != nil {
		return record.Kept{}, err
	}
	return p.rec.Fork(h, index)
}
