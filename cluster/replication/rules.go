package replication

// Rule is one of the rules that keep two logs from differing in what was acknowledged.
type Rule uint8

// The rules.
const (
	BothCount      Rule = iota + 1 // while a change is open, the members before it and after it all count
	OldCounts                      // the standby counts until another one has been granted
	WholeFirst                     // a learner is recruited only when it is whole and has confirmed the owner's epoch
	PresentEpoch                   // a confirmation counts only at the epoch at which it was given
	RestoredIsOpen                 // what an owner has restored is committed only when all members have confirmed its epoch
	NoOldOwner                     // a copy takes nothing of an epoch earlier than one that it has promised to follow
	KeepAgreed                     // a copy is cut from the first entry that differs, and what agrees stays
	EntryBefore                    // a copy takes an append only if it has the entry before it
	OpenedFirst                    // a learner is recruited only when it has confirmed the entry that opens the present epoch
	AllOfIt                        // a copy is whole only when it has all that its owner had when their link was made
	FreshWord                      // a question to an owner is answered only when all members have said, since, that its epoch is the present one
	lastRule
)

var ruleNames = [...]string{
	BothCount: "both count", OldCounts: "the old one counts", WholeFirst: "whole before recruited",
	PresentEpoch: "present epoch", RestoredIsOpen: "restored is open", NoOldOwner: "no old owner",
	KeepAgreed: "keep what agrees", EntryBefore: "entry before", OpenedFirst: "opened first", AllOfIt: "all of it", FreshWord: "fresh word",
}

func (r Rule) String() string { return ruleNames[r] }
