package main

import (
	"slices"
	"strings"
	"testing"
)

func TestCount(t *testing.T) {
	for _, tt := range []struct {
		name, events, line string
		good               bool
		shown              string
	}{
		{"passed", `{"Action":"pass","Package":"p","Test":"A"}
			{"Action":"pass","Package":"p","Test":"A/sub"}
			{"Action":"pass","Package":"p","Elapsed":1}`, "2 passed, 0 failed", true, "ok   p 1.0s"},
		{"failed", `{"Action":"output","Package":"p","Test":"A","Output":"why\n"}
			{"Action":"fail","Package":"p","Test":"A"}
			{"Action":"pass","Package":"p","Test":"B"}
			{"Action":"fail","Package":"p"}`, "1 passed, 1 failed", false, "why"},
		{"skipped", `{"Action":"skip","Package":"p","Test":"A"}
			{"Action":"pass","Package":"p","Test":"B"}
			{"Action":"pass","Package":"p"}`, "1 passed, 0 failed, 1 skipped", false, "SKIP"},
		{"not built", `{"ImportPath":"p","Action":"build-output","Output":"undefined: x\n"}
			{"Action":"fail","Package":"p"}
			{"Action":"pass","Package":"q","Test":"B"}`, "1 passed, 1 failed", false, "undefined: x"},
		{"died", `{"Action":"output","Package":"p","Test":"A","Output":"fatal error: stack overflow\n"}
			{"Action":"pass","Package":"p","Test":"B"}
			{"Action":"fail","Package":"p"}`, "1 passed, 1 failed", false, "stack overflow"},
		{"without tests", `{"Action":"skip","Package":"p"}`, "0 passed, 0 failed", false, ""},
		{"not JSON", `{"Action":"pass","Package":"p","Test":"A"} panic`, "1 passed, 1 failed", false, "not JSON"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			c := count(strings.NewReader(tt.events), &out)
			if c.String() != tt.line || c.good() != tt.good {
				t.Errorf("got %q, good %v; want %q, %v", c, c.good(), tt.line, tt.good)
			}
			if !strings.Contains(out.String(), tt.shown) {
				t.Errorf("the output lacks %q:\n%s", tt.shown, out.String())
			}
		})
	}
}

func TestPasses(t *testing.T) {
	var got []string
	for p := range passes([]string{"./...", "+", "-race", "./room"}) {
		got = append(got, strings.Join(p, " "))
	}
	if !slices.Equal(got, []string{"./...", "-race ./room"}) {
		t.Errorf("got %q", got)
	}
}

func TestCountTAP(t *testing.T) {
	for _, tt := range []struct {
		name, tap, line string
		good            bool
		shown, hidden   string
	}{
		{"passed", "TAP version 13\n# Subtest: a\n    ok 1 - b\n      ---\n      ok 9 - no result\n      ...\nok 1 - a\n1..1\n# pass 2\n",
			"2 passed, 0 failed", true, "", "ok 1"},
		{"failed", "ok 1 - a\n  ---\n  fine: 1\n  ...\nnot ok 2 - b\n  ---\n  error: why\n  ...\n# note\n",
			"1 passed, 1 failed", false, "error: why", "fine"},
		{"skipped", "ok 1 - a\nok 2 - b # SKIP no time\n", "1 passed, 0 failed, 1 skipped", false, "no time", "ok 1"},
		{"nothing", "TAP version 13\n1..0\n", "0 passed, 0 failed", false, "", "TAP"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			c := countTAP(strings.NewReader(tt.tap), &out)
			if c.String() != tt.line || c.good() != tt.good {
				t.Errorf("got %q, good %v; want %q, %v", c, c.good(), tt.line, tt.good)
			}
			if !strings.Contains(out.String(), tt.shown) || strings.Contains(out.String(), tt.hidden) {
				t.Errorf("the output should show %q and not %q:\n%s", tt.shown, tt.hidden, out.String())
			}
		})
	}
}

func TestRunCountsACommandsTAP(t *testing.T) {
	if c := new(costs).runPass([]string{"tap", "echo", "ok 1 - a"}); c != (counts{passed: 1}) {
		t.Errorf("got %+v", c)
	}
	if c := new(costs).runPass([]string{"tap", "false"}); c != (counts{broken: 1}) {
		t.Errorf("a command that fails without a failed test: got %+v", c)
	}
}
