package nodes

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/members"
	"github.com/roomring/roomring/cluster/rpc"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/record"
)

// Questions about nodes.
const (
	nodeInfo  rpc.Method[rpc.None, Info]     = "node.info"
	nodeDrain rpc.Method[rpc.None, rpc.None] = "node.drain"
)

// Info is one node as it describes itself. It travels as JSON.
type Info struct {
	Name     string         `json:"name"`
	Boot     string         `json:"boot"`
	State    string         `json:"state"` // joining, active, draining; or silent: the store holds it to be alive and nobody hears it
	Zone     string         `json:"zone,omitempty"`
	Weight   float64        `json:"weight"`
	Version  string         `json:"version"`
	Started  time.Time      `json:"started"`
	Games    []string       `json:"games,omitempty"` // each with its version, as "chess 1"; an older node does not say
	Rooms    int            `json:"rooms"`
	Sessions int            `json:"sessions"` // sockets open at this node
	Remote   int            `json:"remote"`   // of them, those in rooms elsewhere
	Unready  []string       `json:"unready"`
	Copies   record.Copies  `json:"copies"`
	Taken    []record.Taken `json:"taken,omitempty"`  // by the nodes that had the rooms; an older node does not say
	Held     []actor.Held   `json:"held,omitempty"`   // rooms that it keeps and cannot run; some of them where there are many
	Link     string         `json:"link,omitempty"`   // address that other nodes dial
	Gossip   string         `json:"gossip,omitempty"` // address that it gossips at
	Links    []link.State   `json:"links"`
	Gossips  members.Stats  `json:"gossip_stats"`
}

// describe is this node as Options.Describe has it, with what this package knows better.
func (n *Nodes) describe() Info {
	out := n.o.Describe()
	out.fill(n.o.Table.Self())
	out.Unready = append(out.Unready, n.Unready()...)
	out.Links = n.o.Links.States()
	out.Gossips = n.o.Table.Stats()
	return out
}

// fill takes over what gossip tells of the node.
func (i *Info) fill(m members.Member) {
	i.Name, i.Boot, i.State = m.Name, string(m.Boot), stateName(m.State)
	i.Zone, i.Weight, i.Link, i.Gossip = m.Zone, m.Weight, m.Link, m.Gossip
	if i.Weight == 0 {
		i.Weight = 1
	}
}

func stateName(s members.State) string {
	switch s {
	case members.Active:
		return "active"
	case members.Draining:
		return "draining"
	}
	return "joining"
}

// Infos describe all nodes that are heard of or that the store holds to be alive, by name. Of a node that does not answer in time
// there is what gossip tells, and Unready says so. The error is ctx's.
func (n *Nodes) Infos(ctx context.Context) ([]Info, error) {
	var out []Info
	silent := rpc.Scatter(ctx, n.o.Calls, n.All(), nodeInfo, rpc.None{}, n.o.Gather, func(name string, i Info, err error) rpc.Next {
		if err != nil {
			i = n.told(name, "the node could not say how it does: "+err.Error())
		} else if _, ok := n.o.Table.Get(name); !ok {
			i.Unready = append(i.Unready, "gossip does not reach the node; the link to it stands")
		}
		out = append(out, i)
		return rpc.Continue
	})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	for _, name := range silent {
		out = append(out, n.told(name, "the node does not answer"))
	}
	for _, l := range n.o.Links.States() {
		if l.Unfit {
			out = append(out, n.told(l.Node, l.Err))
		}
	}
	for _, b := range n.Unheard(ctx) {
		if slices.ContainsFunc(out, func(i Info) bool { return i.Boot == string(b.ID) }) {
			continue
		}
		out = append(out, Info{
			Name: b.Node, Boot: string(b.ID), State: "silent",
			Unready: []string{"the store holds the node on " + b.Host + " to be alive, and nobody hears it"},
		})
	}
	slices.SortFunc(out, func(a, b Info) int { return strings.Compare(a.Name+" "+a.Boot, b.Name+" "+b.Boot) })
	return out, nil
}

// told is what gossip tells of a node that does not say itself how it does.
func (n *Nodes) told(name, unready string) Info {
	i := Info{Name: name, State: "silent", Unready: []string{unready}}
	if m, ok := n.o.Table.Get(name); ok {
		i.fill(m)
	}
	return i
}

// DrainNode has a node give its rooms away and stop, and returns when the node knows. Errors: actor.ErrNotFound when there is no such
// node, and those of rpc.Ask.
func (n *Nodes) DrainNode(ctx context.Context, name string) error {
	if name != n.o.Name && !n.Hears(name) {
		return actor.ErrNotFound
	}
	_, err := rpc.Ask(ctx, n.o.Calls, name, nodeDrain, rpc.None{})
	return err
}

// States are how many nodes this one knows of, itself included, by the name of their state. Every state is named.
func (n *Nodes) States() map[string]int {
	count := map[string]int{}
	for _, s := range []members.State{members.Joining, members.Active, members.Draining} {
		count[stateName(s)] = 0
	}
	for _, m := range n.o.Table.All() {
		count[stateName(m.State)]++
	}
	return count
}
