package ownership

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

var update = flag.Bool("update", false, "rewrite testdata/transitions.txt with the actual effects and states")

var self = Self{Boot: "me", Folder: "here", Former: []string{"former"}, DoubtWait: 5 * time.Second}

// TestTransitions runs testdata/transitions.txt. Each line has an event, the effects that the machine returns, and its
// state afterwards. An empty line begins a new machine.
func TestTransitions(t *testing.T) {
	const file = "testdata/transitions.txt"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var is strings.Builder
	w := newWalk()
	for line := range strings.SplitSeq(strings.TrimRight(string(text), "\n"), "\n") {
		switch event, _, step := strings.Cut(line, " =>"); {
		case line == "":
			w = newWalk()
			is.WriteString("\n")
		case !step:
			is.WriteString(line + "\n")
		default:
			fmt.Fprintf(&is, "%s => %s\n", event, w.step(t, event))
		}
	}
	if is.String() == string(text) {
		return
	}
	if !*update {
		t.Fatalf("the transitions differ from the file (-update rewrites it):\n%s", is.String())
	}
	if err := os.WriteFile(file, []byte(is.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// walk is a machine and the effects whose answers it waits for.
type walk struct {
	m       *Machine
	waiting map[string]uint64 // numbers of effects, by name
}

func newWalk() *walk { return &walk{m: New(&self), waiting: map[string]uint64{}} }

func (w *walk) step(t *testing.T, text string) string {
	effects := w.m.Step(w.event(t, strings.Fields(text)))
	var b strings.Builder
	for _, e := range effects {
		if e.N != 0 && e.Do != Cancel {
			w.waiting[strings.ReplaceAll(e.Do.String(), " ", "-")] = e.N
		}
		if e.Do == Wait && e.N == w.m.row.n {
			w.waiting["wait.row"] = e.N
		}
		b.WriteString(e.String() + ", ")
	}
	return strings.TrimSuffix(b.String(), ", ") + fmt.Sprintf(" (%s)", w.m.State())
}

// event parses an event: its kind and fields, or the name of an effect and its answer.
func (w *walk) event(t *testing.T, words []string) Event {
	t.Helper()
	for k := Made; k < Answer; k++ {
		if k.String() == words[0] {
			return eventOf(k, words[1:])
		}
	}
	n, ok := w.waiting[words[0]]
	if !ok {
		t.Fatalf("%s: no such event, and no such effect is under way", words[0])
	}
	e := Event{Kind: Answer, N: n}
	switch words[1] {
	case "ok", "won", "runs":
	case "fails":
		e.Err = errors.New("it is away")
		if len(words) > 2 {
			e.Err = record.Permanent(e.Err)
		}
	case "norow":
		e.Outcome = NoRow
	case "refused":
		e.Outcome, e.Why = Refused, "no store can hold it"
	case "moved":
		e.Outcome, e.Row = Moved, rowOf(words[2:])
	case "row":
		e.Row, e.Log = rowOf(words[2:]), logOf(words[2:])
	case "log":
		e.Log = logOf(words[1:])
	case "stopped":
		e.Stopped = StoppedRoom{Last: room.Index(number(words[2])), Over: len(words) > 3}
	case "over":
		e.Verdict = RunsOver
	case "lacks":
		e.Verdict, e.Why = Lacks, "it lacks a version"
	case "diverged":
		e.Verdict, e.Why = Diverged, "it comes to something else"
	case "dead":
		e.Verdict, e.Why = Dead, "it kills"
	default:
		t.Fatalf("%s: no such answer", words[1])
	}
	return e
}

// eventOf parses what follows an event's kind: memory, FOLDER and EPOCH of another member, and a log.
func eventOf(k Kind, words []string) Event {
	e := Event{Kind: k, Log: logOf(words)}
	switch k {
	case Made:
		e.Memory = len(words) > 0
	case Broken, Lost, Unable:
		e.Why = "it is so"
	case Offered, Yielded, Recruit, Yield:
		e.Folder = words[0]
		if len(words) > 1 {
			e.Epoch = record.Epoch(number(words[1]))
		}
	}
	return e
}

func number(s string) uint64 { n, _ := strconv.ParseUint(s, 10, 64); return n }

// logOf parses what follows the word log: EPOCH LAST and perhaps cut, partial, unsure or copied. Without that word there is none.
func logOf(words []string) (l Log) {
	i := slices.Index(words, "log")
	if i < 0 {
		return l
	}
	words = words[i+1:]
	l = Log{Epoch: record.Epoch(number(words[0])), Last: room.Index(number(words[1]))}
	l.Unborn, l.Copied = l.Last == 0, slices.Contains(words, "copied")
	switch words = words[2:]; {
	case slices.Contains(words, "cut"):
		l.Cut, l.Doubt = "its tail is gone", record.Partial
	case slices.Contains(words, "partial"):
		l.Doubt = record.Partial
	case slices.Contains(words, "unsure"):
		l.Doubt = record.Unsure
	}
	return l
}

// rowOf parses STATE EPOCH WHO and perhaps STANDBY. WHO is this process, an earlier process of its folder, that folder under
// its former id, or another node; the standby may be this folder.
func rowOf(words []string) record.Row {
	r := record.Row{State: record.RowState(words[0]), Epoch: record.Epoch(number(words[1])), Boot: "earlier", Folder: words[2]}
	switch {
	case words[2] == "me":
		r.Boot, r.Folder = "me", "here"
	case r.State == record.RowReleased:
		r.Folder = ""
	}
	if len(words) > 3 && words[3] != "log" {
		r.Standby = words[3]
	}
	return r
}
