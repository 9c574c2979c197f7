package main

// One epoll loop on one thread: paced sends, raw reads, frame parsing, statistics.

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"math/rand"
	"net"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// Adapter speaks one server's real wire protocol. To add a server, implement these four.
type Adapter interface {
	// Connect joins player to room (kind is fixed at construction). Blocking; called concurrently.
	Connect(room, player int) (*hs, any, error)
	// AppendAction appends the complete masked frame(s) that carry a 64-byte action.
	AppendAction(c *Conn, dst, payload []byte) []byte
	// AppendMove appends the complete masked frame(s) that carry a 12-byte arena input.
	AppendMove(c *Conn, dst, move []byte) []byte
	// OnFrame decodes one server frame, calling e.Action for every delivered action
	// (payload as sent, 64 bytes) and e.Tick once per state update.
	OnFrame(e *Engine, c *Conn, op byte, p []byte)
}

type Conn struct {
	fd, room, player int
	rest             []byte
	wq               []byte
	st               any // adapter's own
	lastTick         int64
	seq              uint32
	dead             bool
}

const payloadLen = 64

type Engine struct {
	ad     Adapter
	ep     int
	byFd   []*Conn
	conns  []*Conn // in join order, room-major
	rbuf   []byte
	wbuf   []byte
	events []syscall.EpollEvent
	t0     time.Time
	now    int64

	// statistics of the measured window
	lat, iat, jit      *Hist
	sent, deliv, ticks int64
	rxBytes, txBytes   int64
	bad, closed        int64
	why                map[string]int // close codes and reasons
	lateMax            int64
	onAction           func(c *Conn, p []byte) // extra hook (turn ping-pong)
	idle               int64                   // ns spent in empty polls
	spin               bool                    // poll without sleeping: the server's writes then need no cross-core wake-up
	live               int64
}

func newEngine(ad Adapter) *Engine {
	ep, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		panic(err)
	}
	return &Engine{ad: ad, ep: ep, byFd: make([]*Conn, 1<<18), rbuf: make([]byte, 256<<10),
		events: make([]syscall.EpollEvent, 512), t0: time.Now(), lat: &Hist{}, iat: &Hist{}, jit: &Hist{}, why: map[string]int{}}
}

func (e *Engine) clock() int64 { return int64(time.Since(e.t0)) }

// add takes over a handshaken connection.
func (e *Engine) add(h *hs, room, player int, st any) *Conn {
	tc := h.nc.(*net.TCPConn)
	tc.SetNoDelay(true)
	tc.SetDeadline(time.Time{})
	rc, _ := tc.SyscallConn()
	fd := -1
	rc.Control(func(p uintptr) { fd, _ = syscall.Dup(int(p)) })
	rest, _ := h.br.Peek(h.br.Buffered())
	c := &Conn{fd: fd, room: room, player: player, st: st, rest: append([]byte(nil), rest...)}
	tc.Close() // leaves Go's poller; the duplicate stays open and non-blocking
	e.byFd[fd] = c
	atomic.AddInt64(&e.live, 1)
	ev := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)}
	if err := syscall.EpollCtl(e.ep, syscall.EPOLL_CTL_ADD, fd, &ev); err != nil {
		panic(err)
	}
	return c
}

// wait runs one epoll round; timeout in ns (epoll_pwait2 has ns resolution).
func (e *Engine) wait(timeout int64) int {
	in := e.clock()
	if e.spin {
		timeout = 0
	}
	ts := syscall.NsecToTimespec(timeout)
	var r uintptr
	var errno syscall.Errno
	if timeout <= 0 {
		r, _, errno = syscall.RawSyscall6(441, uintptr(e.ep), uintptr(unsafe.Pointer(&e.events[0])), uintptr(len(e.events)), uintptr(unsafe.Pointer(&ts)), 0, 0)
	} else {
		r, _, errno = syscall.Syscall6(441, uintptr(e.ep), uintptr(unsafe.Pointer(&e.events[0])), uintptr(len(e.events)), uintptr(unsafe.Pointer(&ts)), 0, 0)
	}
	if errno != 0 || r == 0 {
		e.idle += e.clock() - in
		return 0
	}
	n := int(r)
	for i := range n {
		if c := e.byFd[e.events[i].Fd]; c != nil {
			if e.events[i].Events&syscall.EPOLLOUT != 0 {
				e.flush(c)
			}
			e.readable(c)
		}
	}
	return n
}

func (e *Engine) readable(c *Conn) {
	off := copy(e.rbuf, c.rest)
	r, _, errno := syscall.RawSyscall(syscall.SYS_READ, uintptr(c.fd), uintptr(unsafe.Pointer(&e.rbuf[off])), uintptr(len(e.rbuf)-off))
	if errno != 0 {
		if errno != syscall.EAGAIN {
			e.drop(c)
		}
		return
	}
	n := int(r)
	if n == 0 {
		e.drop(c)
		return
	}
	e.now = e.clock()
	e.rxBytes += int64(n)
	b := e.rbuf[:off+n]
	for {
		op, p, t := parseFrame(b)
		if t == 0 {
			break
		}
		switch op {
		case opPing:
			e.write(c, appendFrame(nil, opPong, p))
		case opPong:
		case opClose:
			e.why[closeText(p)]++
			e.drop(c)
			return
		default:
			e.ad.OnFrame(e, c, op, p)
		}
		b = b[t:]
	}
	c.rest = append(c.rest[:0], b...)
}

// closeText is the code and reason of a close frame.
func closeText(p []byte) string {
	if len(p) < 2 {
		return "no code"
	}
	return fmt.Sprintf("%d %s", binary.BigEndian.Uint16(p), p[2:])
}

func (e *Engine) drop(c *Conn) {
	if c.dead {
		return
	}
	c.dead = true
	e.closed++
	atomic.AddInt64(&e.live, -1)
	e.byFd[c.fd] = nil
	syscall.Close(c.fd)
}

func (e *Engine) write(c *Conn, b []byte) {
	if c.dead {
		return
	}
	if len(c.wq) == 0 {
		r, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(c.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
		n := int(r)
		if errno != 0 {
			n = 0
			if errno != syscall.EAGAIN {
				e.drop(c)
				return
			}
		}
		e.txBytes += int64(n)
		if n == len(b) {
			return
		}
		b = b[n:]
		ev := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLOUT, Fd: int32(c.fd)}
		syscall.EpollCtl(e.ep, syscall.EPOLL_CTL_MOD, c.fd, &ev)
	}
	c.wq = append(c.wq, b...)
}

func (e *Engine) flush(c *Conn) {
	q := c.wq
	c.wq = nil
	if len(q) > 0 {
		e.write(c, q)
	}
	if len(c.wq) == 0 && !c.dead {
		ev := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(c.fd)}
		syscall.EpollCtl(e.ep, syscall.EPOLL_CTL_MOD, c.fd, &ev)
	}
}

// Action is called by adapters for each delivered action.
func (e *Engine) Action(c *Conn, p []byte) {
	if len(p) != payloadLen || p[63] != '~' {
		e.bad++
		return
	}
	e.deliv++
	e.lat.Add(e.now - unhex(p[:16]))
	if e.onAction != nil {
		e.onAction(c, p)
	}
}

// Tick is called by adapters for each state update of the arena.
func (e *Engine) Tick(c *Conn) {
	e.ticks++
	if c.lastTick != 0 {
		d := e.now - c.lastTick
		e.iat.Add(d)
		if d -= 50e6; d < 0 {
			d = -d
		}
		e.jit.Add(d)
	}
	c.lastTick = e.now
}

const hexd = "0123456789abcdef"

var unhexT [256]byte

func init() {
	for i := range 16 {
		unhexT[hexd[i]] = byte(i)
	}
}

func unhex(b []byte) (v int64) {
	for _, c := range b {
		v = v<<4 | int64(unhexT[c])
	}
	return
}

var filler = []byte("................................................................")

// makePayload: 16 hex of the intended send time in ns, 8 hex room/player, 8 hex seq, filler, '~'.
func makePayload(dst []byte, ts int64, c *Conn) []byte {
	dst = append(dst[:0], filler...)
	for i := 15; i >= 0; i-- {
		dst[i] = hexd[ts&15]
		ts >>= 4
	}
	c.seq++
	v := uint64(c.room*32+c.player)<<32 | uint64(c.seq)
	for i := 31; i >= 16; i-- {
		dst[i] = hexd[v&15]
		v >>= 4
	}
	dst[63] = '~'
	return dst
}

func (e *Engine) sendAction(c *Conn, ts int64) {
	var pb [payloadLen]byte
	p := makePayload(pb[:0], ts, c)
	e.wbuf = e.ad.AppendAction(c, e.wbuf[:0], p)
	e.write(c, e.wbuf)
	e.sent++
}

func (e *Engine) reset() {
	*e.lat, *e.iat, *e.jit = Hist{}, Hist{}, Hist{}
	e.sent, e.deliv, e.ticks, e.rxBytes, e.txBytes, e.bad, e.closed, e.lateMax, e.idle = 0, 0, 0, 0, 0, 0, 0, 0, 0
}

// pace sends f times a second from each of cs (open loop, evenly spread) for d.
// Timestamps are the intended send times, so a late generator counts as latency.
func (e *Engine) pace(cs []*Conn, f float64, d time.Duration, send func(c *Conn, ts int64)) {
	start := e.clock()
	end := start + int64(d)
	if len(cs) == 0 || f <= 0 {
		for e.clock() < end {
			e.wait(min(end-e.clock(), 5e6))
		}
		return
	}
	ord := rand.New(rand.NewSource(1)).Perm(len(cs))
	gap := 1e9 / f / float64(len(cs))
	var k int64
	for {
		now := e.clock()
		if now >= end {
			return
		}
		for range 64 {
			due := start + int64(float64(k)*gap)
			if due > now {
				break
			}
			if l := now - due; l > e.lateMax {
				e.lateMax = l
			}
			send(cs[ord[k%int64(len(cs))]], due)
			k++
		}
		next := start + int64(float64(k)*gap)
		e.wait(min(next-e.clock(), 5e6))
	}
}

// Hist: log-linear, 64 sub-buckets per power of two (<1.6 % error), in ns.
type Hist struct {
	b [64 * 40]int64
	n int64
}

func (h *Hist) Add(v int64) {
	if v < 0 {
		v = 0
	}
	h.n++
	if v < 64 {
		h.b[v]++
		return
	}
	e := bits.Len64(uint64(v)) - 7
	i := (e+1)*64 + int(v>>uint(e)) - 64
	if i >= len(h.b) {
		i = len(h.b) - 1
	}
	h.b[i]++
}

// Q returns the quantile in milliseconds.
func (h *Hist) Q(q float64) float64 {
	if h.n == 0 {
		return 0
	}
	t := min(int64(q*float64(h.n))+1, h.n)
	var s int64
	for i, c := range h.b {
		s += c
		if s >= t {
			if i < 64 {
				return float64(i) / 1e6
			}
			e := i/64 - 1
			return float64(int64(64+i%64)<<uint(e)) / 1e6
		}
	}
	return 0
}

func die(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }
