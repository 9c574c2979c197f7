// Package persisttest is the conformance suite of persist.Store. It tests from outside that a store does what the comments
// of package persist promise. Every backend runs it.
package persisttest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Open returns an empty store for one test. A test does not close it, so it may be the same one for all.
type Open func(t *testing.T) persist.Store

// Run runs the suite. Each test begins with an empty store.
func Run(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, persist.Store){
		"result":             testResult,
		"long replay":        testLongReplay,
		"nothing there":      testNothingThere,
		"written once":       testWrittenOnce,
		"mismatch":           testMismatch,
		"twice in a batch":   testTwiceInABatch,
		"unwritable":         testUnwritable,
		"empty batch":        testEmptyBatch,
		"ratings":            testRatings,
		"unrated":            testUnrated,
		"many players":       testManyPlayers,
		"names":              testNames,
		"recent":             testRecent,
		"leaderboard":        testLeaderboard,
		"rivals":             testRivals,
		"row created":        testRowCreated,
		"row by code":        testRowByCode,
		"row over":           testRowOver,
		"row after result":   testRowAfterResult,
		"claim":              testClaim,
		"claim refused":      testClaimRefused,
		"claim answer lost":  testClaimAnswerLost,
		"claims of rivals":   testClaimsOfRivals,
		"claims in hundreds": testManyClaims,
		"release":            testRelease,
		"members":            testMembers,
		"strikes":            testStrikes,
		"rows":               testRows,
		"rows naming":        testRowsNaming,
		"over":               testOver,
		"over by rivals":     testOverByRivals,
		"late writes":        testLateWrites,
		"rows listed":        testListRows,
		"dead boot writes":   testDeadBootWrites,
		"boot started":       testBootStarted,
		"boot fenced":        testBootFenced,
		"folder in use":      testFolderInUse,
		"adopted folder":     testAdoptedFolder,
		"boot ended":         testBootEnded,
		"fences are dense":   testFencesAreDense,
		"shared key":         testSharedKey,
		"ping":               func(t *testing.T, s persist.Store) { must(t, s.Ping(t.Context())) },
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// NewRoom draws a room id.
func NewRoom() room.ID {
	var random [10]byte
	rand.Read(random[:])
	return record.NewID(random)
}

// Nonce draws a nonce.
func Nonce() string { return rand.Text() }

// Game makes a rated, finished final of the given players. The first is the winner, and each following is one rank lower.
func Game(game string, players ...room.PlayerID) record.Final {
	f := record.Final{
		Room: NewRoom(), Game: game, Version: 3, End: record.Finished, Rated: true,
		Result: room.Result{Reason: "test", Summary: "The test says so", Data: json.RawMessage(`{"b": 1,  "a": "<ü>"}`)},
		Point:  record.Point{Epoch: 2, Seq: 77}, Duration: 90500 * time.Millisecond,
		Replay: record.Parts{[]byte("replay\x00"), []byte("of it")},
	}
	for i, p := range players {
		f.Result.Outcomes = append(f.Result.Outcomes, room.Outcome{
			Player: p, Name: "Name of " + string(p), Seat: i, Rank: i + 1, Score: int64(10 - i)})
	}
	return Seal(f)
}

// Draw makes every rank of a final 1.
func Draw(f record.Final) record.Final {
	for i := range f.Result.Outcomes {
		f.Result.Outcomes[i].Rank = 1
	}
	return Seal(f)
}

// Seal gives a changed final another hash. The store never computes the hash itself.
func Seal(f record.Final) record.Final {
	bare := f
	bare.Hash, bare.Replay = [32]byte{}, nil
	f.Hash = sha256.Sum256(fmt.Appendf(nil, "%+v", bare))
	return f
}

// NewBoot makes a boot of a new folder.
func NewBoot() persist.Boot {
	return persist.Boot{ID: record.BootID("boot-" + rand.Text()), Node: "one", Folder: "folder-" + rand.Text(),
		Host: "here", PID: 4711, Path: "/var/lib/roomring", Locked: true}
}

// Started writes a new boot as alive.
func Started(t *testing.T, s persist.Store) persist.Boot {
	t.Helper()
	b := NewBoot()
	must(t, s.StartBoot(t.Context(), b))
	return b
}

// NewRow makes the row of a new room under the boot.
func NewRow(b persist.Boot) record.Row {
	return record.Row{Room: NewRoom(), Game: "chess", Epoch: 1, State: record.RowLive,
		Boot: b.ID, Folder: b.Folder, Nonce: Nonce()}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func get[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		must(t, err)
		return v
	}
}

// wrote writes finals and expects the given outcomes.
func wrote(t *testing.T, s persist.Store, finals []record.Final, want ...persist.Outcome) []persist.Verdict {
	t.Helper()
	verdicts, err := s.WriteResults(t.Context(), finals)
	must(t, err)
	if len(verdicts) != len(want) {
		t.Fatalf("%d verdicts for %d finals", len(verdicts), len(finals))
	}
	for i, v := range verdicts {
		if v.Outcome != want[i] {
			t.Fatalf("final %d is %v (%s), want %v", i, v.Outcome, v.Reason, want[i])
		}
	}
	return verdicts
}
