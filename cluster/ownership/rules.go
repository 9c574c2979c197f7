package ownership

// Rule is one of the rules that keep a room from being lost, forked or ended twice.
type Rule uint8

// The rules.
const (
	NoteFirst         Rule = iota + 1 // the journal notes the epoch to claim before the store is asked for it
	ImportFirst                       // a released room is in the journal before it is claimed
	ClaimIsOpen                       // a claim without an answer is repeated until the store has said whose the row is
	OwnBoot                           // a row that a claim did not move is ours only if it has this boot and a later epoch
	ClaimFirst                        // a room runs only once its row is this node's
	NoRowIsOurs                       // a found room without a row never belonged to another node: its row is created
	OverIsOver                        // a room whose row is over is shown and never played
	StoreFirst                        // a log is removed only when the room's end is stored
	KeepRefused                       // the log of a room whose end the store refuses is set aside
	StopFirst                         // a room is released only when it has stopped and all its output is committed
	ReleaseFirst                      // a released room's log is removed only when the store has it
	WholeFirst                        // a log that lacks acknowledged entries is not released
	AbandonOwn                        // only the owner of a room ends it
	GiveBackFirst                     // a room that cannot run here is given back, not dropped
	ChangeIsOpen                      // a change of members without an answer is repeated until the store has said what the row is
	StopBeforeYield                   // the standby takes a room only when it has stopped and all its output is committed
	WholeSeizes                       // a copy that is not whole is neither seized nor resumed from while there is another member
	KeepPromised                      // a copy goes only by a row that does not name it, at an epoch later than any that it has promised to follow
	AdoptedIsNoMember                 // a folder that an operator has adopted goes on only with rooms that are alone in their row
	HigherSettles                     // only a row at a later epoch settles a change without an answer
	ReadFirst                         // an offer is believed only when the row shows that owner at that epoch
	DoubtWaits                        // a copy that may have lost its end waits for the other member before it goes on without it
	AllItHolds                        // a room that was taken is restored from all that its copy holds when it is granted
	GrantIsLatest                     // a room that was granted late goes on here only if its copy has promised to follow nobody later
	lastRule
)

var ruleNames = [...]string{
	NoteFirst: "note first", ImportFirst: "import first", ClaimIsOpen: "a claim is open", OwnBoot: "own boot", ClaimFirst: "claim first",
	NoRowIsOurs: "no row is ours", OverIsOver: "over is over", StoreFirst: "store first", KeepRefused: "keep refused", StopFirst: "stop first",
	ReleaseFirst: "release first", WholeFirst: "whole first", AbandonOwn: "abandon own", GiveBackFirst: "give back first",
	AdoptedIsNoMember: "adopted is no member", ChangeIsOpen: "a change is open", StopBeforeYield: "stop before yield", WholeSeizes: "whole seizes", KeepPromised: "keep what was promised",
	HigherSettles: "a later row settles", ReadFirst: "read first", DoubtWaits: "doubt waits",
	AllItHolds: "all it holds", GrantIsLatest: "the grant is the latest",
}

func (r Rule) String() string { return ruleNames[r] }
