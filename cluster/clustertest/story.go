package clustertest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/room"
)

// Story is a run written by hand: commands and the lines that they cause. It has no chance, and time passes only by its
// commands, which verbs lists.
type Story struct {
	s     *Sim
	lines []Line
}

// NewStory returns a story without nodes.
func NewStory() *Story {
	st := &Story{s: newSim(nil)}
	st.s.trace = func(l Line) { st.lines = append(st.lines, l) }
	return st
}

// Do executes a command and returns what has happened since the last one. The error says what is wrong with the command, or
// which expectation or invariant does not hold.
func (st *Story) Do(command string) ([]Line, error) {
	words := strings.Fields(command)
	verb, ok := verbs[words[0]]
	if !ok {
		return nil, fmt.Errorf("%s: no such command", words[0])
	}
	err := verb(st.s, words[1:])
	if err == nil && st.s.failed != nil {
		err = st.s.failed
	}
	lines := st.lines
	st.lines = nil
	return lines, err
}

var errUsage = errors.New("the command is not complete")

// verbs are the commands, by their first word.
var verbs = map[string]func(s *Sim, words []string) error{
	"start":   (*Sim).doStart,   // NODE... [moved | empty]: starts a process with its node's folder; moved: the folder was moved by hand; empty: with a new folder
	"crash":   (*Sim).doCrash,   // NODE [before EFFECT | after EFFECT]: at once, or before the next such effect, or between it and its answer
	"drain":   (*Sim).doDrain,   // NODE: it gives its rooms away and exits
	"copy":    (*Sim).doCopy,    // NODE to NODE: that one has a copy of its folder, adopted by hand
	"store":   (*Sim).doStore,   // away | back
	"lose":    (*Sim).doLose,    // answer of EFFECT: the store executes the next one and does not answer
	"delay":   (*Sim).doDelay,   // EFFECT TIME: the store executes the next one so much later
	"slow":    (*Sim).doSlow,    // answer of EFFECT TIME: the store executes the next one, and answers so much later
	"disk":    (*Sim).doDisk,    // of NODE fails TIME
	"damage":  (*Sim).doDamage,  // ROOM at NODE N [silently]: the last N entries of its log are lost
	"power":   (*Sim).doPower,   // NODE N: its machine loses power, and each log its last N entries
	"pause":   (*Sim).doPause,   // NODE TIME
	"cut":     (*Sim).doCut,     // NODE NODE [one way]: nothing passes between them; mend ends it
	"mend":    (*Sim).doMend,    // NODE NODE
	"lag":     (*Sim).doLag,     // NODE NODE TIME: what the first sends to the other from now on arrives so much later, in order
	"tend":    (*Sim).doTend,    // TIME | NODE...: all processes look after their rooms twice a second for so long, or these once
	"fill":    (*Sim).doFill,    // ROOM at NODE: its owner feeds that node, and then recruits it
	"part":    (*Sim).doPart,    // NODE N: the next append that it sends brings so many entries, and the rest comes after it
	"suspect": (*Sim).doSuspect, // ROOM at NODE: its owner seems to be dead
	"dismiss": (*Sim).doDismiss, // ROOM: its owner dismisses the standby
	"yield":   (*Sim).doYield,   // ROOM: its owner yields it to the standby
	"unable":  (*Sim).doUnable,  // ROOM: its owner can save nothing
	"ask":     (*Sim).doAsk,     // ROOM at NODE: a spectator asks that owner for the view
	"make":    (*Sim).doMake,    // ROOM at NODE
	"act":     (*Sim).doAct,     // ROOM [N]: N acts, one after another; default 1
	"finish":  (*Sim).doFinish,  // ROOM: the act that ends it
	"want":    (*Sim).doWant,    // ROOM at NODE
	"poison":  (*Sim).doPoison,  // ROOM at NODE: two processes have died in it there
	"lack":    (*Sim).doLack,    // ROOM at NODE: its program cannot read it
	"diverge": (*Sim).doDiverge, // ROOM at NODE: its program comes to something else
	"cure":    (*Sim).doCure,    // NODE: its next process has a program that can run every room
	"refuse":  (*Sim).doRefuse,  // ROOM: the store never takes its end
	"forget":  (*Sim).doForget,  // NODE: an operator says that its folder is lost
	"reopen":  (*Sim).doReopen,  // ROOM at NODE as ROOM: continues a copy that was set aside
	"run":     (*Sim).doRun,     // TIME
	"expect":  (*Sim).doExpect,  // see doExpect
}

func (s *Sim) node(name string) (*node, error) {
	for _, n := range s.nodes {
		if n.name == name {
			return n, nil
		}
	}
	return nil, fmt.Errorf("%s: no such node", name)
}

func (s *Sim) alive(name string) (*life, error) {
	n, err := s.node(name)
	if err == nil && n.life == nil {
		err = fmt.Errorf("node %s does not run", name)
	}
	if err != nil {
		return nil, err
	}
	return n.life, nil
}

// at reads ROOM at NODE.
func (s *Sim) at(words []string) (room.ID, *life, error) {
	if len(words) < 3 || words[1] != "at" {
		return "", nil, errUsage
	}
	l, err := s.alive(words[2])
	return room.ID(words[0]), l, err
}

func effect(name string) (ownership.Op, error) {
	for op := ownership.Create; op <= ownership.Fail; op++ {
		if op.String() == strings.ReplaceAll(name, "-", " ") {
			return op, nil
		}
	}
	return 0, fmt.Errorf("%s: no such effect", name)
}

func (s *Sim) doStart(words []string) error {
	for _, w := range words {
		if w == "moved" || w == "empty" {
			continue
		}
		n, err := s.node(w)
		if err != nil {
			n = s.addNode(w)
		}
		switch {
		case slices.Contains(words, "moved"):
			n.folder.adopt()
		case slices.Contains(words, "empty"):
			s.destroy(n.folder)
			s.lost = append(s.lost, lostFolder{n, n.folder})
			n.folder = s.newFolder()
		}
		n.start()
	}
	return nil
}

// lostFolder is a folder that a node has lost.
type lostFolder struct {
	node   *node
	folder *folder
}

func (s *Sim) doCrash(words []string) error {
	l, err := s.alive(words[0])
	if err != nil || len(words) == 1 {
		if err == nil {
			l.crash("killed")
		}
		return err
	}
	if len(words) != 3 {
		return errUsage
	}
	op, err := effect(words[2])
	l.node.plans = append(l.node.plans, plan{words[1] == "after", op})
	return err
}

func (s *Sim) doDrain(words []string) error {
	l, err := s.alive(words[0])
	if err == nil {
		l.drain(time.Minute)
	}
	return err
}

func (s *Sim) doStore(words []string) error {
	s.store.away = words[0] == "away"
	return nil
}

func (s *Sim) doLose(words []string) error {
	if len(words) != 3 {
		return errUsage
	}
	op, err := effect(words[2])
	s.store.plans = append(s.store.plans, storePlan{op: op, unanswered: true})
	return err
}

func (s *Sim) doDelay(words []string) error {
	if len(words) != 2 {
		return errUsage
	}
	op, err := effect(words[0])
	late, wrong := time.ParseDuration(words[1])
	s.store.plans = append(s.store.plans, storePlan{op: op, late: late})
	return errors.Join(err, wrong)
}

func (s *Sim) doSlow(words []string) error {
	if len(words) != 4 {
		return errUsage
	}
	op, err := effect(words[2])
	slow, wrong := time.ParseDuration(words[3])
	s.store.plans = append(s.store.plans, storePlan{op: op, slow: slow})
	return errors.Join(err, wrong)
}

func (s *Sim) doDisk(words []string) error {
	if len(words) != 4 {
		return errUsage
	}
	n, err := s.node(words[1])
	d, wrong := time.ParseDuration(words[3])
	if err := errors.Join(err, wrong); err != nil {
		return err
	}
	n.folder.failed = s.now + d
	return nil
}

func (s *Sim) doDamage(words []string) error {
	if len(words) < 4 {
		return errUsage
	}
	n, err := s.node(words[2])
	if err != nil {
		return err
	}
	lost, err := strconv.Atoi(words[3])
	if id := room.ID(words[0]); err == nil && n.folder.rooms[id] != nil {
		n.folder.damage(id, lost, len(words) > 4)
	}
	return err
}

func (s *Sim) doMake(words []string) error {
	id, l, err := s.at(words)
	if err == nil {
		l.make(s.truth(id))
	}
	return err
}

func (s *Sim) doAct(words []string) error {
	n := 1
	if len(words) > 1 {
		n, _ = strconv.Atoi(words[1])
	}
	t := s.truth(room.ID(words[0]))
	for range n {
		for _, r := range s.serving(t.id) {
			r.act(t.acked.acts() + 1)
		}
		s.run(s.now + 10*time.Millisecond)
	}
	return nil
}

func (s *Sim) doFinish(words []string) error {
	t := s.truth(room.ID(words[0]))
	t.length = t.acked.acts() + 1
	return s.doAct(words)
}

func (s *Sim) doWant(words []string) error {
	id, l, err := s.at(words)
	if err == nil {
		l.want(id)
	}
	return err
}

func (s *Sim) doPoison(words []string) error {
	id, l, err := s.at(words)
	if err == nil {
		l.folder.deaths[id] = 2
		s.truth(id).deadly = true
	}
	return err
}

func (s *Sim) doLack(words []string) error {
	id, l, err := s.at(words)
	if err == nil {
		l.node.program.lacking = map[room.ID]bool{id: true}
	}
	return err
}

func (s *Sim) doDiverge(words []string) error {
	id, l, err := s.at(words)
	if err == nil {
		l.node.program.another = map[room.ID]bool{id: true}
	}
	return err
}

func (s *Sim) doCure(words []string) error {
	n, err := s.node(words[0])
	if err == nil {
		n.program = program{}
	}
	return err
}

func (s *Sim) doRefuse(words []string) error {
	s.truth(room.ID(words[0])).unwritable = true
	return nil
}

func (s *Sim) doForget(words []string) error {
	for _, lost := range s.lost {
		if lost.node.name == words[0] {
			s.forget(lost.folder)
		}
	}
	return nil
}

func (s *Sim) doReopen(words []string) error {
	if len(words) != 5 {
		return errUsage
	}
	id, l, err := s.at(words)
	if err != nil {
		return err
	}
	for _, a := range l.folder.asides {
		if a.id == id && l.reopen(a, room.ID(words[4])) {
			return nil
		}
	}
	return fmt.Errorf("no copy of %s can go on at %s", id, words[2])
}

func (s *Sim) doRun(words []string) error {
	d, err := time.ParseDuration(words[0])
	if err == nil {
		s.run(s.now + d)
	}
	return err
}

// doExpect reads
//
//	ROOM STATE at NODE [epoch N]
//	ROOM acts N                                    acknowledged acts
//	ROOM row none | live | released | over
//	ROOM end none | stored | aborted
//	ROOM kept | aside | gone at NODE               its log there
//	ROOM members NODE [NODE]                       its row's owner and standby
//	ROOM shown N                                   the acts in the last view that a spectator got
//	NODE runs | exited
func (s *Sim) doExpect(words []string) error {
	if len(words) == 2 {
		n, err := s.node(words[0])
		if err == nil && (n.life != nil) != (words[1] == "runs") {
			err = fmt.Errorf("node %s is not as expected", words[0])
		}
		return err
	}
	if len(words) < 3 {
		return errUsage
	}
	id, want := room.ID(words[0]), strings.Join(words[1:], " ")
	var is string
	switch words[1] {
	case "acts":
		is = fmt.Sprintf("acts %d", s.truth(id).acked.acts())
	case "row":
		is = "row " + s.rowIs(id)
	case "end":
		is = "end " + s.endIs(id)
	case "members":
		is = "members " + s.membersOf(id)
	case "shown":
		is = fmt.Sprintf("shown %d", s.truth(id).shown.acts())
	case "kept", "aside", "gone":
		n, err := s.node(words[3])
		if err != nil {
			return err
		}
		is = n.folder.has(id) + " at " + words[3]
	default:
		l, err := s.alive(words[3])
		if err != nil {
			return err
		}
		is = l.states[id].String() + " at " + words[3]
		if r := l.live[id]; r != nil && len(words) > 4 {
			is += fmt.Sprintf(" epoch %d", r.epoch)
		}
	}
	if is != want {
		return fmt.Errorf("%s is %s, and should be %s%s", id, is, want, s.where(s.truth(id)))
	}
	return nil
}

func (s *Sim) rowIs(id room.ID) string {
	if r := s.store.rows[id]; r != nil {
		return string(r.State)
	}
	return "none"
}

func (s *Sim) endIs(id room.ID) string {
	switch end, ok := s.store.results[id]; {
	case !ok:
		return "none"
	case end.aborted:
		return "aborted"
	}
	return "stored"
}

// has returns how a folder keeps a room.
func (f *folder) has(id room.ID) string {
	switch {
	case f.rooms[id] != nil:
		return "kept"
	case slices.ContainsFunc(f.asides, func(a *aside) bool { return a.id == id }):
		return "aside"
	}
	return "gone"
}
