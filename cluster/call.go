package cluster

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
)

// method is a question that nodes ask each other. Question and answer travel as JSON.
type method[In, Out any] string

// none is the answer to what only has to be done.
type none struct{}

// serve answers a method's questions, those that this node asks itself as well.
func serve[In, Out any](c *Cluster, m method[In, Out], f func(ctx context.Context, in In) (Out, error)) {
	serveFrom(c, m, func(ctx context.Context, _ link.Peer, in In) (Out, error) { return f(ctx, in) })
}

// serveAct serves what an operator does. The node that the operator asked has it in its log; so has the one where it is
// done, if that is another.
func serveAct[In any](c *Cluster, m method[In, none], action string, about func(In) []any, f func(ctx context.Context, in In) error) {
	serveFrom(c, m, func(ctx context.Context, from link.Peer, in In) (none, error) {
		err := f(ctx, in)
		if from.Node != "" && !errors.Is(err, actor.ErrNotFound) { // else it is looked for elsewhere
			what := append([]any{"action", action}, about(in)...)
			c.log.Info("admin action", append(what, "node", c.self, "by", "the operator at node "+from.Node, "outcome", cmp.Or(errorText(err), "done"))...)
		}
		return none{}, err
	})
}

// serveFrom tells f which node asks; the zero Peer is this one.
func serveFrom[In, Out any](c *Cluster, m method[In, Out], f func(ctx context.Context, from link.Peer, in In) (Out, error)) {
	c.local[string(m)] = func(ctx context.Context, in In) (Out, error) { return f(ctx, link.Peer{}, in) }
	c.calls.Handle(string(m), func(ctx context.Context, from link.Peer, body []byte) ([]byte, error) {
		var in In
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, fmt.Errorf("the question %s: %w", m, err)
		}
		out, err := f(ctx, from, in)
		if err != nil {
			return nil, err
		}
		return json.Marshal(out)
	})
}

// callError says that a node did not answer: what was asked may have been done or not. It is an ErrUnreachable.
type callError struct {
	node string
	err  error
}

func (e *callError) Error() string { return fmt.Sprintf("node %s does not answer: %v", e.node, e.err) }

func (e *callError) Unwrap() error { return e.err }

// Is makes errors.Is(err, actor.ErrUnreachable) true.
func (e *callError) Is(target error) bool { return target == actor.ErrUnreachable }

// ask asks a node, another one for Options.Forward at most; it may be this one. The error is the node's own, a
// *callError, or ctx's.
func ask[In, Out any](ctx context.Context, c *Cluster, node string, m method[In, Out], in In) (Out, error) {
	if node == c.self {
		return c.local[string(m)].(func(context.Context, In) (Out, error))(ctx, in)
	}
	var out Out
	body, err := json.Marshal(in)
	if err != nil {
		return out, err
	}
	limited, cancel := clock.WithTimeout(ctx, c.o.Clock, c.o.Forward)
	defer cancel()
	answer, err := c.links.Call(limited, node, string(m), body)
	if remote, ok := errors.AsType[*link.RemoteError](err); ok {
		err = decodeError(remote.Body)
		if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
			return out, err
		}
	}
	if err == nil {
		err = json.Unmarshal(answer, &out)
	}
	switch {
	case err == nil:
		return out, nil
	case ctx.Err() != nil:
		return out, ctx.Err()
	}
	return out, &callError{node, err}
}

// patience is what becomes of the others when one of many has answered.
type patience int

const (
	goOn   patience = iota // they are waited for
	hurry                  // they have a tenth of the time that they had in all
	enough                 // they are not waited for
)

// scatter asks many nodes at once, hands over what they answer one by one, and waits so long for them at most. It
// returns those that did not answer.
func scatter[In, Out any](ctx context.Context, c *Cluster, nodes []string, m method[In, Out], in In, wait time.Duration, each func(node string, out Out, err error) patience) (silent []string) {
	type answer struct {
		node string
		out  Out
		err  error
	}
	ctx, cancel := clock.WithTimeout(ctx, c.o.Clock, wait)
	answers := make(chan answer, len(nodes))
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	for _, node := range nodes {
		wg.Go(func() {
			out, err := ask(ctx, c, node, m, in)
			answers <- answer{node, out, err}
		})
	}
	silent = slices.Clone(nodes)
	late := ctx.Done()
	for range nodes {
		select {
		case a := <-answers:
			if unanswered(a.err) {
				continue
			}
			silent = slices.DeleteFunc(silent, func(n string) bool { return n == a.node })
			switch each(a.node, a.out, a.err) {
			case hurry:
				defer c.o.Clock.AfterFunc(wait/10, cancel).Stop()
			case enough:
				return silent
			}
		case <-late:
			return silent
		}
	}
	return silent
}

// unanswered reports whether an error says nothing about what was asked.
func unanswered(err error) bool {
	_, failed := errors.AsType[*callError](err)
	return failed || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// me is this process.
func (c *Cluster) me() link.Peer { return link.Peer{Node: c.self, Boot: c.members.Self().Boot} }

// heard are the processes of all other nodes that gossip tells of or a link stands to: gossip takes a node that is slow
// for dead, and the link knows better. One that cannot be in a cluster with this node does not count: see misfit.
func (c *Cluster) heard() []link.Peer {
	var out []link.Peer
	links := c.links.States()
	for _, m := range c.members.All() {
		p := link.Peer{Node: m.Name, Boot: m.Boot}
		if m.Name != c.self && !slices.ContainsFunc(links, func(s link.State) bool { return s.Unfit && s.Peer == p }) {
			out = append(out, p)
		}
	}
	for _, s := range links {
		if s.Up && !slices.ContainsFunc(out, func(p link.Peer) bool { return p.Node == s.Node }) {
			out = append(out, s.Peer)
		}
	}
	return out
}

// hears reports whether another node is heard of.
func (c *Cluster) hears(node string) bool {
	return slices.ContainsFunc(c.heard(), func(p link.Peer) bool { return p.Node == node })
}

// others are the names of all other nodes that are heard of.
func (c *Cluster) others() []string {
	var out []string
	for _, p := range c.heard() {
		out = append(out, p.Node)
	}
	return out
}
