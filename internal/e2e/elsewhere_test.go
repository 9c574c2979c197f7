package e2e

import "testing"

// TestAtAnotherNode repeats what is tested of one server with sockets and requests to a node that has none of the rooms:
// nobody can tell.
func TestAtAnotherNode(t *testing.T) {
	t.Parallel()
	c := newTeam(t, 2).start()
	for name, check := range map[string]func(*server){
		"bad messages":        (*server).badMessages,
		"bad hellos":          (*server).badHellos,
		"no actions":          (*server).dataThatNoActionCanBe,
		"whole numbers":       (*server).wholeNumbersHoweverSpelt,
		"unknown subprotocol": (*server).unknownSubprotocol,
		"refused actions":     (*server).refusedActionChangesNothing,
		"two tabs":            (*server).twoTabs,
		"a gap in cseq":       (*server).gapInCSeq,
		"finished rooms":      (*server).unknownAndFinishedRooms,
		"a slow reader":       (*server).slowReaderCatchesUp,
		"the operator":        (*server).operator,
		"points to resume":    func(s *server) { s.resumePoints() },
	} {
		t.Run(name, func(t *testing.T) {
			s := c.nodes[0].of(t)
			s.away = true
			check(s)
		})
	}
}
