//go:build !race

package browser_test

import (
	"net"
	"sync"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
)

// weather is what a network between browser and server does to the bytes of its connections.
type weather int

const (
	clear     weather = iota
	blackHole         // nothing passes in either direction; bytes in flight wait
	oneWay            // bytes from the browser arrive, bytes from the server are lost
)

// proxy is the network between browsers and a server.
type proxy struct {
	URL string
	to  string // the server's address
	l   net.Listener

	mu      sync.Mutex
	changed *sync.Cond
	weather weather
	ended   bool
	conns   map[net.Conn]struct{}
	work    sync.WaitGroup
}

// newProxy listens on its own port.
func newProxy(t *testing.T, s *e2e.Server) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{URL: "http://" + l.Addr().String(), to: s.Listen, l: l, conns: map[net.Conn]struct{}{}}
	p.changed = sync.NewCond(&p.mu)
	p.work.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

func (p *proxy) accept() {
	for {
		c, err := p.l.Accept()
		if err != nil {
			return
		}
		p.work.Go(func() { p.serve(c) })
	}
}

func (p *proxy) serve(browser net.Conn) {
	defer browser.Close()
	if !p.wait() { // a black hole answers nothing
		return
	}
	server, err := net.Dial("tcp", p.to)
	if err != nil {
		return
	}
	defer server.Close()
	if !p.add(browser, server) {
		return
	}
	defer p.remove(browser, server)
	back := make(chan struct{})
	go func() {
		defer close(back)
		p.pass(browser, server, false)
	}()
	p.pass(server, browser, true)
	<-back
}

// pass copies one direction as the weather allows. It closes the connection when the direction ends.
func (p *proxy) pass(to, from net.Conn, up bool) {
	defer to.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if err != nil || !p.wait() {
			return
		}
		if !up && p.is(oneWay) {
			continue
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// wait waits until the black hole ends. It reports whether the proxy goes on.
func (p *proxy) wait() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.weather == blackHole && !p.ended {
		p.changed.Wait()
	}
	return !p.ended
}

func (p *proxy) is(w weather) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.weather == w
}

func (p *proxy) set(w weather) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.weather = w
	p.changed.Broadcast()
}

// reset breaks every connection, with a TCP RST.
func (p *proxy) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		_ = c.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
	}
}

func (p *proxy) add(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.conns[c] = struct{}{}
	}
	return !p.ended
}

func (p *proxy) remove(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		delete(p.conns, c)
	}
}

func (p *proxy) close() {
	p.mu.Lock()
	p.ended = true
	p.changed.Broadcast()
	p.mu.Unlock()
	p.l.Close()
	p.reset()
	p.work.Wait()
}
