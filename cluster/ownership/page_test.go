package ownership

import (
	"os"
	"strings"
	"testing"
)

// The tables of docs/decisions/020-ownership.md name all events, effects, states and rules.
func TestThePageNamesEverything(t *testing.T) {
	text, err := os.ReadFile("../../docs/decisions/020-ownership.md")
	if err != nil {
		t.Fatal(err)
	}
	for title, names := range map[string][]string{"Events": kindNames[1:], "Effects": opNames[1:], "States": stateNames[:], "Rules": ruleNames[1:]} {
		_, part, _ := strings.Cut(string(text), "\n## "+title+"\n")
		part, _, _ = strings.Cut(part, "\n## ")
		has := map[string]bool{}
		for _, cell := range strings.FieldsFunc(part, func(r rune) bool { return strings.ContainsRune("|,;:\n", r) }) {
			has[strings.TrimSpace(cell)] = true
		}
		for _, name := range names {
			if !has[name] {
				t.Errorf("docs/decisions/020-ownership.md, %s: %q is not in the table", title, name)
			}
		}
	}
}
