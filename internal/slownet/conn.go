package slownet

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Listener accepts connections that are as slow as their networks.
type Listener struct {
	net.Listener
	usual atomic.Pointer[Network]
}

// Listen makes the connections of a listener slow. Set says how slow; at first they are not.
func Listen(l net.Listener) *Listener {
	s := &Listener{Listener: l}
	s.Set(Network{})
	return s
}

// Set says how slow the connections are that have no network of their own, from now on.
func (l *Listener) Set(n Network) { l.usual.Store(&n) }

// Usual is what Set has said.
func (l *Listener) Usual() Network { return *l.usual.Load() }

// Accept waits for the next connection.
func (l *Listener) Accept() (net.Conn, error) {
	far, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	near, inner := net.Pipe()
	c := &Conn{Conn: near, far: far, listener: l}
	go c.carry(inner, far)
	go c.carry(far, inner)
	return c, nil
}

// Conn is the server's end of a slow connection. Two goroutines connect it with the client's end until one of the two is closed.
type Conn struct {
	net.Conn // one end of a pipe
	far      net.Conn
	listener *Listener
	own      atomic.Pointer[func() (Network, bool)]
}

// Own gives the connection a network of its own, which network says, while it says true.
func (c *Conn) Own(network func() (Network, bool)) { c.own.Store(&network) }

// RemoteAddr is the client's address.
func (c *Conn) RemoteAddr() net.Addr { return c.far.RemoteAddr() }

// LocalAddr is the address that the client connected to.
func (c *Conn) LocalAddr() net.Addr { return c.far.LocalAddr() }

func (c *Conn) network() Network {
	if own := c.own.Load(); own != nil {
		if n, ok := (*own)(); ok {
			return n
		}
	}
	return c.listener.Usual()
}

// onTheWay bounds what one direction holds, in chunks. Behind it the sender waits, as behind a full TCP window.
const (
	onTheWay = 64
	chunk    = 4 << 10 // bytes
)

type parcel struct {
	data []byte
	due  time.Time
}

// carry takes bytes from one end to the other until either is closed. Then it closes both.
func (c *Conn) carry(from, to net.Conn) {
	parcels := make(chan parcel, onTheWay)
	var writer sync.WaitGroup
	writer.Go(func() {
		for p := range parcels {
			time.Sleep(time.Until(p.due))
			if _, err := to.Write(p.data); err != nil {
				_ = from.Close()
				for range parcels { // the reader ends at the next read
				}
			}
		}
		_ = to.Close()
	})
	var sent, due time.Time // when the last bytes have left the sender, and come
	buf := make([]byte, chunk)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			network := c.network()
			sent = later(sent, time.Now()).Add(network.sending(n))
			due = later(due, sent.Add(network.oneWay(n))) // TCP keeps the order
			parcels <- parcel{append([]byte(nil), buf[:n]...), due}
		}
		if err != nil {
			break
		}
	}
	close(parcels)
	writer.Wait()
	_ = from.Close()
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
