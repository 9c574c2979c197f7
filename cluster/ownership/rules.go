package ownership

// Rule is one of the rules that keep a room from being lost, forked or ended twice.
type Rule uint8

// The rules.
const (
	NoteFirst      Rule = iota + 1 // the epoch wished for is in the journal before the store is asked for it
	ImportFirst                    // a released room is in the journal before it is claimed
	ClaimIsOpen                    // a claim without an answer is asked again until the store has said whose the row is
	OwnBoot                        // a row that a claim did not move is ours only by this boot, at a later epoch
	ClaimFirst                     // a room goes on only when its row is this node's
	NoRowIsOurs                    // a found room without a row was never anybody else's: its row is made
	OverIsOver                     // a room whose row is over is shown and never played
	StoreFirst                     // a log is removed only when the room's end is stored
	KeepRefused                    // the log of a room whose end the store refuses is set aside
	StopFirst                      // a room is released only when it has stopped and all it has said is committed
	ReleaseFirst                   // a released room's log is removed only when the store has it
	WholeFirst                     // a log that lacks what was acknowledged is not given away
	AbandonOwn                     // only who has a room ends it
	GiveBackFirst                  // what cannot be run here is given back, not dropped
	ReadRowEarlier                 // a row in this folder at an epoch before the one wished for is claimed from there
	lastRule
)

var ruleNames = [...]string{
	NoteFirst: "note first", ImportFirst: "import first", ClaimIsOpen: "a claim is open", OwnBoot: "own boot", ClaimFirst: "claim first",
	NoRowIsOurs: "no row is ours", OverIsOver: "over is over", StoreFirst: "store first", KeepRefused: "keep refused", StopFirst: "stop first",
	ReleaseFirst: "release first", WholeFirst: "whole first", AbandonOwn: "abandon own", GiveBackFirst: "give back first", ReadRowEarlier: "read an earlier row",
}

func (r Rule) String() string { return ruleNames[r] }
