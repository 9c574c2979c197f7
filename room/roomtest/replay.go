package roomtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// maxLogFile is the largest log, in bytes, that Replay reads.
const maxLogFile = 256 << 20

// maxInputs bounds what a damaged log can ask for: a run of ticks names a number.
const maxInputs = 10_000_000

// Replay runs a room's log by the rules, and fails with the first input that they play differently than it was played: whose
// outcome is another, which shows somebody another view, or behind which the log has another state. The file is one that the inspector
// or GET /v1/replays/{room} gave, of a room that lived or was over. A log from the inspector has the checksums of all views behind each input,
// others have them from time to time.
//
//	func TestRoom(t *testing.T) {
//		roomtest.Replay(t, poker.Rules, "testdata/room.log")
//	}
//
// A room whose game panicked is played alike only by rules that panic at the same input.
func Replay(t TB, rules *room.Rules, file string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatalf("%v: download it with the inspector", err)
		return
	}
	defer func() { _ = f.Close() }() // it was only read
	n, err := CheckReplay(rules, f)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	t.Logf("%s: %d inputs are played as they were", file, n)
}

// CheckReplay is Replay for a log that is no file, and returns how many inputs the log has. The error says what is wrong with the
// log, or which input is played differently.
func CheckReplay(rules *room.Rules, log io.Reader) (inputs int, err error) {
	data, err := io.ReadAll(io.LimitReader(log, maxLogFile+1))
	switch {
	case err != nil:
		return 0, err
	case len(data) > maxLogFile:
		return 0, fmt.Errorf("the log is longer than %d bytes", maxLogFile)
	}
	replay, err := core.OpenReplay(bytes.NewReader(data))
	if err != nil {
		return 0, err
	}
	defer replay.Close()
	if game := rules.Spec().Name; replay.Header.Game != game {
		return 0, fmt.Errorf("the log is of game %s, and these are the rules of %s", replay.Header.Game, game)
	}
	for _, err := range replay.Entries() {
		switch inputs++; {
		case err != nil:
			return inputs, err
		case inputs > maxInputs:
			return inputs, fmt.Errorf("the log has more than %d inputs", maxInputs)
		}
	}
	if inputs == 0 {
		return 0, errors.New("the log has no inputs")
	}
	var last core.Entry
	machine, err := core.Run(core.Config{Header: replay.Header, Rules: rules}, entriesOf(data, func(e core.Entry) { last = e }), nil)
	if diverged, ok := errors.AsType[*core.DivergedError](err); ok {
		return inputs, fmt.Errorf("input %d %s and these rules %s: %s", diverged.Index, diverged.Was, diverged.Is, brief(describe(last.Input)))
	}
	if err != nil {
		return inputs, err
	}
	return inputs, sameEnd(machine, replay.Final)
}

// entriesOf reads a log, each time anew. It calls each with what it has read.
func entriesOf(data []byte, each func(core.Entry)) core.Log {
	return func() iter.Seq2[core.Entry, error] {
		return func(yield func(core.Entry, error) bool) {
			replay, err := core.OpenReplay(bytes.NewReader(data))
			if err != nil {
				yield(core.Entry{}, err)
				return
			}
			defer replay.Close()
			for e, err := range replay.Entries() {
				each(e)
				if !yield(e, err) {
					return
				}
			}
		}
	}
}

// sameEnd compares the end of a run with the recorded one.
func sameEnd(machine *core.Core, was record.Final) error {
	is := machine.Final()
	switch {
	case was.End == "" || is != nil && is.Sum() == was.Sum():
		return nil
	case is == nil:
		return fmt.Errorf("the game was %s when it was played, and goes on by these rules", was.End)
	}
	return fmt.Errorf("the game was %s with %+v when it was played, and is %s with %+v by these rules", was.End, was.Result, is.End, is.Result)
}
