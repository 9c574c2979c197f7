package torture

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestPlanOfThePage reads the plan in docs/RELIABILITY.md, which has every kind of fault.
func TestPlanOfThePage(t *testing.T) {
	text, err := os.ReadFile("../../docs/RELIABILITY.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "```plan\n")
	inside, _, ok := strings.Cut(after, "```")
	if !ok {
		t.Fatal("the page has no plan")
	}
	p, err := ParsePlan(strings.NewReader(inside))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range Kinds() {
		if !slices.ContainsFunc(p.Faults, func(f Fault) bool { return f.Kind == name }) {
			t.Errorf("the page's plan has no %s", name)
		}
	}
	again, err := ParsePlan(strings.NewReader(p.String()))
	if err != nil || !slices.Equal(again.Faults, p.Faults) {
		t.Errorf("written and read again it differs: %v\n%s", err, p)
	}
}

func TestPlanRefuses(t *testing.T) {
	for text, words := range map[string]string{
		"kill n2":                     "at TIME",
		"at soon kill n2":             "no time",
		"at 1s pray n2":               "choose one of",
		"at 1s kill":                  "name one node",
		"at 1s kill n1 n2":            "name one node",
		"at 1s kill n1 for":           "for TIME",
		"at 1s kill n1 for ever":      "no time",
		"at 1s roll for 3s":           "for TIME",
		"at 1s store burn":            "how the store breaks",
		"at 1s lose n1 200%":          "no share",
		"at 1s drop n1":               "takes no",
		"at 1s roll\nat 1s starve n1": "line 2",
		"at 1s kill n1 for 1s please": "for TIME",
	} {
		if _, err := ParsePlan(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%q: %v, should say %q", text, err, words)
		}
	}
}

// TestDrawnPlans checks that one seed draws one plan, that every kind is drawn, and that what is drawn can be read.
func TestDrawnPlans(t *testing.T) {
	o := &Options{Nodes: 3, For: time.Hour, Every: 5 * time.Second, Store: "postgres"}
	drawn := func(seed uint64) *Plan {
		r := &run{o: &Options{Seed: seed}}
		return draw(r.rand(1), o, Kinds())
	}
	p := drawn(1)
	if p.String() != drawn(1).String() || p.String() == drawn(2).String() {
		t.Error("the seed does not decide")
	}
	for _, name := range Kinds() {
		if !slices.ContainsFunc(p.Faults, func(f Fault) bool { return f.Kind == name }) {
			t.Errorf("%s is never drawn", name)
		}
	}
	atOnce := 0
	for i, f := range p.Faults {
		if i > 0 && p.Faults[i-1].At == f.At {
			atOnce++
		}
		if f.For > 30*time.Second || f.Kind == "cut" && f.A == f.B {
			t.Errorf("%s", f)
		}
	}
	if atOnce == 0 {
		t.Error("never two at once")
	}
	if again, err := ParsePlan(strings.NewReader(p.String())); err != nil || !slices.Equal(again.Faults, p.Faults) {
		t.Errorf("written and read again it differs: %v", err)
	}
}

// TestWhatCannotBeDone checks that a run leaves out what it has not the means for, and says why.
func TestWhatCannotBeDone(t *testing.T) {
	p, err := ParsePlan(strings.NewReader("at 1s store kill\nat 1s cut n1 n1\nat 1s wipe n1\nat 2s kill n1"))
	if err != nil {
		t.Fatal(err)
	}
	r := &run{o: &Options{Nodes: 1, Store: "sqlite", Plan: p}}
	able, skipped, err := r.choosePlan()
	if err != nil || len(able.Faults) != 1 || able.Faults[0].Kind != "kill" || len(skipped) != 3 {
		t.Errorf("%v, %v, %v", able, skipped, err)
	}
	for _, words := range []string{"--store postgres", "--namespaces", "--nodes 2"} {
		if !strings.Contains(strings.Join(skipped, "\n"), words) {
			t.Errorf("nothing of %q in %q", words, skipped)
		}
	}
}
