package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// counts sums up test runs. Subtests count as tests; a parent that only groups them counts too.
type counts struct {
	passed, failed, skipped int
	broken                  int // packages that did not build, or ended without a test to blame
}

func (c *counts) add(d counts) {
	c.passed += d.passed
	c.failed += d.failed
	c.skipped += d.skipped
	c.broken += d.broken
}

// good reports whether everything ran and passed.
func (c counts) good() bool { return c.passed > 0 && c.failed+c.skipped+c.broken == 0 }

// String counts broken packages among the failed, so that the line never looks better than the run.
func (c counts) String() string {
	s := fmt.Sprintf("%d passed, %d failed", c.passed, c.failed+c.broken)
	if c.skipped > 0 {
		s += fmt.Sprintf(", %d skipped", c.skipped)
	}
	return s
}

// event is a line of `go test -json` (go doc test2json).
type event struct {
	Action, Package, Test, Output string
	ImportPath                    string // of build output
	Elapsed                       float64
}

// tally follows a run: the output of tests that still run, and the packages in which a test failed.
type tally struct {
	counts
	output  map[string]*strings.Builder // by package and test
	blamed  map[string]bool
	printed io.Writer
}

// count reads a run's events and prints a line for each package, and the output of what failed.
func count(in io.Reader, out io.Writer) counts {
	t := &tally{output: map[string]*strings.Builder{}, blamed: map[string]bool{}, printed: out}
	for dec := json.NewDecoder(in); ; {
		var e event
		if err := dec.Decode(&e); errors.Is(err, io.EOF) {
			return t.counts
		} else if err != nil {
			fmt.Fprintln(out, "go test -json said what is not JSON:", err)
			t.broken++
			return t.counts
		}
		t.see(e)
	}
}

func (t *tally) see(e event) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "output":
		t.keep(key, e.Output)
	case "build-output":
		fmt.Fprint(t.printed, e.Output)
	case "pass", "fail", "skip":
		if e.Test != "" {
			t.test(e, key)
		} else {
			t.pkg(e, key)
		}
		delete(t.output, key)
	}
}

func (t *tally) keep(key, text string) {
	b := t.output[key]
	if b == nil {
		b = new(strings.Builder)
		t.output[key] = b
	}
	b.WriteString(text)
}

func (t *tally) test(e event, key string) {
	switch e.Action {
	case "pass":
		t.passed++
		return
	case "fail":
		t.failed++
		t.blamed[e.Package] = true
	case "skip":
		t.skipped++
	}
	fmt.Fprintf(t.printed, "--- %s: %s %s\n", strings.ToUpper(e.Action), e.Package, e.Test)
	t.show(key)
}

// pkg ends a package. A package without tests counts as nothing. One that fails without a failed test is broken.
func (t *tally) pkg(e event, key string) {
	switch {
	case e.Action == "pass":
		fmt.Fprintf(t.printed, "ok   %s %.1fs\n", e.Package, e.Elapsed)
	case e.Action == "fail":
		fmt.Fprintf(t.printed, "FAIL %s\n", e.Package)
		if !t.blamed[e.Package] {
			t.broken++
			t.unfinished(e.Package)
		}
		t.show(key)
	}
}

// unfinished shows the output of the tests that ran when a package's process died.
func (t *tally) unfinished(pkg string) {
	for key := range t.output {
		if strings.HasPrefix(key, pkg+" ") && key != pkg+" " {
			fmt.Fprintln(t.printed, "--- not finished:", key)
			t.show(key)
		}
	}
}

func (t *tally) show(key string) {
	if b := t.output[key]; b != nil {
		fmt.Fprint(t.printed, b.String())
	}
}
