package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
)

// roomAnswer is a room in a list.
type roomAnswer struct {
	ID         string
	Game       string
	Name       string
	Private    bool
	Code       string
	Phase      string
	Players    int
	MaxPlayers int `json:"max_players"`
	Spectators int
	Epoch, Seq uint64
	Node       string
	Standby    string
	Created    time.Time
	Seats      []core.SeatInfo
}

type roomsAnswer struct {
	Rooms   []roomAnswer
	Next    string
	Partial bool
}

func (c *adminClient) roomsCommand() *cobra.Command {
	var game, phase, node, search, after string
	var open, private, all, aside bool
	limit := 100
	cmd := &cobra.Command{
		Use: "rooms", Short: "List rooms, a page or all of them", Args: usageArgs(cobra.NoArgs),
		RunE: c.run(func(ctx context.Context, _ []string) error {
			if aside {
				return c.listSetAside(ctx)
			}
			q := url.Values{"limit": {strconv.Itoa(limit)}}
			for name, value := range map[string]string{"game": game, "phase": phase, "node": node, "search": search, "after": after} {
				if value != "" {
					q.Set(name, value)
				}
			}
			for name, value := range map[string]bool{"open": open, "private": private} {
				if value {
					q.Set(name, "true")
				}
			}
			return c.listRooms(ctx, q, all)
		}),
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&game, "game", "", "only rooms of this `game`")
	f.StringVar(&phase, "phase", "", "only rooms in this `phase`: waiting, playing or over")
	f.StringVar(&node, "node", "", "only rooms of this `node`")
	f.StringVar(&search, "search", "", "only rooms whose id begins with this `text`, or whose name or players contain it")
	f.BoolVar(&open, "open", false, "only rooms that take new players")
	f.BoolVar(&private, "private", false, "only private rooms")
	f.BoolVar(&aside, "set-aside", false, "list rooms that were set aside, instead of those that are served")
	f.BoolVar(&all, "all", false, "all pages")
	f.StringVar(&after, "after", "", "the page after this `room`")
	f.IntVar(&limit, "limit", limit, "`rooms` on a page, at most 1000")
	return cmd
}

func (c *adminClient) listRooms(ctx context.Context, q url.Values, all bool) error {
	var t table
	if c.output == "table" {
		t = newTable(c.out, "ROOM", "GAME", "PHASE", "PLAYERS", "WATCHING", "EPOCH", "INDEX", "NODE", "STANDBY", "AGE", "CODE", "NAME")
	}
	for {
		var next string
		err := c.page(ctx, q, func(a roomsAnswer) error {
			next = a.Next
			if c.output == "json" {
				return nil
			}
			for _, r := range a.Rooms {
				t.row(r.ID, r.Game, r.Phase, fmt.Sprintf("%d/%d", r.Players, r.MaxPlayers), r.Spectators, r.Epoch, r.Seq, r.Node, r.Standby, age(r.Created), r.Code, r.Name)
			}
			switch {
			case a.Partial:
				_, _ = fmt.Fprintln(t, "(a node did not answer in time: rooms may be missing)")
			case next != "" && !all:
				_, _ = fmt.Fprintf(t, "(there is more: --after %s, or --all)\n", printable(next))
			}
			return t.Flush()
		})
		if err != nil || next == "" || !all {
			return err
		}
		q.Set("after", next)
	}
}

// page asks for one page of rooms and passes it to f. JSON output is one line for each page.
func (c *adminClient) page(ctx context.Context, q url.Values, f func(roomsAnswer) error) error {
	data, err := c.ask(ctx, http.MethodGet, "/admin/v1/rooms?"+q.Encode(), nil)
	if err != nil {
		return err
	}
	if c.output == "json" {
		if err := c.printJSON(data); err != nil {
			return err
		}
	}
	var a roomsAnswer
	if err := json.Unmarshal(data, &a); err != nil {
		return c.unexpected(err)
	}
	return f(a)
}

// inspectionAnswer is the shown part of the answer of GET /admin/v1/rooms/{id}.
type inspectionAnswer struct {
	roomAnswer
	Durability    string
	Members       *membersAnswer
	Index, Commit uint64
	Time          int64  `json:"time_ms"`
	Deadline      *int64 `json:"deadline_ms"`
	Still         string
	LateTicks     uint64 `json:"late_ticks"`
	Stored        bool
	Queues        struct {
		Mailbox, Pending, Held int
		Sessions               []actor.SessionInfo
	}
	Recent []struct {
		Index, CSeq uint64
		Kind        string
		At          int64 `json:"at_ms"`
		Player      string
		Bytes       int
	}
	As          string
	State       json.RawMessage
	Unavailable string
	Panic       *actor.PanicInfo
}

func (c *adminClient) roomCommand() *cobra.Command {
	as := "whole"
	cmd := &cobra.Command{
		Use: "room ROOM", Short: "Show one room in full", Args: usageArgs(cobra.ExactArgs(1)), ValidArgsFunction: c.completeRooms,
		RunE: c.run(func(ctx context.Context, args []string) error {
			q := url.Values{"as": {as}}
			if player, ok := strings.CutPrefix(as, "player:"); ok {
				q = url.Values{"as": {"player"}, "player": {player}}
			}
			path, err := roomPath(args[0], "?"+q.Encode())
			if err != nil {
				return err
			}
			return askAndShow(ctx, c, http.MethodGet, path, nil, c.showRoom)
		}),
	}
	cmd.Flags().StringVar(&as, "as", as, "through whose `eyes` the state is shown: whole, spectator or player:ID")
	return cmd
}

func (c *adminClient) showRoom(r inspectionAnswer) error {
	t := newTable(c.out, "ROOM", r.ID)
	row := func(name string, value any) { t.row(name, value) }
	row("game", r.Game)
	row("name", r.Name)
	row("phase", r.Phase)
	row("owner", r.Node)
	r.Members.rows(row)
	row("epoch", r.Epoch)
	row("index", fmt.Sprintf("%d stepped, %d committed", r.Index, r.Commit))
	row("room time", time.Duration(r.Time)*time.Millisecond)
	if r.Deadline != nil {
		row("due next", time.Duration(*r.Deadline)*time.Millisecond)
	}
	row("durability", r.Durability)
	row("code", r.Code)
	row("age", age(r.Created))
	row("stands still", r.Still)
	row("queues", fmt.Sprintf("mailbox %d, to the journal %d, held for commit %d", r.Queues.Mailbox, r.Queues.Pending, r.Queues.Held))
	row("ticks left out", r.LateTicks)
	if err := t.Flush(); err != nil {
		return err
	}
	if err := c.showSeats(r); err != nil {
		return err
	}
	return c.showState(r)
}

func (c *adminClient) showSeats(r inspectionAnswer) error {
	_, _ = fmt.Fprintln(c.out)
	t := newTable(c.out, "SEAT", "PLAYER", "NAME", "ONLINE")
	for _, s := range r.Seats {
		t.row(s.Seat, s.Player, s.Name, s.Online)
	}
	_, _ = fmt.Fprintln(t)
	if len(r.Queues.Sessions) > 0 {
		t.row("SESSION", "EDGE", "CLIENT", "CSEQ", "QUEUED", "BYTES", "LOST", "UNANSWERED", "BEHIND")
	}
	for _, s := range r.Queues.Sessions {
		who := string(s.Player)
		if s.Spectator {
			who = "(spectator)"
		}
		t.row(who, s.Edge, s.Client, s.CSeq, s.Queue.Messages, s.Queue.Bytes, s.Queue.Lost, s.Queue.Unanswered, s.Queue.Behind)
	}
	return t.Flush()
}

func (c *adminClient) showState(r inspectionAnswer) error {
	_, _ = fmt.Fprintln(c.out)
	t := newTable(c.out, "INDEX", "KIND", "PLAYER", "CSEQ", "AT", "BYTES")
	for _, i := range r.Recent {
		t.row(i.Index, i.Kind, i.Player, i.CSeq, time.Duration(i.At)*time.Millisecond, i.Bytes)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if r.Panic != nil {
		return c.showPanic(r.Panic)
	}
	if r.Unavailable != "" {
		_, err := fmt.Fprintf(c.out, "\nno state: %s\n", printable(r.Unavailable))
		return err
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, r.State, "", "  "); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.out, "\nstate (%s)\n%s\n", printable(r.As), printableJSON(pretty.String()))
	return err
}

// showPanic prints what a game panicked with, and where. The stack keeps its lines, because the server wrote them. Each text
// that players or the game chose is printed on one line.
func (c *adminClient) showPanic(p *actor.PanicInfo) error {
	of := "while the room was opened"
	if p.Index > 0 {
		of = fmt.Sprintf("at input %d (%s)", p.Index, p.Kind)
	}
	_, _ = fmt.Fprintf(c.out, "\nthe game panicked in %s %s\n  %s\n", printable(p.Call), printable(of), printable(p.Value))
	for line := range strings.Lines(p.Stack) {
		_, _ = fmt.Fprintln(c.out, "  "+printable(strings.ReplaceAll(strings.TrimRight(line, "\n"), "\t", "    ")))
	}
	_, err := fmt.Fprintf(c.out, "\nroomring replay %s runs the game again up to there\n", printable(string(p.Room)))
	return err
}

// eventAnswer is one event of a stream.
type eventAnswer struct {
	Index, Commit uint64
	Kind          string
	At            int64 `json:"at_ms"`
	Player        string
	CSeq          uint64
	Bytes         int
	Data, Code    string
	Missed        uint64
	End           string
}

func (c *adminClient) eventsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "events ROOM", Short: "Follow what happens in a room until it ends or moves", Args: usageArgs(cobra.ExactArgs(1)), ValidArgsFunction: c.completeRooms,
		RunE: c.run(func(ctx context.Context, args []string) error {
			path, err := roomPath(args[0], "/events")
			if err != nil {
				return err
			}
			ctx, stop := untilSignal(ctx)
			defer stop()
			res, err := c.send(ctx, http.MethodGet, path, nil)
			if err == nil {
				defer func() { _ = res.Body.Close() }()
				err = c.follow(res.Body)
			}
			if ctx.Err() != nil {
				return nil // the operator interrupted
			}
			return err
		}),
	}
}

// follow prints each event of a stream on a line.
func (c *adminClient) follow(stream io.Reader) error {
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, 1<<20)
	var kind string
	for lines.Scan() {
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			kind = name
		}
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		if err := c.showEvent(kind, data); err != nil {
			return err
		}
		if kind == string(actor.EventOver) || kind == string(actor.EventMoved) {
			return nil
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("the stream broke off: %w", err)
	}
	return errors.New("the stream broke off: ask again to go on")
}

func (c *adminClient) showEvent(kind, data string) error {
	if c.output == "json" {
		return c.printJSON(fmt.Appendf(nil, "{\"type\":%q,%s", kind, strings.TrimPrefix(data, "{")))
	}
	var e eventAnswer
	if err := json.Unmarshal([]byte(data), &e); err != nil {
		return c.unexpected(err)
	}
	line := fmt.Sprintf("%8d  %-10s commit %d", e.Index, kind, e.Commit)
	switch actor.EventType(kind) {
	case actor.EventInput:
		line = fmt.Sprintf("%8d  %-10s commit %d  at %v  %s cseq %d, %d bytes %s", e.Index, e.Kind, e.Commit, time.Duration(e.At)*time.Millisecond, e.Player, e.CSeq, e.Bytes, e.Data)
		if e.Code != "" {
			line += "  refused: " + e.Code
		}
	case actor.EventMissed:
		line = fmt.Sprintf("%8s  %d events are left out: this reader was too slow", "…", e.Missed)
	case actor.EventOver:
		line = fmt.Sprintf("%8d  over (%s)", e.Index, e.End)
	case actor.EventMoved:
		line = fmt.Sprintf("%8d  moved: ask again to go on", e.Index)
	}
	_, err := fmt.Fprintln(c.out, printable(line))
	return err
}
