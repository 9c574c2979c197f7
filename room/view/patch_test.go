package view_test

import (
	"testing"

	"github.com/roomring/roomring/room/view"
)

// These are the test cases of RFC 7396, appendix A.
var rfc7396 = []struct{ target, patch, result string }{
	{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
	{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
	{`{"a":"b"}`, `{"a":null}`, `{}`},
	{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
	{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
	{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
	{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
	{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
	{`["a","b"]`, `["c","d"]`, `["c","d"]`},
	{`{"a":"b"}`, `["c"]`, `["c"]`},
	{`{"a":"foo"}`, `null`, `null`},
	{`{"a":"foo"}`, `"bar"`, `"bar"`},
	{`{"e":null}`, `{"a":1}`, `{"a":1,"e":null}`},
	{`[1,2]`, `{"a":"b","c":null}`, `{"a":"b"}`},
	{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
}

func TestPatchRFC7396(t *testing.T) {
	for _, c := range rfc7396 {
		got := canonical(t, view.Patch(decode(t, c.target), decode(t, c.patch)))
		if got != c.result {
			t.Errorf("Patch(%s, %s) = %s, want %s", c.target, c.patch, got, c.result)
		}
	}
}

func TestPatchLeavesPatchAlone(t *testing.T) {
	patch := decode(t, `{"a":{"b":{"c":1}},"d":[{"e":1}]}`)
	doc := view.Patch(nil, patch)
	doc = view.Patch(doc, decode(t, `{"a":{"b":{"c":2,"x":3}},"d":null}`))
	if got, want := canonical(t, doc), `{"a":{"b":{"c":2,"x":3}}}`; got != want {
		t.Errorf("result %s, want %s", got, want)
	}
	if got, want := canonical(t, patch), `{"a":{"b":{"c":1}},"d":[{"e":1}]}`; got != want {
		t.Errorf("the first patch became %s, was %s", got, want)
	}
}

func FuzzPatch(f *testing.F) {
	for _, c := range rfc7396 {
		f.Add(c.target, c.patch)
	}
	f.Fuzz(func(t *testing.T, target, patch string) {
		a, errA := parse(target)
		p, errP := parse(patch)
		if errA != nil || errP != nil {
			return
		}
		before, err := view.AppendCanonical(nil, p)
		if err != nil {
			return // a number is too large for a double
		}
		once := view.Patch(a, p)
		first, err := view.AppendCanonical(nil, once)
		if err != nil {
			return
		}
		if again := canonical(t, view.Patch(once, p)); again != string(first) {
			t.Errorf("applied once %s, twice %s", first, again)
		}
		if after := canonical(t, p); after != string(before) {
			t.Errorf("the patch %s became %s", before, after)
		}
		fuzzDiff(t, target, patch)
	})
}

// fuzzDiff shows both documents as views and checks the patch between them.
func fuzzDiff(t *testing.T, from, to string) {
	a, b := decode(t, from), decode(t, to)
	if view.Check(a) != nil || view.Check(b) != nil {
		return
	}
	v := newViewer(t, new(any))
	v.see(t, &a)
	v.see(t, &b)
	v.see(t, &a)
}
