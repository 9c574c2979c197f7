package clustertest

// Rule is one of the rules that journals, rooms and links keep, beside those of packages ownership and replication. The
// simulator stands in for the code that keeps them.
type Rule uint8

// The rules.
const (
	DoubtLasts   Rule = iota + 1 // a restart does not end a doubt
	CommitFirst                  // a room's end is stored when it is committed
	TableInLog                   // which acts a client has sent is a part of the room's state, and comes back with its log
	CutSnapshots                 // a log is cut with the snapshots behind the cut
	UnsureReads                  // a copy that may have forgotten its promises takes an owner's first message only when it has read the row
	EndsStay                     // a room that has ended and cannot be brought back keeps its end
	lastRule
)

var ruleNames = [...]string{
	DoubtLasts: "a doubt lasts", CommitFirst: "commit first",
	TableInLog: "the table is in the log", CutSnapshots: "snapshots are cut",
	UnsureReads: "unsure reads", EndsStay: "an end stays",
}

func (r Rule) String() string { return ruleNames[r] }
