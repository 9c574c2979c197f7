// Program engines compares storage engines for a journal: CPU, pauses and memory of writing small batches of many rooms, what is
// left after kill -9, and what one flipped byte costs. Every engine gives a batch to the operating system before it acknowledges it.
// None waits for the disk.
//
//	go run . -engine pebble                      # one engine, as JSON
//	go run . -engine pebble -kill                # kills a process of its own while it writes, and counts
//	go run . -engine pebble -flip 50             # flips one byte of the folder at a time, and counts what is lost
package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// engine is one way to keep batches. Batch i of a room is commit's i-th for it.
type engine interface {
	commit(group []batch) error        // returns when the operating system has it
	count(room int) (n int, err error) // whole batches of a room, in order from the first
	close() error
}

type batch struct {
	room, at int
	data     []byte
}

var engines = map[string]func(dir string) (engine, error){
	"sqlite": openSQLite, "pebble": openPebble, "bbolt": openBolt, "one-file": openOneFile, "file-a-room": openFiles,
}

var (
	name    = flag.String("engine", "file-a-room", "sqlite, pebble, bbolt, one-file or file-a-room")
	rooms   = flag.Int("rooms", 320, "rooms that write in turn")
	group   = flag.Int("group", 6, "batches a commit")
	batches = flag.Int("batches", 200_000, "batches in all")
	pace    = flag.Int("rate", 0, "batches a second; 0: as fast as it goes")
	kill    = flag.Bool("kill", false, "kill a process that writes, and count")
	flips   = flag.Int("flip", 0, "flip that many bytes, one at a time, and count")
	dir     = flag.String("dir", "", "folder; empty: a new one that is removed")
	child   = flag.Bool("child", false, "write and tell until killed")
)

func main() {
	flag.Parse()
	if *dir == "" {
		*dir = must(os.MkdirTemp("", "engines"))
		defer os.RemoveAll(*dir)
	}
	switch {
	case *child:
		tellForEver()
	case *kill:
		report(killed())
	case *flips > 0:
		report(flipped())
	default:
		report(measured())
	}
}

func report(v map[string]any) {
	v["engine"] = *name
	fmt.Println(string(must(json.Marshal(v))))
}

func must[T any](v T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return v
}

// payload is made from its room and number, so that a wrong byte is noticed.
func payload(room, at int) []byte {
	p := make([]byte, 110)
	binary.LittleEndian.PutUint64(p, uint64(room))
	binary.LittleEndian.PutUint64(p[8:], uint64(at))
	for i := 20; i < len(p); i++ {
		p[i] = byte(room + at + i)
	}
	binary.LittleEndian.PutUint32(p[16:], crc32.ChecksumIEEE(p[20:]))
	return p
}

func good(p []byte, room, at int) bool { return string(p) == string(payload(room, at)) }

func write(e engine, n int, each func(took time.Duration)) {
	next := make([]int, *rooms)
	begun := time.Now()
	for i := 0; i < n; {
		g := make([]batch, 0, *group)
		for range *group {
			r := i % *rooms
			g = append(g, batch{r, next[r], payload(r, next[r])})
			next[r]++
			i++
		}
		if *pace > 0 {
			time.Sleep(time.Until(begun.Add(time.Duration(i) * time.Second / time.Duration(*pace))))
		}
		start := time.Now()
		must(0, e.commit(g))
		each(time.Since(start))
	}
}

func cpu() time.Duration {
	var u syscall.Rusage
	must(0, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func measured() map[string]any {
	e := must(engines[*name](*dir))
	write(e, *rooms**group, func(time.Duration) {})
	must(0, e.close())
	os.RemoveAll(*dir)
	must(0, os.MkdirAll(*dir, 0o700))
	base := cpu()
	write(nothing{}, *batches, func(time.Duration) {})
	floor := cpu() - base
	e = must(engines[*name](*dir))
	var took []time.Duration
	base = cpu()
	start := time.Now()
	write(e, *batches, func(d time.Duration) { took = append(took, d) })
	used, wall := cpu()-base-floor, time.Since(start)
	resident := residentKB()
	slices.Sort(took)
	us := func(d time.Duration) float64 { return float64(d.Nanoseconds()/10) / 100 }
	must(0, e.close())
	open := time.Now()
	e = must(engines[*name](*dir))
	missing := 0
	for r := range *rooms {
		n, err := e.count(r)
		if want := *batches / *rooms; err != nil || n < want {
			missing++
		}
	}
	back := time.Since(open)
	must(0, e.close())
	return map[string]any{
		"cpu_us_batch": us(used / time.Duration(*batches)), "p50_us": us(took[len(took)/2]), "p99_us": us(took[len(took)*99/100]),
		"p9999_us": us(took[len(took)*9999/10000]), "max_us": us(took[len(took)-1]), "rss_mb": resident >> 10, "wall_s": wall.Seconds(),
		"disk_mb": diskBytes() >> 20, "read_back_s": back.Seconds(), "rooms_short": missing,
	}
}

type nothing struct{}

func (nothing) commit([]batch) error   { return nil }
func (nothing) count(int) (int, error) { return 0, nil }
func (nothing) close() error           { return nil }

func residentKB() (kb int) {
	for line := range strings.Lines(string(must(os.ReadFile("/proc/self/status")))) {
		fmt.Sscanf(line, "VmRSS: %d kB", &kb)
	}
	return kb
}

func diskBytes() (n int64) {
	filepath.WalkDir(*dir, func(_ string, d fs.DirEntry, err error) error {
		if info, err := d.Info(); err == nil && d.Type().IsRegular() {
			n += info.Size()
		}
		return err
	})
	return n
}

// tellForEver prints the number of commits after each one.
func tellForEver() {
	e := must(engines[*name](*dir))
	out := bufio.NewWriter(os.Stdout)
	done := 0
	write(e, 1<<40, func(time.Duration) {
		done += *group
		fmt.Fprintln(out, done)
		out.Flush()
	})
}

// killed kills twenty writers, each with its own folder.
func killed() map[string]any {
	acked, found, refused := 0, 0, 0
	root := *dir
	for i := range 20 {
		*dir = filepath.Join(root, fmt.Sprint(i))
		must(0, os.MkdirAll(*dir, 0o700))
		c := exec.Command(os.Args[0], "-child", "-engine", *name, "-dir", *dir, "-rooms", fmt.Sprint(*rooms), "-group", fmt.Sprint(*group))
		lines := bufio.NewScanner(must(c.StdoutPipe()))
		must(0, c.Start())
		time.AfterFunc(50*time.Millisecond+rand.N(200*time.Millisecond), func() { c.Process.Kill() })
		told := 0
		for lines.Scan() {
			fmt.Sscan(lines.Text(), &told)
		}
		must(0, lines.Err())
		c.Wait() // it was killed
		acked += told
		e, err := engines[*name](*dir)
		if err != nil {
			refused++
			continue
		}
		n := 0
		for r := range *rooms {
			k, _ := e.count(r)
			n += k
		}
		found += min(n, told)
		e.close()
	}
	return map[string]any{"kills": 20, "acknowledged": acked, "found": found, "not_opened": refused}
}

// flipped opens a folder again and again, each time with one random byte of its files changed.
func flipped() map[string]any {
	*batches = min(*batches, *rooms*100)
	src := filepath.Join(*dir, "src")
	must(0, os.MkdirAll(src, 0o700))
	e := must(engines[*name](src))
	write(e, *batches, func(time.Duration) {})
	must(0, e.close())
	refused, harmed, lost, silent, wrote := 0, 0, 0, 0, 0
	for i := range *flips {
		to := filepath.Join(*dir, fmt.Sprint(i))
		must(0, os.CopyFS(to, os.DirFS(src)))
		flip(to)
		wrote++
		e, err := engines[*name](to)
		if err != nil {
			refused++
			continue
		}
		for r := range *rooms {
			n, err := e.count(r)
			want := *batches / *rooms
			if n < want || err != nil {
				harmed++
				lost += want - n
			}
			if n < want && err == nil {
				silent++
			}
		}
		e.close()
		os.RemoveAll(to)
	}
	return map[string]any{"flips": wrote, "not_opened": refused, "rooms_harmed": harmed, "batches_lost": lost, "rooms_short_without_a_word": silent}
}

func flip(dir string) {
	var files []string
	var sizes []int64
	var all int64
	filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if info, err := d.Info(); err == nil && d.Type().IsRegular() && info.Size() > 0 {
			files, sizes, all = append(files, p), append(sizes, info.Size()), all+info.Size()
		}
		return err
	})
	at := rand.N(all)
	for i, p := range files {
		if at >= sizes[i] {
			at -= sizes[i]
			continue
		}
		f := must(os.OpenFile(p, os.O_RDWR, 0))
		var b [1]byte
		must(f.ReadAt(b[:], at))
		b[0] ^= byte(1 + rand.N(255))
		must(f.WriteAt(b[:], at))
		f.Close()
		return
	}
}
