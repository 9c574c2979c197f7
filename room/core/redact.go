package core

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// GoneName is the name that replaces the name of an erased player.
const GoneName = "Forgotten player"

// Redaction replaces a player by a tombstone in the stored result and replay of one room. It does not interpret what players
// wrote to each other in their actions, so a name inside such a text stays.
type Redaction struct {
	Player room.PlayerID // the player to erase
	Gone   room.PlayerID // the tombstone: the caller draws it at random for each room, so that it does not identify anybody

	// Stop is called before each input that Rerun replays. An error ends Rerun with that error. Nil: Rerun runs to its end.
	Stop func() error

	names []string // the names of the player in this room, longest first
}

// minIDInText is the length in bytes from which an id is also replaced inside longer texts. A shorter id is replaced only where
// it stands alone, because it may equal a word of a language.
const minIDInText = 8

// errTraces means that the player is still named in a place that cannot be rewritten.
var errTraces = errors.New("the log names the player where it is not understood")

// Learn collects the names of the player from the room's end and from its replay, which may be empty. The error says why the
// replay, or a part of it, cannot be read.
func (r *Redaction) Learn(f record.Final, replay []byte) error {
	r.learnOutcomes(f.Result.Outcomes)
	if len(replay) == 0 {
		return nil
	}
	rr, err := OpenReplay(bytes.NewReader(replay))
	if err != nil {
		return err
	}
	defer rr.Close()
	r.learnOutcomes(rr.Final.Result.Outcomes)
	for e, err := range rr.Entries() {
		if err != nil {
			return err
		}
		if e.Kind == KindJoin && e.Player == r.Player {
			r.addName(e.Name)
		}
		if s, ok := e.state(); ok {
			for _, at := range s.Seats {
				if at.Player == r.Player {
					r.addName(at.Name)
				}
			}
		}
	}
	return nil
}

func (r *Redaction) learnOutcomes(outcomes []room.Outcome) {
	for _, o := range outcomes {
		if o.Player == r.Player && !o.Bot {
			r.addName(o.Name)
		}
	}
}

func (r *Redaction) addName(name string) {
	if name == "" || name == GoneName || slices.Contains(r.names, name) {
		return
	}
	r.names = append(r.names, name)
	slices.SortStableFunc(r.names, func(a, b string) int { return len(b) - len(a) })
}

// Final returns a room's end without the player. It also replaces the player's names where they stand as words in texts. The
// result has no Replay, and Hash is the sum of the redacted end.
func (r *Redaction) Final(f record.Final) record.Final {
	f.Replay = nil
	f.Result.Outcomes = slices.Clone(f.Result.Outcomes)
	for i := range f.Result.Outcomes {
		if o := &f.Result.Outcomes[i]; o.Player == r.Player {
			o.Player, o.Name = r.Gone, GoneName
		}
	}
	f.Result.Reason, f.Result.Summary = r.words(f.Result.Reason), r.words(f.Result.Summary)
	f.Result.Data = r.json(f.Result.Data, r.words)
	without := func(all []room.PlayerID) []room.PlayerID {
		return slices.DeleteFunc(slices.Clone(all), func(p room.PlayerID) bool { return p == r.Player })
	}
	if f.Readers != nil {
		f.Readers = append([]room.PlayerID{}, without(f.Readers)...) // not nil, which would mean everybody
	}
	f.Named = without(f.Named)
	f.Hash = f.Sum()
	return f
}

// Rerun replays a game twice side by side, once as it was and once without the player. It returns the end and the replay of the
// second run, without Readers and Named. The error says why that is impossible: the rules have another version, the game
// failed, or it runs differently when a player has another id. It takes as long as the game's own work did.
func (r *Redaction) Rerun(rules *room.Rules, replay []byte) (record.Final, error) {
	rr, err := OpenReplay(bytes.NewReader(replay))
	if err != nil {
		return record.Final{}, err
	}
	header, was := rr.Header, rr.Final
	rr.Close()
	switch {
	case was.End == "" || was.Failed():
		return record.Final{}, errors.New("the game failed and is not run again")
	case was.Version != rules.Spec().Version:
		return record.Final{}, &VersionError{Game: header.Game, Need: was.Version, Have: rules.Spec().Version}
	}
	if err := newCore(runConfig(header, rules)).checkRuntime(header.Runtime); err != nil {
		return record.Final{}, err
	}
	p := rerunPair{r: r, was: newCore(runConfig(header, rules))}
	header.Name, header.Options = r.words(header.Name), r.json(header.Options, r.ids)
	p.is = newCore(runConfig(header, rules))
	if err := p.run(logIn(replay)); err != nil {
		return record.Final{}, err
	}
	if p.is.s.Final == nil || p.was.s.Final == nil {
		return record.Final{}, errors.New("the game does not end when it is played again")
	}
	f := *p.is.s.Final
	if p.was.s.Final.Sum() != was.Sum() || !r.sameEnd(was, f) {
		return record.Final{}, errors.New("the game ends differently when it is played again")
	}
	f.Hash = f.Sum()
	if f.Replay, err = p.log.replay(header, f); err != nil {
		return record.Final{}, err
	}
	return f, r.checkTraces(f.Replay)
}

func runConfig(h record.Header, rules *room.Rules) Config {
	return Config{Header: h, Rules: rules, ResumeTurns: 1, ResumeBytes: math.MaxInt}
}

// logIn returns the log of a replay.
func logIn(replay []byte) Log {
	return func() iter.Seq2[Entry, error] {
		return func(yield func(Entry, error) bool) {
			rr, err := OpenReplay(bytes.NewReader(replay))
			if err != nil {
				yield(Entry{}, err)
				return
			}
			defer rr.Close()
			rr.Entries()(yield)
		}
	}
}

// rerunPair steps a game and the same game without a player side by side.
type rerunPair struct {
	r       *Redaction
	was, is *Core
	log     logbook // the log of the second game
}

func (p *rerunPair) run(log Log) error {
	if err := errors.Join(p.was.seekStart(log()), p.is.seekStart(log())); err != nil {
		return err
	}
	for e, err := range log() {
		if err == nil && p.r.Stop != nil {
			err = p.r.Stop()
		}
		if err != nil {
			return err
		}
		if err := p.step(e); err != nil {
			return err
		}
	}
	return p.sameViews()
}

// step replays an entry in both games. It logs the entry of the second game with the result that it had there.
func (p *rerunPair) step(e Entry) error {
	out, err := p.r.entry(e)
	if err != nil {
		return err
	}
	out.Checks = nil // they are of views that name the player
	stepped := e.Index > p.is.s.Index
	p.was.outputs, p.is.outputs = p.was.outputs[:0], p.is.outputs[:0] // nobody is shown anything
	if err := p.was.replayEntry(e); err != nil {
		return err
	}
	if err := p.is.replayEntry(out); err != nil {
		return err
	}
	p.was.log, p.is.log = logbook{}, logbook{} // these logs are not used; p.log is
	if !stepped {
		p.log.append(out, false)
		return nil
	}
	if len(e.Checks) > 0 {
		if err := p.sameViews(); err != nil {
			return err
		}
	}
	for _, check := range e.Checks {
		if cl := p.is.classOf(check.Class); cl != nil {
			check.Sum = cl.shadow.Checksum()
			out.Checks = append(out.Checks, check)
		}
	}
	if out.Refused != nil && p.is.last.Refused != nil {
		out.Refused = p.is.last.Refused
	}
	p.log.append(out, false)
	return nil
}

// sameViews compares the views of all viewers in the two games.
func (p *rerunPair) sameViews() error {
	differ := fmt.Errorf("at input %d the game shows something else to players of other ids", p.is.s.Index)
	all := func(c *Core) (views []*class) {
		for _, info := range c.s.Classes {
			views = append(views, c.classes.byID[info.ID])
		}
		return append(views, c.classes.spectator)
	}
	was, is := all(p.was), all(p.is)
	if len(was) != len(is) {
		return differ
	}
	for i := range was {
		if was[i] == nil || is[i] == nil {
			if was[i] != is[i] {
				return differ
			}
			continue
		}
		shown := p.r.json(was[i].shadow.AppendJSON(nil), p.r.words)
		if !sameJSON(shown, p.r.json(is[i].shadow.AppendJSON(nil), p.r.words)) {
			return differ
		}
	}
	return nil
}

// sameJSON compares two values and ignores the order of fields. The order differs where ids are names of fields.
func sameJSON(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	value := func(data []byte) (v any, err error) {
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		err = d.Decode(&v)
		return v, err
	}
	x, err := value(a)
	if err != nil {
		return false
	}
	y, err := value(b)
	return err == nil && reflect.DeepEqual(x, y)
}

// sameEnd reports whether both ends are equal, with the tombstone in the place of the player.
func (r *Redaction) sameEnd(was, is record.Final) bool {
	was = r.Final(was)
	outcomes := func(f *record.Final) map[room.PlayerID]room.Outcome {
		all := map[room.PlayerID]room.Outcome{}
		for _, o := range f.Result.Outcomes {
			all[o.Player] = o
		}
		return all
	}
	return was.End == is.End && was.Rated == is.Rated && was.Point == is.Point && was.Duration == is.Duration &&
		reflect.DeepEqual(outcomes(&was), outcomes(&is))
}

// entry returns an entry without the player, as far as the runtime can interpret it.
func (r *Redaction) entry(e Entry) (Entry, error) {
	if e.Player == r.Player {
		e.Player = r.Gone
		if e.Kind == KindJoin {
			e.Name = GoneName
		}
	}
	switch e.Kind {
	case KindTimer, KindSignal:
		e.Name = r.ids(e.Name)
	case KindCut, KindUpgrade:
		data, err := r.state(e.Data)
		e.Data = data
		return e, err
	}
	e.Reason, e.Data = r.words(e.Reason), r.json(e.Data, r.ids)
	if e.Refused != nil {
		e.Refused = &room.Refusal{Code: e.Refused.Code, Reason: r.words(e.Refused.Reason)}
	}
	return e, nil
}

// state returns an encoded state of the room without the player. It can rewrite the game's own part only if that is JSON.
func (r *Redaction) state(data []byte) ([]byte, error) {
	s, err := decodeState(data, 0)
	if err != nil {
		return nil, err
	}
	swap := func(p *room.PlayerID) {
		if *p == r.Player {
			*p = r.Gone
		}
	}
	for i := range s.Seats {
		if at := &s.Seats[i]; at.Player == r.Player {
			at.Player, at.Name = r.Gone, GoneName
		}
	}
	for i := range s.Clients {
		c := &s.Clients[i]
		swap(&c.Player)
		for j := range c.Answers {
			c.Answers[j].Reason = r.words(c.Answers[j].Reason)
		}
	}
	for _, all := range [][]room.PlayerID{s.Banned, s.Agreed} {
		for i := range all {
			swap(&all[i])
		}
	}
	for i := range s.Acted {
		swap(&s.Acted[i].Player)
	}
	for i := range s.Reserved {
		swap(&s.Reserved[i].Player)
	}
	for i := range s.Classes {
		if key := &s.Classes[i].Key; *key == "player "+string(r.Player) {
			*key = "player " + string(r.Gone)
		} else {
			*key = r.ids(*key)
		}
	}
	for i := range s.Timers {
		s.Timers[i].Name = r.ids(s.Timers[i].Name)
	}
	for i := range s.Events {
		swap(&s.Events[i].To)
		s.Events[i].Data = r.json(s.Events[i].Data, r.exact)
	}
	if s.Final != nil {
		f := r.Final(*s.Final)
		f.Hash, s.Final = s.Final.Hash, &f
	}
	s.Rematch, s.CloseWhy = r.json(s.Rematch, r.ids), r.words(s.CloseWhy)
	if json.Valid(s.Game) {
		s.Game = r.json(s.Game, r.exact)
	} else if bytes.Contains(s.Game, []byte(r.Player)) {
		return nil, errTraces
	}
	return s.encode()
}

// ids replaces the player's id in a text that a program wrote.
func (r *Redaction) ids(s string) string {
	id, gone := string(r.Player), string(r.Gone)
	switch {
	case s == id:
		return gone
	case len(id) >= minIDInText:
		return strings.ReplaceAll(s, id, gone)
	case strings.HasSuffix(s, ":"+id): // as in "player:ID"
		return s[:len(s)-len(id)] + gone
	}
	return s
}

// exact does the same as ids, and also replaces the name if the text is exactly the name.
func (r *Redaction) exact(s string) string {
	if slices.Contains(r.names, s) {
		return GoneName
	}
	return r.ids(s)
}

// words does the same as ids, and also replaces the name wherever it stands as a word. It is for texts for people.
func (r *Redaction) words(s string) string {
	s = r.ids(s)
	for _, name := range r.names {
		s = replaceWord(s, name, GoneName)
	}
	return s
}

// replaceWord replaces word where no letter or digit stands directly before or after it.
func replaceWord(s, word, by string) string {
	var out strings.Builder
	begun := s
	for from := 0; ; {
		i := strings.Index(s[from:], word)
		if i < 0 {
			break
		}
		i += from
		rest := s[i+len(word):]
		before, _ := utf8.DecodeLastRuneInString(begun[:len(begun)-len(s)+i])
		after, _ := utf8.DecodeRuneInString(rest)
		if isWordRune(before) || isWordRune(after) {
			from = i + len(word)
			continue
		}
		out.WriteString(s[:i])
		out.WriteString(by)
		s, from = rest, 0
	}
	out.WriteString(s)
	return out.String()
}

func isWordRune(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// json rewrites the strings of a JSON text, including the names of fields. All other bytes stay the same. A text that is not
// JSON is returned unchanged.
func (r *Redaction) json(data []byte, rewrite func(string) string) []byte {
	if !bytes.ContainsRune(data, '"') || !json.Valid(data) {
		return data
	}
	var out []byte
	for i := 0; i < len(data); {
		if data[i] != '"' {
			out = append(out, data[i])
			i++
			continue
		}
		end := i + 1
		for data[end] != '"' {
			if data[end] == '\\' {
				end++
			}
			end++
		}
		end++
		literal := data[i:end]
		var text string
		if err := json.Unmarshal(literal, &text); err == nil {
			if now := rewrite(text); now != text {
				literal, _ = json.Marshal(now) // a string always encodes
			}
		}
		out, i = append(out, literal...), end
	}
	return out
}

// checkTraces returns an error if a replay still contains the id. It does not look for short ids, because they also occur by
// chance.
func (r *Redaction) checkTraces(replay record.Parts) error {
	if len(r.Player) < minIDInText {
		return nil
	}
	plain, err := zstd.NewReader(io.MultiReader(bytes.NewReader(replay.Join()[len(replayMagic):])), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
	if err != nil {
		return err
	}
	defer plain.Close()
	var kept []byte
	chunk := make([]byte, 64<<10)
	for {
		n, err := plain.Read(chunk)
		kept = append(kept, chunk[:n]...)
		if bytes.Contains(kept, []byte(r.Player)) {
			return errTraces
		}
		kept = append(kept[:0], kept[max(len(kept)-len(r.Player), 0):]...)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
