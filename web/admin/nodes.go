package admin

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web/internal/body"
	"github.com/roomring/roomring/web/internal/rest"
	"github.com/roomring/roomring/web/internal/text"
)

func (a *handler) getNodes(w http.ResponseWriter, r *http.Request) error {
	nodes, err := a.opts.Cluster.Nodes(r.Context())
	if err != nil {
		return err
	}
	for i := range nodes {
		n := &nodes[i]
		n.Unready, n.Links, n.Started = body.NonNil(n.Unready), body.NonNil(n.Links), n.Started.UTC()
		for j := range n.Links {
			n.Links[j].Since = n.Links[j].Since.UTC()
		}
	}
	rest.WriteJSON(w, http.StatusOK, map[string]any{"self": a.opts.Cluster.Self(), "nodes": body.NonNil(nodes)})
	return nil
}

// ringBody is the ring, and where a room belongs or what a change would move if that was asked.
type ringBody struct {
	Ring
	Where *whereBody `json:"where,omitempty"`
	Moves *Moves     `json:"moves,omitempty"`
}

// whereBody is a Where. Its hashes are hexadecimal, since they do not fit into JSON's numbers.
type whereBody struct {
	ID    room.ID      `json:"id"`
	Hash  string       `json:"hash"`
	Point string       `json:"point"`
	Place float64      `json:"place"` // of the hash, as a fraction of the circle
	Nodes []string     `json:"nodes"`
	Node  string       `json:"node,omitempty"`
	Epoch record.Epoch `json:"epoch,omitempty"`
	Why   string       `json:"why"`
}

func (a *handler) getRing(w http.ResponseWriter, r *http.Request) error {
	q := rest.QueryOf(r)
	ring, err := a.opts.Cluster.Ring(r.Context())
	if err != nil {
		return err
	}
	ring.Nodes = body.NonNil(ring.Nodes)
	if !q.Flag("arcs") { // each node has hundreds
		ring.Arcs = nil
	}
	change := readChange(q, ring)
	id := readRoomID(q, "id")
	if q.Err != nil {
		return q.Err
	}
	out := ringBody{Ring: ring}
	if id != "" {
		where, err := a.opts.Cluster.Where(r.Context(), id)
		if err != nil {
			return err
		}
		out.Where = whereOf(id, where)
	}
	if len(change.Leave)+len(change.Join) > 0 {
		moves, err := a.opts.Cluster.WhatIf(r.Context(), change)
		if err != nil {
			return err
		}
		moves.Flows, moves.Nodes = body.NonNil(moves.Flows), body.NonNil(moves.Nodes)
		out.Moves = &moves
	}
	rest.WriteJSON(w, http.StatusOK, out)
	return nil
}

// readRoomID reads a parameter that is a room's id; absent it is "".
func readRoomID(q *rest.Query, name string) room.ID {
	raw := q.Text(name)
	if raw == "" {
		return ""
	}
	id, err := record.ParseID(raw)
	if err != nil {
		q.Fail(name, "That is no room's id: "+err.Error()+".")
	}
	return id
}

// Bounds of a change of the ring that is asked about.
const (
	maxChange = 64   // nodes
	maxWeight = 1000 // of one node
)

// readChange reads leave=NAME and join=NAME[:WEIGHT[:ZONE]], each any number of times, and checks that they fit the ring.
func readChange(q *rest.Query, ring Ring) (c RingChange) {
	leave, join := q.Values["leave"], q.Values["join"]
	if len(leave)+len(join) > maxChange {
		q.Fail("join", fmt.Sprintf("Ask about %d nodes at most.", maxChange))
		return c
	}
	on := func(name string) bool {
		return slices.ContainsFunc(ring.Nodes, func(n RingNode) bool { return n.Name == name })
	}
	for _, name := range leave {
		if !on(name) {
			q.Fail("leave", "There is no such node on the ring: GET /admin/v1/ring lists them.")
		}
		c.Leave = append(c.Leave, name)
	}
	for _, raw := range join {
		n := readJoining(q, raw)
		if on(n.Name) && !slices.Contains(c.Leave, n.Name) || slices.ContainsFunc(c.Join, func(o RingNode) bool { return o.Name == n.Name }) {
			q.Fail("join", "That node is on the ring: to ask about another weight of it, let it leave and join.")
		}
		c.Join = append(c.Join, n)
	}
	return c
}

// readJoining reads the value of a join.
func readJoining(q *rest.Query, raw string) RingNode {
	name, rest, _ := strings.Cut(raw, ":")
	weight, zone, _ := strings.Cut(rest, ":")
	n := RingNode{Name: name, Weight: 1, Zone: zone}
	if weight != "" {
		var err error
		if n.Weight, err = strconv.ParseFloat(weight, 64); err != nil || !(n.Weight > 0 && n.Weight <= maxWeight) {
			q.Fail("join", fmt.Sprintf("A weight is a number above 0 and at most %d: NAME:WEIGHT:ZONE.", maxWeight))
		}
	}
	if !text.Valid(name, 1, text.MaxName) || !text.Valid(zone, 0, text.MaxName) {
		q.Fail("join", "Give NAME, NAME:WEIGHT or NAME:WEIGHT:ZONE, with 1 to 64 bytes in a name.")
	}
	return n
}

func whereOf(id room.ID, at Where) *whereBody {
	return &whereBody{
		ID: id, Hash: fmt.Sprintf("%016x", at.Hash), Point: fmt.Sprintf("%016x", at.Point),
		Place: float64(at.Hash) / math.Exp2(64), Nodes: body.NonNil(at.Nodes), Node: at.Node, Epoch: at.Epoch, Why: why(at),
	}
}

// why explains in words why a node has a room, by the room's place on the ring.
func why(at Where) string {
	if len(at.Nodes) == 0 {
		return "No node is on the ring."
	}
	first := at.Nodes[0]
	switch i := slices.Index(at.Nodes, at.Node); {
	case at.Node == "":
		return "No node has this room. The first of the ring's points from its hash on is " + first + "'s: a room of this id is looked for there first."
	case i == 0:
		return "The first of the ring's points from its hash on is " + first + "'s, and the room is there."
	case i > 0:
		return fmt.Sprintf("The ring names %s, but the room is at %s, which is number %d in the order of asking. It moves when the ring has stood still for 10 s: see POST /admin/v1/rebalance.", first, at.Node, i+1)
	}
	return fmt.Sprintf("The ring names %s, but the room is at %s, which is not on the ring. It is found by asking all nodes.", first, at.Node)
}

func (a *handler) postDrain(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Node string `json:"node"`
	}
	if err := rest.ReadJSON(w, r, a.opts.MaxBody, &in); err != nil {
		return err
	}
	in.Node = cmp.Or(in.Node, a.opts.Cluster.Self())
	nodes, err := a.opts.Cluster.Nodes(r.Context())
	if err != nil {
		return err
	}
	i := slices.IndexFunc(nodes, func(n Node) bool { return n.Name == in.Node })
	if i < 0 {
		return rest.BadField("node", "There is no such node: GET /admin/v1/nodes lists them.")
	}
	err = a.opts.Cluster.Drain(r.Context(), in.Node)
	a.audit(r, err, "drain", slog.String("target", in.Node))
	if err != nil {
		return err
	}
	rest.WriteJSON(w, http.StatusAccepted, map[string]any{
		"node": in.Node, "rooms": nodes[i].Rooms, "sessions": nodes[i].Sessions,
		"will": "The node leaves the ring and takes no new rooms, keeps its rooms for whoever goes on with them, tells its clients to reconnect, and stops.",
	})
	return nil
}

func (a *handler) postForget(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Node string `json:"node"`
	}
	if err := rest.ReadJSON(w, r, a.opts.MaxBody, &in); err != nil {
		return err
	}
	if !text.Valid(in.Node, 1, text.MaxName) {
		return rest.BadField("node", "Name the node that will never come back.")
	}
	gone, err := a.opts.Cluster.Forget(r.Context(), in.Node)
	a.audit(r, err, "forget", slog.String("target", in.Node), slog.Int("rooms", gone.Rooms))
	if lives, ok := errors.AsType[*NodeLivesError](err); ok {
		return rest.NewProblem(http.StatusConflict, "node-lives", lives.Reason)
	}
	if errors.Is(err, actor.ErrNotFound) {
		return rest.BadField("node", "The store knows no node of that name.")
	}
	if err != nil {
		return err
	}
	rest.WriteJSON(w, http.StatusOK, struct {
		Node string `json:"node"`
		Forgotten
	}{in.Node, gone})
	return nil
}

// getDev answers that there are no processes to control: this is not roomring dev, which answers here itself.
func getDev(w http.ResponseWriter, _ *http.Request) error {
	rest.WriteJSON(w, http.StatusOK, []struct{}{})
	return nil
}
