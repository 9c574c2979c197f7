package cli

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// evil is what a terminal would act on, raw where JSON lets it be: C1 controls as runes, a line and a paragraph that end,
// directions of reading; and as an escape a sequence that clears the screen. Between them is what people write.
const evil = "Zoë 棋 👩‍👧\u007f\u0085\u009b31m\u2028\u2029\u200f\u061c\u202a\u202e\u2066\u2069" + `\u001b[2J`

// evilServer answers everything with evil texts. It refuses paths without an answer with such a text.
func evilServer(t *testing.T) *httptest.Server {
	answers := map[string]string{
		"GET /admin/v1/nodes":   `{"nodes":[{"name":"EVIL","state":"EVIL","zone":"EVIL","version":"EVIL","unready":["EVIL"],"links":[{"peer":"EVIL","error":"EVIL"}]}]}`,
		"GET /admin/v1/ring":    `{"nodes":[{"name":"EVIL","zone":"EVIL"}],"where":{"id":"EVIL","hash":"EVIL","point":"EVIL","nodes":["EVIL"],"node":"EVIL","why":"EVIL"},"moves":{"flows":[{"from":"EVIL","to":"EVIL"}]}}`,
		"GET /admin/v1/rooms":   `{"rooms":[{"id":"EVIL","game":"EVIL","phase":"EVIL","node":"EVIL","code":"EVIL","name":"EVIL"}],"next":"EVIL"}`,
		"POST /admin/v1/drain":  `{"node":"EVIL","will":"EVIL"}`,
		"POST /admin/v1/forget": `{"node":"EVIL"}`,
		"GET /admin/v1/rooms/0123456789abcdef": `{"id":"EVIL","game":"EVIL","name":"EVIL","still":"EVIL","durability":"EVIL","seats":[{"player":"EVIL","name":"EVIL"}],` +
			`"queues":{"sessions":[{"player":"EVIL","edge":"EVIL","client":"EVIL"}]},"recent":[{"kind":"EVIL","player":"EVIL"}],"as":"EVIL","state":{"EVIL":["EVIL",` + "\r" + `1]}}`,
		"GET /admin/v1/rooms/0123456789abcdeg": `{"unavailable":"EVIL"}`,
		"GET /admin/v1/rooms/0123456789abcdef/events": "event: input\ndata: {\"kind\":\"EVIL\",\"player\":\"EVIL\"}\n\n" +
			"event: over\ndata: {\"end\":\"EVIL\"}\n\n",
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := answers[r.Method+" "+r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusTeapot)
			text = `{"detail":"EVIL"}`
		}
		_, _ = w.Write([]byte(strings.ReplaceAll(text, "EVIL", evil) + "\n"))
	}))
	t.Cleanup(s.Close)
	return s
}

// harmless reports whether a terminal only shows the text.
func harmless(text string) bool {
	for _, r := range text {
		if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || strings.ContainsRune("\u061c\u200e\u200f\u2028\u2029", r) ||
			r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return false
		}
	}
	return true
}

// TestNothingEvilReachesATerminal has every admin command print the answers of a malicious server.
func TestNothingEvilReachesATerminal(t *testing.T) {
	t.Parallel()
	s := evilServer(t)
	for _, args := range [][]string{
		{"nodes"}, {"ring"}, {"rooms"}, {"room", "0123456789abcdef"}, {"room", "0123456789abcdeg"}, {"events", "0123456789abcdef"},
		{"drain"}, {"forget", "n1"},
	} {
		for _, output := range []string{"table", "json"} {
			var out, errs bytes.Buffer
			code := Run(Program{}, append([]string{"admin", "--admin", s.URL, "--output", output}, args...), &out, &errs)
			if code != ExitOK || out.Len() == 0 || errs.Len() > 0 || !harmless(out.String()) {
				t.Errorf("admin %v as %s: exit %d\n%q\n%q", args, output, code, &out, &errs)
			}
			if !strings.Contains(out.String(), "Zoë 棋 👩‍👧") {
				t.Errorf("admin %v as %s lost what people wrote: %q", args, output, &out)
			}
			for line := range strings.Lines(out.String()) {
				if output == "json" && (!json.Valid([]byte(line)) || !saysEvil(line)) {
					t.Errorf("admin %v in JSON says %q", args, line)
				}
			}
		}
	}
	for _, args := range [][]string{
		{"admin", "--admin", s.URL, "kick", "0123456789abcdef", "g_1"},
		{"healthcheck", "--url", s.URL}, {"replay", "--url", s.URL, "0123456789abcdef"},
	} {
		var out, errs bytes.Buffer
		if code := Run(Program{}, args, &out, &errs); code != ExitFailed || !strings.Contains(errs.String(), "Zoë") || !harmless(errs.String()) {
			t.Errorf("%v: exit %d, %q", args, code, &errs)
		}
	}
}

// saysEvil reports whether JSON still means what the server said.
func saysEvil(line string) bool {
	var meant string
	return json.Unmarshal([]byte(`"`+evil+`"`), &meant) == nil && anyText(jsonValue(line), meant)
}

func jsonValue(text string) (v any) {
	_ = json.Unmarshal([]byte(text), &v) // invalid JSON gives nil, which contains no text
	return v
}

func anyText(v any, text string) bool {
	switch v := v.(type) {
	case string:
		return v == text
	case []any:
		for _, e := range v {
			if anyText(e, text) {
				return true
			}
		}
	case map[string]any:
		for _, e := range v {
			if anyText(e, text) {
				return true
			}
		}
	}
	return false
}

// TestAnswersOfStrangers sends commands to a server that is not an admin listener. The error says so, whatever the output format.
func TestAnswersOfStrangers(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>\u009b")) }))
	t.Cleanup(s.Close)
	for _, output := range []string{"table", "json"} {
		var out, errs bytes.Buffer
		code := Run(Program{}, []string{"admin", "--admin", s.URL, "--output", output, "nodes"}, &out, &errs)
		if code != ExitFailed || out.Len() > 0 || !mentions(errs.String(), "as no admin listener") || !harmless(errs.String()) {
			t.Errorf("as %s: exit %d, %q, %q", output, code, &out, &errs)
		}
	}
}
