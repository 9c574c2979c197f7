package play_test

import (
	"testing"

	"github.com/roomring/roomring/internal/e2e"
)

// TestAtAnotherNode repeats tests of a single server at a node that owns none of the rooms. Sockets and requests must see no difference.
// The rooms have no standbys, because these would add epochs to their logs.
func TestAtAnotherNode(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeam(t, 2, e2e.OneJournal...).Start()
	for name, check := range map[string]func(*e2e.Server){
		"bad messages":        badMessages,
		"bad hellos":          badHellos,
		"no actions":          (*e2e.Server).CheckInvalidActData,
		"whole numbers":       (*e2e.Server).CheckNumberSpellings,
		"unknown subprotocol": unknownSubprotocol,
		"refused actions":     refusedActionChangesNothing,
		"two tabs":            twoTabs,
		"a gap in cseq":       gapInCSeq,
		"finished rooms":      unknownAndFinishedRooms,
		"a slow reader":       slowReaderCatchesUp,
		"the operator":        operator,
		"points to resume":    func(s *e2e.Server) { resumePoints(s) },
	} {
		t.Run(name, func(t *testing.T) {
			s := c.Nodes[0].ForTest(t)
			s.CreateElsewhere = true
			check(s)
		})
	}
}
