// loadgen: side-by-side load generator for room servers over WebSocket. See ../README.md.
package main

import (
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

var (
	peer    = flag.String("peer", "raw", "adapter")
	label   = flag.String("label", "", "name in the output")
	addr    = flag.String("addr", "127.0.0.1:9000", "server (127.0.0.1 only); of a cluster NODE=ADDRESS,…")
	via     = flag.String("via", "any", "of a cluster, where sockets go: owner (their room's node) | other (one other for each room) | any (all in turn)")
	pidsF   = flag.String("pids", "", "root pids of the server, comma separated")
	work    = flag.String("w", "w1", "w1 | w1max | w2 | w2max | w3 | w4")
	rooms   = flag.Int("rooms", 50, "rooms (start value for *max)")
	size    = flag.Int("size", 8, "players per room")
	f       = flag.Float64("f", 10, "actions per second per player")
	dur     = flag.Duration("dur", 5*time.Second, "measured window")
	warm    = flag.Duration("warm", 1500*time.Millisecond, "warm-up")
	tick    = flag.Int("tick", 30, "tick rate asked of tick-based servers for w1/w3/w4")
	workers = flag.Int("workers", 32, "parallel joiners")
	bound   = flag.Float64("p99", 50, "w1max: p99 bound, ms")
	spin    = flag.Bool("spin", true, "generator polls instead of sleeping (not in w3)")
	budget  = flag.Duration("budget", 75*time.Second, "*max: time bound of the search")
)

type M map[string]any

var (
	e    *Engine
	pids []int
)

func r(v float64, d int) float64 { p := math.Pow(10, float64(d)); return math.Round(v*p) / p }

// connect joins rooms [from,to) and appends their connections in room-major order.
func connect(from, to int) time.Duration {
	n := (to - from) * *size
	if n <= 0 {
		return 0
	}
	t := time.Now()
	cs := make([]*Conn, n)
	jobs := make(chan int, n)
	for i := range n {
		jobs <- i
	}
	close(jobs)
	var wg sync.WaitGroup
	var failed atomic.Pointer[error]
	for w := 0; w < *workers; w++ {
		wg.Go(func() {
			for i := range jobs {
				room, pl := from+i/(*size), i%(*size)
				h, st, err := e.ad.Connect(room, pl)
				if err != nil {
					failed.Store(&err)
					return
				}
				cs[i] = e.add(h, room, pl, st)
			}
		})
	}
	done := make(chan bool)
	go func() { wg.Wait(); close(done) }()
	for run := true; run; { // keep answering pings and draining joins meanwhile
		select {
		case <-done:
			run = false
		case <-time.After(2 * time.Millisecond):
			for e.wait(0) == len(e.events) {
			}
		}
	}
	if p := failed.Load(); p != nil {
		die("connect: %v", *p)
	}
	e.conns = append(e.conns, cs...)
	return time.Since(t)
}

func dropAll() {
	for _, c := range e.conns {
		e.drop(c)
	}
	e.conns = e.conns[:0]
}

// measure runs load() for the warm-up and then for the window, with CPU read around the window.
func measure(load func(d time.Duration), d time.Duration) M {
	e.spin = *spin && *work != "w3"
	defer func() { e.spin = false }()
	load(*warm)
	runtime.GC()
	e.reset()
	for _, c := range e.conns {
		c.lastTick = 0
	}
	own0, t0 := ownCPU(), time.Now()
	s0, k0 := srvCPU(pids)
	each := eachCPU(pids)
	load(d)
	s1, k1 := srvCPU(pids)
	for i, after := range eachCPU(pids) {
		each[i] = after - each[i]
	}
	el := time.Since(t0).Seconds()
	m := M{"secs": r(el, 2), "srv_cpu": r((s1-s0)/el/1e4, 1), "srv_sys_pct": r((k1-k0)/math.Max(s1-s0, 1)*100, 0),
		"gen_cpu": r((ownCPU()-own0)/el/1e4, 1), "gen_busy": r(100-float64(e.idle)/el/1e7, 1), "late_ms": r(float64(e.lateMax)/1e6, 2), "closed": e.closed, "bad": e.bad,
		"_cpu_us": s1 - s0, "_each_us": each, "_el": el}
	return m
}

func actionStats(m M, expect float64) {
	el, cpu := m["_el"].(float64), m["_cpu_us"].(float64)
	d := math.Max(float64(e.deliv), 1)
	m["sent_s"], m["deliv_s"] = r(float64(e.sent)/el, 0), r(float64(e.deliv)/el, 0)
	m["ratio"] = r(float64(e.deliv)/math.Max(float64(e.sent)*expect, 1), 4)
	m["p50"], m["p99"], m["p999"] = r(e.lat.Q(.5), 3), r(e.lat.Q(.99), 3), r(e.lat.Q(.999), 3)
	m["cpu_us_msg"], m["bytes_msg"] = r(cpu/d, 3), r(float64(e.rxBytes)/d, 1)
	each := make([]float64, len(pids))
	for i, us := range m["_each_us"].([]float64) {
		each[i] = r(us/math.Max(float64(e.sent), 1), 2)
	}
	m["cpu_us_act"] = each
}

func active(n int) []*Conn { return e.conns[:n**size] }

func w1(n int, d time.Duration) M {
	cs := active(n)
	m := measure(func(d time.Duration) { e.pace(cs, *f, d, e.sendAction) }, d)
	actionStats(m, float64(*size))
	m["rooms"] = n
	return m
}

func w2(n int, d time.Duration) M {
	cs := active(n)
	var mv [12]byte
	send := func(c *Conn, ts int64) {
		c.seq++
		a := float64(c.seq+uint32(c.player)) * 0.7
		binary.LittleEndian.PutUint32(mv[0:], math.Float32bits(float32(50*math.Cos(a))))
		binary.LittleEndian.PutUint32(mv[4:], math.Float32bits(float32(50*math.Sin(a))))
		binary.LittleEndian.PutUint32(mv[8:], c.seq)
		e.wbuf = e.ad.AppendMove(c, e.wbuf[:0], mv[:])
		e.write(c, e.wbuf)
		e.sent++
	}
	m := measure(func(d time.Duration) { e.pace(cs, 10, d, send) }, d)
	el, cpu := m["_el"].(float64), m["_cpu_us"].(float64)
	pl := float64(len(e.conns))
	m["rooms"], m["ticks_client_s"] = n, r(float64(e.ticks)/el/pl, 2)
	m["cpu_us_player_s"], m["bytes_client_s"] = r(cpu/el/pl, 1), r(float64(e.rxBytes)/el/pl, 0)
	m["jit_p50"], m["jit_p99"], m["iat_p99"], m["iat_p999"] = r(e.jit.Q(.5), 2), r(e.jit.Q(.99), 2), r(e.iat.Q(.99), 2), r(e.iat.Q(.999), 2)
	return m
}

// search finds the largest number of rooms for which ok(run(n)): growing steps, then bisection.
func search(run func(n int, d time.Duration) M, ok func(M) bool) M {
	deadline := time.Now().Add(*budget)
	base, n, lo, hi := 0, *rooms, 0, 0
	var best M
	var trace []M
	var genMax float64
	for time.Now().Before(deadline) {
		have := len(e.conns) / *size
		if e.live < int64(len(e.conns)) { // something was disconnected: start over with fresh rooms
			dropAll()
			base += have
			have = 0
		}
		if *work == "w2max" && have > n { // arena rooms tick when idle: use exactly n
			dropAll()
			base += have
			have = 0
			time.Sleep(1500 * time.Millisecond)
		}
		connect(base+have, base+max(n, have))
		m := run(n, *dur)
		good := ok(m)
		trace = append(trace, M{"n": n, "ok": good, "p99": m["p99"], "iat_p99": m["iat_p99"], "srv": m["srv_cpu"], "gen": m["gen_busy"], "ratio": m["ratio"], "closed": m["closed"]})
		genMax = max(genMax, m["gen_busy"].(float64))
		if good {
			best, lo = m, n
		} else {
			hi = n
			for range 50 { // drain
				b := e.rxBytes
				e.pace(nil, 0, 200*time.Millisecond, nil)
				if e.rxBytes-b < 2000 || *work == "w2max" {
					break
				}
			}
		}
		switch {
		case hi == 0:
			n = int(float64(n)*1.35) + 1
		case lo == 0:
			n = int(float64(n) * 0.6)
		case float64(hi-lo) <= 0.07*float64(hi) || hi-lo <= 1:
			n = 0
		default:
			n = (lo + hi) / 2
		}
		if n <= 0 {
			break
		}
	}
	if best == nil {
		best = M{"rooms": 0}
	}
	best["trace"], best["gen_busy_max"] = trace, genMax
	return best
}

// calibrate times fixed work on this core (ns per multiply-add step, ns per loopback-like
// write+read pair). Each result shows these times, so that slow phases of a shared machine are visible.
func calibrate() (alu, sys float64) {
	t, x := time.Now(), uint64(1)
	const n = 30_000_000
	for range n {
		x = x*6364136223846793005 + 1
	}
	alu = float64(time.Since(t).Nanoseconds()) / n
	if x == 0 {
		alu = 0
	}
	fd, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return
	}
	defer syscall.Close(fd[0])
	defer syscall.Close(fd[1])
	var b [64]byte
	const m = 40_000
	t = time.Now()
	for range m {
		syscall.Write(fd[0], b[:])
		syscall.Read(fd[1], b[:])
	}
	return alu, float64(time.Since(t).Nanoseconds()) / m
}

// doors are the servers of -addr.
func doors(list string) (ds []door) {
	for s := range strings.SplitSeq(list, ",") {
		node, addr, named := strings.Cut(s, "=")
		if !named {
			node, addr = "", s
		}
		if !strings.HasPrefix(addr, "127.0.0.1:") {
			die("loopback only")
		}
		ds = append(ds, door{node, addr})
	}
	return ds
}

func main() {
	flag.Parse()
	runtime.LockOSThread()
	syscall.RawSyscall(syscall.SYS_PRCTL, 29, 1, 0) // PR_SET_TIMERSLACK = 1 ns
	var rl syscall.Rlimit
	syscall.Getrlimit(syscall.RLIMIT_NOFILE, &rl)
	rl.Cur = rl.Max
	syscall.Setrlimit(syscall.RLIMIT_NOFILE, &rl)
	debug.SetGCPercent(400)
	ds := doors(*addr)
	for s := range strings.SplitSeq(*pidsF, ",") {
		if p, err := strconv.Atoi(s); err == nil {
			pids = append(pids, p)
		}
	}
	cAlu, cSys := calibrate()
	kind := map[byte]string{'1': "act", '2': "arena", '3': "act", '4': "turn"}[(*work)[1]]
	tk := *tick
	switch kind {
	case "arena":
		tk, *size = 20, 20
	case "turn":
		*size = 2
	}
	e = newEngine(adapters[*peer](opts{addr: ds[0].addr, doors: ds, via: *via, kind: kind, tick: tk, nonce: strconv.FormatInt(time.Now().UnixNano()%1e12, 36)}))
	var m M
	switch *work {
	case "w1":
		ct := connect(0, *rooms)
		m = w1(*rooms, *dur)
		m["connect_s"] = r(ct.Seconds(), 2)
		m["proxied"] = r(float64(proxied.Load())/float64(len(e.conns)), 3)
	case "w1max":
		m = search(w1, func(m M) bool {
			return m["p99"].(float64) < *bound && m["ratio"].(float64) > 0.97 && m["closed"].(int64) == 0 && m["late_ms"].(float64) < 1000
		})
	case "w2":
		connect(0, *rooms)
		m = w2(*rooms, *dur)
	case "w2max":
		m = search(w2, func(m M) bool {
			return m["iat_p99"].(float64) < 75 && m["ticks_client_s"].(float64) > 19 && m["closed"].(int64) == 0
		})
	case "w3":
		r0, all0 := rssKB(pids, "RssAnon"), rssKB(pids, "VmRSS")
		c0, _ := srvCPU(pids)
		ct := connect(0, *rooms)
		c1, _ := srvCPU(pids)
		e.pace(nil, 0, 3*time.Second, nil)
		n := float64(len(e.conns))
		m = measure(func(d time.Duration) { e.pace(nil, 0, d, nil) }, *dur)
		m["rooms"], m["conns"], m["live"] = *rooms, len(e.conns), e.live
		m["joins_s"], m["join_cpu_us"] = r(n/ct.Seconds(), 0), r((c1-c0)/n, 0)
		m["rss_kb_conn"], m["rss0_mb"] = r(float64(rssKB(pids, "RssAnon")-r0)/n, 2), r0/1024
		m["vmrss_kb_conn"] = r(float64(rssKB(pids, "VmRSS")-all0)/n, 2)
		m["idle_cpu_pct_per_1000"] = r(m["srv_cpu"].(float64)/n*1000, 3)
		m["rx_bytes_conn_s"] = r(float64(e.rxBytes)/m["_el"].(float64)/n, 2)
	case "w4":
		connect(0, *rooms)
		lat := &Hist{}
		e.onAction = func(c *Conn, p []byte) {
			from := int(unhex(p[16:24])) & 31
			if from == c.player {
				return // own echo
			}
			lat.Add(e.now - unhex(p[:16]))
			e.sendAction(c, e.clock())
		}
		started := false
		m = measure(func(d time.Duration) {
			if !started {
				started = true
				for i, c := range e.conns {
					if i%2 == 0 {
						e.sendAction(c, e.clock())
					}
				}
			} else {
				*lat = Hist{}
			}
			e.pace(nil, 0, d, nil)
		}, *dur)
		actionStats(m, 2)
		m["moves_s"], m["p50"], m["p99"], m["p999"] = m["sent_s"], r(lat.Q(.5), 3), r(lat.Q(.99), 3), r(lat.Q(.999), 3)
		m["cpu_us_move"] = r(m["_cpu_us"].(float64)/math.Max(float64(e.sent), 1), 2)
	}
	delete(m, "_cpu_us")
	delete(m, "_each_us")
	delete(m, "_el")
	if len(e.why) > 0 {
		m["why"] = e.why
	}
	m["peer"], m["w"], m["cal_alu_ns"], m["cal_sys_ns"] = *label, *work, r(cAlu, 3), r(cSys, 0)
	b, _ := json.Marshal(m)
	fmt.Println(string(b))
	os.Exit(0)
}
