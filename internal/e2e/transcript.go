package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

// ProtocolPage is docs/PROTOCOL.md, seen from the folders of tests.
const ProtocolPage = "../../../docs/PROTOCOL.md"

// leastTranscripts is the least number of transcripts on the page, so that a broken fence does not pass for a page without errors.
const leastTranscripts = 8

// Transcript is a fenced block of a page: a room and what is said in it.
type Transcript struct {
	Title string
	Room  struct {
		Game    string          `json:"game"`
		Options json.RawMessage `json:"options"`
	}
	Steps []TranscriptStep
	Stops bool // its sockets' node stops
}

// TranscriptStep is one line: a client says, the server says, or a client opens a new socket.
type TranscriptStep struct {
	Where  string // page and line
	Client string // "" is the first, "2" the second
	Does   string // StepClient, StepServer, StepNewSocket or StepNodeStops
	Text   string
}

// What a TranscriptStep does.
const (
	StepClient    = "C"
	StepServer    = "S"
	StepNewSocket = "# new socket"
	StepNodeStops = "# the node stops"
)

// ReadProtocolPage reads the transcripts of docs/PROTOCOL.md.
func ReadProtocolPage(t *testing.T) []Transcript {
	t.Helper()
	all := ReadTranscripts(t, ProtocolPage, "docs/PROTOCOL.md")
	if len(all) < leastTranscripts {
		t.Fatalf("%s has %d transcripts, should have at least %d", ProtocolPage, len(all), leastTranscripts)
	}
	return all
}

// ReadTranscripts reads the transcripts of a page, which name it so in their steps.
func ReadTranscripts(t *testing.T, file, name string) []Transcript {
	t.Helper()
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []Transcript
	title, inside := "", false
	for i, text := range strings.Split(string(page), "\n") {
		switch {
		case strings.HasPrefix(text, "### "):
			title = strings.TrimPrefix(text, "### ")
		case text == "```transcript":
			all, inside = append(all, Transcript{Title: title}), true
		case text == "```":
			inside = false
		case inside:
			where := fmt.Sprintf("%s:%d", name, i+1)
			if err := all[len(all)-1].add(where, text); err != nil {
				t.Fatalf("%s: %v", where, err)
			}
		}
	}
	return all
}

// add takes one line of the page.
func (tr *Transcript) add(where, text string) error {
	if tr.Room.Game == "" {
		return json.Unmarshal([]byte(text), &tr.Room)
	}
	if rest, ok := strings.CutPrefix(text, StepNewSocket); ok {
		tr.Steps = append(tr.Steps, TranscriptStep{where, strings.TrimSpace(rest), StepNewSocket, ""})
		return nil
	}
	if text == StepNodeStops {
		tr.Stops = true
		tr.Steps = append(tr.Steps, TranscriptStep{where, "", text, ""})
		return nil
	}
	who, said, ok := strings.Cut(text, ": ")
	if !ok || len(who) > 2 || who[:1] != StepClient && who[:1] != StepServer {
		return fmt.Errorf("a line of a transcript begins with C:, S:, C2:, S2:, %s or %s: %q", StepNewSocket, StepNodeStops, text)
	}
	tr.Steps = append(tr.Steps, TranscriptStep{where, who[1:], who[:1], said})
	return nil
}

// Anything stands for `…`.
const Anything = "\u2026"

// DecodeLine decodes a line. A `…` outside of a string becomes Anything, which stands for any one value.
func DecodeLine(line string) (v any, err error) {
	var b strings.Builder
	inText, escaped := false, false
	for _, r := range line {
		if r == '…' && !inText {
			b.WriteString(`"` + Anything + `"`)
			continue
		}
		if r == '"' && !escaped {
			inText = !inText
		}
		escaped = r == '\\' && !escaped
		b.WriteRune(r)
	}
	err = json.Unmarshal([]byte(b.String()), &v)
	return v, err
}

// Alike reports whether a decoded message is what a decoded line of a page says.
func Alike(want, got any) bool {
	if want == Anything {
		return true
	}
	w, isObject := want.(map[string]any)
	g, both := got.(map[string]any)
	if isObject && both {
		if len(w) != len(g) {
			return false
		}
		for name, value := range w {
			if have, ok := g[name]; !ok || !Alike(value, have) {
				return false
			}
		}
		return true
	}
	wl, isList := want.([]any)
	gl, both := got.([]any)
	if !isList || !both {
		return reflect.DeepEqual(want, got)
	}
	if len(wl) != len(gl) {
		return false
	}
	for i := range wl {
		if !Alike(wl[i], gl[i]) {
			return false
		}
	}
	return true
}
