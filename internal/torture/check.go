package torture

import (
	"cmp"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
)

// Rule names what must hold.
type Rule string

// The rules.
const (
	RuleActs    Rule = "acts"    // an acknowledged act is in the log once, in order, as it was sent and answered
	RuleTurns   Rule = "turns"   // a client's turns have no gap, no contradiction, and never go back
	RuleViews   Rule = "views"   // what a client was shown at an index is what the replay shows it there
	RuleEpochs  Rule = "epochs"  // outputs of one epoch come from one node, and belong to the log's own epochs
	RuleResults Rule = "results" // a finished room has one result, the replay's, and counts once for its players
	RuleRooms   Rule = "rooms"   // a room that was made is never lost
	RuleNodes   Rule = "nodes"   // a process ends only when it is told to, and then with 0
)

// Rules are all rules, in the order of reports.
var Rules = []Rule{RuleActs, RuleTurns, RuleViews, RuleEpochs, RuleResults, RuleRooms, RuleNodes}

// Violation is one case in which a rule was broken.
type Violation struct {
	Rule   Rule    `json:"rule"`
	Room   room.ID `json:"room,omitempty"`
	Client string  `json:"client,omitempty"`
	Text   string  `json:"text"`
}

func (v Violation) String() string {
	where := ""
	if v.Room != "" {
		where = fmt.Sprintf(" room %s", v.Room)
	}
	if v.Client != "" {
		where += fmt.Sprintf(", %s", v.Client)
	}
	return fmt.Sprintf("%s:%s: %s", v.Rule, where, v.Text)
}

// owner is a node that was seen to have a room at an epoch.
type owner struct {
	epoch uint64
	node  string
}

// evidence is all that is known of one room after its end.
type evidence struct {
	ID      room.ID
	Rules   *room.Rules
	Clients []*clientLog
	Owners  []owner               // as the admin API told them
	Ending  *ending               // nil: it has none
	Missing string                // why it has no ending
	Replay  *core.Replay          // nil: the store has none
	Counted map[room.PlayerID]int // finished games that the store has counted for each player, who has played in this room alone
}

// ending is a room's row of results, as the store has it.
type ending struct {
	End    string
	Hash   string
	Seq    uint64
	Result []byte // the game's
	Failed bool   // aborted without a word of the game
}

// checker gathers the violations of one room.
type checker struct {
	*evidence
	found   []Violation
	owners  map[uint64]string // by epoch
	clients []*clientFacts
}

// maxViolations bounds what is reported of one room and rule: one fault often breaks a rule a thousand times.
const maxViolations = 5

func (c *checker) report(rule Rule, client, format string, args ...any) {
	same := 0
	for _, v := range c.found {
		if v.Rule == rule {
			same++
		}
	}
	if same < maxViolations {
		c.found = append(c.found, Violation{rule, c.ID, client, fmt.Sprintf(format, args...)})
	}
}

// check returns what is wrong with a room.
func check(e *evidence) []Violation {
	c := &checker{evidence: e, owners: map[uint64]string{}}
	for _, l := range e.Clients {
		c.clients = append(c.clients, c.checkClient(l))
	}
	for _, o := range e.Owners {
		c.owned(o.epoch, o.node, "the admin API")
	}
	c.checkAlike()
	c.checkEnding()
	if c.Replay != nil {
		c.checkReplay()
	}
	return c.found
}

// owned notes that a node had the room at an epoch.
func (c *checker) owned(epoch uint64, node, who string) {
	if node == "" {
		return
	}
	if other, known := c.owners[epoch]; known && other != node {
		c.report(RuleEpochs, "", "epoch %d is of %s, and of %s as %s says", epoch, other, node, who)
		return
	}
	c.owners[epoch] = node
}

// checkAlike compares what clients who see the same were shown at one index. The replay says more, but only of what its log still has.
func (c *checker) checkAlike() {
	if !c.Rules.Spec().SharedView {
		return
	}
	type sight struct {
		client string
		note   note
	}
	seen := map[uint64]sight{}
	for _, f := range c.clients {
		for _, n := range f.log.notes {
			if n.Kind != noteTurn {
				continue
			}
			if other, known := seen[n.Seq]; known && other.note.Check != n.Check {
				c.report(RuleViews, f.log.Name, "turn %d leads to view %08x, and to %08x for %s", n.Seq, n.Check, other.note.Check, other.client)
			}
			seen[n.Seq] = sight{f.log.Name, n}
		}
	}
}

// checkEnding compares the result with what clients were told, and with what the store has counted.
func (c *checker) checkEnding() {
	if c.Ending == nil {
		c.report(RuleRooms, "", "it has no result: %s", cmp.Or(c.Missing, "nobody knows why"))
		return
	}
	if c.Ending.Failed {
		c.report(RuleRooms, "", "it was lost: it ended as %s, not by its game and not by the operator", c.Ending.End)
	}
	for _, f := range c.clients {
		o := f.over
		if o == nil {
			continue
		}
		if o.Seq != c.Ending.Seq || o.Text != c.Ending.End {
			c.report(RuleResults, f.log.Name, "it was told that the room was %s at %d, and the result says %s at %d", o.Text, o.Seq, c.Ending.End, c.Ending.Seq)
		} else if len(o.Data) > 0 && !sameResult(o.Data, c.Ending.Result) {
			c.report(RuleResults, f.log.Name, "it was told the result %s, and the stored one is %s", o.Data, c.Ending.Result)
		}
	}
	for _, p := range sortedKeys(c.Counted) {
		n := c.Counted[p]
		if n > 1 || n == 0 && c.Ending.End == "finished" {
			c.report(RuleResults, "", "the store counts %d games of player %s, who has played this one", n, p)
		}
	}
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func checksum(b []byte) uint32 { return crc32.ChecksumIEEE(b) }
