package room_test

import (
	"bytes"
	"flag"
	"os"
	"reflect"
	"testing"

	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/roomtest"
)

var updateLog = flag.Bool("update", false, "play testdata/room.log anew")

func TestRoom(t *testing.T) {
	roomtest.Replay(t, UndercutRules, "testdata/room.log")
}

// TestRoomLog plays the room whose log TestRoom reads.
func TestRoomLog(t *testing.T) {
	machine := exampleRoom(t, UndercutRules, `{"goal": 8}`)
	for i, numbers := range [][2]string{{`{"number":4}`, `{"number":3}`}, {`{"number":5}`, `{"number":1}`}} {
		choose(t, machine, "ann", record.CSeq(i+1), numbers[0])
		choose(t, machine, "bob", record.CSeq(i+1), numbers[1])
	}
	log, err := machine.Replay()
	if err != nil {
		t.Fatal(err)
	}
	var r core.Recording
	if err := r.Add(log.Reader(), machine.Point().Seq); err != nil {
		t.Fatal(err)
	}
	if log, err = r.Checked(UndercutRules, func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	if *updateLog {
		if err := os.WriteFile("testdata/room.log", log.Join(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.ReadFile("testdata/room.log")
	if err != nil {
		t.Fatal(err)
	}
	is, err := core.ReadReplay(bytes.NewReader(file))
	want, bad := core.ReadReplay(log.Reader())
	if err != nil || bad != nil || !reflect.DeepEqual(is, want) {
		t.Errorf("testdata/room.log is another room's: go test ./room -run TestRoomLog -update (%v, %v)", err, bad)
	}
}
