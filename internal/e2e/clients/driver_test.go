package clients_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/child"
	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/internal/testwait"
)

// driver is a process in another language that does with its client what a test says.
type driver struct {
	in     io.WriteCloser
	errors testwait.Log

	mu      sync.Mutex
	next    int
	waiting map[int]chan []byte
}

// answer is what a driver says of one order. Each field is there or not, by what came of it.
type answer struct {
	N           int
	Seq         uint64
	Player      string
	Seat        int
	View        any
	Views       []any
	Checks      []uint32
	Rejected    string // code
	Closed      string // kind
	Status      int
	Unreachable string
	Reason      string
	Summary     string
	Over        *over
}

type over struct {
	Seq    uint64
	End    string
	Result any
	Reason string
}

// told is what a driver tells of one of its rooms.
type told struct {
	View                              any
	State, Player, Game, Closed       string
	States                            []string
	Seat                              int
	Events                            [][3]any
	Over                              *over
	Lagged                            bool
	Mismatches, Lost, Resent, Sockets int
}

// start starts a driver. It must end by itself, and without a word on stderr, when the test ends.
func start(t *testing.T, cmd *exec.Cmd) *driver {
	t.Helper()
	d := &driver{waiting: map[int]chan []byte{}}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, said, err := os.Pipe() // which does not close when the process ends, before all is read
	if err != nil {
		t.Fatal(err)
	}
	d.in, cmd.Stdout, cmd.Stderr = in, said, &d.errors
	p, err := child.Start(cmd, nil)
	_ = said.Close() // the process has its own
	if err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer out.Close()
		d.read(t, out)
	}()
	t.Cleanup(func() {
		_ = in.Close()
		<-read
		select {
		case <-p.Ended():
		case <-time.After(e2e.Ceiling):
			p.Kill()
			t.Error("the driver goes on when nobody asks it any more")
		}
		if said := d.errors.String(); !p.State().Success() || said != "" {
			t.Errorf("the driver ended with %v, and says:\n%s", p.State(), said)
		}
	})
	return d
}

func (d *driver) read(t *testing.T, out io.Reader) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var n struct{ N int }
		if err := json.Unmarshal(lines.Bytes(), &n); err != nil {
			t.Errorf("the driver says %q: %v", lines.Text(), err)
			return
		}
		d.mu.Lock()
		waits := d.waiting[n.N]
		delete(d.waiting, n.N)
		d.mu.Unlock()
		waits <- bytes.Clone(lines.Bytes())
	}
	if err := lines.Err(); err != nil {
		t.Errorf("reading what the driver says: %v", err)
	}
}

// order is what a test tells a driver to do.
type order map[string]any

// ask orders something, and returns where the answer will be.
func (d *driver) ask(t *testing.T, do string, o order) <-chan []byte {
	t.Helper()
	waits := make(chan []byte, 1)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.next++
	d.waiting[d.next] = waits
	msg := order{"do": do, "n": d.next}
	maps.Copy(msg, o)
	line, err := json.Marshal(msg)
	if err == nil {
		_, err = d.in.Write(append(line, '\n'))
	}
	if err != nil {
		t.Fatalf("%s: %v\n%s", do, err, d.errors.String())
	}
	return waits
}

// wait waits for an answer.
func (d *driver) wait(t *testing.T, what string, waits <-chan []byte) (a answer) {
	t.Helper()
	d.decode(t, what, waits, &a)
	return a
}

func (d *driver) call(t *testing.T, do string, o order) answer {
	t.Helper()
	return d.wait(t, do, d.ask(t, do, o))
}

// tell asks for all that a driver knows of one of its rooms.
func (d *driver) tell(t *testing.T, room string) (what told) {
	t.Helper()
	d.decode(t, "tell", d.ask(t, "tell", order{"room": room}), &what)
	return what
}

func (d *driver) decode(t *testing.T, what string, waits <-chan []byte, into any) {
	t.Helper()
	select {
	case line := <-waits:
		if err := json.Unmarshal(line, into); err != nil {
			t.Fatalf("the driver answers %s with %s: %v", what, line, err)
		}
	case <-time.After(e2e.Ceiling):
		t.Fatalf("no answer to %s\n%s", what, d.errors.String())
	}
}
