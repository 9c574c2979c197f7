package torture

import (
	"bufio"
	"bytes"
	"os"
)

// alarming begins a line that no node's log may have, whatever breaks around it.
var alarming = [][]byte{[]byte("panic: "), []byte("fatal error: "), []byte("WARNING: DATA RACE")}

// readLogs looks for what must never be in the log of a node that was started here.
func (r *run) readLogs() {
	if r.o.joins() {
		return
	}
	for _, s := range r.cluster.all() {
		f, err := os.Open(s.log)
		if err != nil {
			continue // it was never started
		}
		for lines := bufio.NewReader(f); ; {
			line, err := lines.ReadBytes('\n')
			for _, words := range alarming {
				if bytes.HasPrefix(line, words) {
					r.violate(Violation{Rule: RuleNodes, Text: s.name + " says: " + string(bytes.TrimSpace(line))})
				}
			}
			if err != nil {
				break
			}
		}
		_ = f.Close() // it was only read
	}
}
