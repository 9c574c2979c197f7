package node

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
)

// Run takes the node into its cluster, if it has one, and serves until ctx ends, or until the node may serve no longer,
// which is an error. Then it gives its rooms to the other nodes of its cluster, or keeps them for its next start, and closes
// everything. It is called once.
func (n *Node) Run(ctx context.Context) error {
	defer n.metrics.Close()
	defer n.ends.Close()
	defer n.close(context.WithoutCancel(ctx))
	defer context.AfterFunc(ctx, func() { n.fail(nil) })()
	if err := n.at.write(n.cfg.ReadyFile); err != nil {
		return err
	}
	defer n.at.remove(n.cfg.ReadyFile)
	answering, quiet := context.WithCancel(context.WithoutCancel(ctx)) // longer than life: a node that gives its rooms away still answers
	defer quiet()
	var wg sync.WaitGroup
	wg.Go(func() { n.join(n.life) })
	wg.Go(func() {
		<-n.life.Done()
		n.at.remove(n.cfg.ReadyFile)
		n.drain(context.WithoutCancel(ctx))
		quiet()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
		defer cancel()
		n.close(grace)
	})
	err := n.ends.serve(answering, n)
	if err == nil {
		err = failure(n.life)
	}
	n.fail(err)
	wg.Wait()
	n.log.Info("stopped")
	return err
}

// failure is why a node that was not told to stop does so all the same.
func failure(ctx context.Context) error {
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// Handler is everything that players reach: API, sockets, SDK and pages.
func (n *Node) Handler() http.Handler { return n.web.Load().Players }

// AdminHandler is everything that the operator reaches.
func (n *Node) AdminHandler() http.Handler { return n.web.Load().Admin }

// Addr is the public listener's address; nil: there is none.
func (n *Node) Addr() net.Addr { return addrOf(n.ends.public) }

// AdminAddr is the admin listener's address; nil: there is none.
func (n *Node) AdminAddr() net.Addr { return addrOf(n.ends.admin) }

func addrOf(l net.Listener) net.Addr {
	if l == nil {
		return nil
	}
	return l.Addr()
}
