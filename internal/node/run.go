package node

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
)

// Run joins the cluster, if there is one, and serves until ctx ends. It also stops, with an error, if the node can no longer
// serve. At the end it gives its rooms to the other nodes of the cluster, or keeps them for the next start, and closes
// everything. It must be called once.
func (n *Node) Run(ctx context.Context) error {
	defer n.metrics.Close()
	defer n.listeners.Close()
	defer n.close(context.WithoutCancel(ctx))
	defer context.AfterFunc(ctx, func() { n.fail(nil) })()
	if err := n.ready.write(n.cfg.ReadyFile); err != nil {
		return err
	}
	defer n.ready.remove(n.cfg.ReadyFile)
	n.startCouriers(ctx)
	serving, stopServing := context.WithCancel(context.WithoutCancel(ctx)) // lasts longer than life: a node still answers while it gives its rooms away
	defer stopServing()
	var wg sync.WaitGroup
	wg.Go(func() { n.join(n.life) })
	wg.Go(func() {
		<-n.life.Done()
		n.ready.remove(n.cfg.ReadyFile)
		n.drain(context.WithoutCancel(ctx))
		stopServing()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
		defer cancel()
		n.close(grace)
	})
	err := n.listeners.serve(serving, n)
	if err == nil {
		err = failure(n.life)
	}
	n.fail(err)
	wg.Wait()
	n.log.Info("stopped")
	return err
}

// failure returns the error that ended ctx, or nil if the node was told to stop.
func failure(ctx context.Context) error {
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// Handler serves everything for players: API, sockets, SDK and pages.
func (n *Node) Handler() http.Handler { return n.web.Load().Players }

// AdminHandler serves everything for the operator.
func (n *Node) AdminHandler() http.Handler { return n.web.Load().Admin }

// Addr returns the public listener's address, or nil if there is none.
func (n *Node) Addr() net.Addr { return addrOf(n.listeners.public) }

// AdminAddr returns the admin listener's address, or nil if there is none.
func (n *Node) AdminAddr() net.Addr { return addrOf(n.listeners.admin) }

func addrOf(l net.Listener) net.Addr {
	if l == nil {
		return nil
	}
	return l.Addr()
}
