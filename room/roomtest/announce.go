package roomtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/roomring/roomring/room"
)

// announced proves that a game that names its events sends no other.
func (g *game) announced(sent []message) error {
	announcer, ok := g.core.Game().(room.Announcer)
	if !ok {
		return nil
	}
	known := announcer.Events()
	for _, s := range sent {
		for _, e := range eventsIn(s.json) {
			name := fmt.Sprint(e["name"])
			if _, named := known[name]; !named && name != "rematch" { // which is the runtime's own
				return fmt.Errorf("event %s is sent, and Events names only %s: add it there", name, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
			}
		}
	}
	return nil
}
