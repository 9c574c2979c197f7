package roomtest_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/roomring/roomring/room/roomtest"
)

// faultVariable names the environment variable that puts a fault into the game of FuzzHands.
const faultVariable = "ROOMTEST_FAULT"

func FuzzHands(f *testing.F) {
	roomtest.Fuzz(f, handRules(fault(os.Getenv(faultVariable))), handOptions())
}

func FuzzRally(f *testing.F) { roomtest.Fuzz(f, rallyRules(), roomtest.Options{Act: hits}) }

func BenchmarkHands(b *testing.B) { roomtest.Bench(b, handRules(""), handOptions()) }

// runAgain runs this test program once more, with a fault, and returns what it prints.
func runAgain(t *testing.T, f fault, args ...string) (out string, failed bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), faultVariable+"="+string(f))
	text, err := cmd.CombinedOutput()
	return string(text), err != nil
}

func TestFuzzFindsFaultsByItsSeeds(t *testing.T) {
	t.Parallel()
	for f, words := range map[fault][]string{
		"":           {"PASS", "FuzzHands/seed#8"},
		"leak":       {"Hands.p1 is hidden from p2, but the view of p2 shows it", "its inputs from "},
		"late panic": {"game hands with options {}: ", "Act panics: assignment to entry in nil map", "act {"},
		"panic":      {"Act panics: no action"}, // which only an action that is spoilt finds
		"refusal":    {"Act refuses it (", "leaves different states: field Turn is"},
		"big event":  {"event played: data.coins[1] is 9007199254740992"},
	} {
		out, failed := runAgain(t, f, "-test.run", "^FuzzHands$", "-test.v")
		if failed != (f != "") {
			t.Errorf("with the fault %q it fails: %v", f, failed)
		}
		for _, w := range words {
			if !strings.Contains(out, w) {
				t.Errorf("with the fault %q it does not say %q:\n%s", f, w, out)
			}
		}
	}
}

func TestBenchReportsTimeAllocationsAndBytes(t *testing.T) {
	t.Parallel()
	out, failed := runAgain(t, "", "-test.run", "^$", "-test.bench", "^BenchmarkHands$", "-test.benchtime", "200x")
	if failed {
		t.Fatal(out)
	}
	for name, units := range map[string][]string{
		"step": {"allocs/op"}, "view": {"bytes/view", "allocs/op"}, "patch": {"bytes/patch", "allocs/op"}, "snapshot": {"bytes/snapshot", "allocs/op"},
	} {
		line := ""
		for l := range strings.Lines(out) {
			if strings.HasPrefix(l, "BenchmarkHands/"+name) {
				line = l
			}
		}
		for _, u := range units {
			if !strings.Contains(line, " "+u) || strings.Contains(line, " 0 "+u) && u != "allocs/op" {
				t.Errorf("the line of %s lacks %s: %q", name, u, line)
			}
		}
	}
}
