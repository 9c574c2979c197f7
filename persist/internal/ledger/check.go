package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// maxReplay bounds the size of one transaction.
const maxReplay = 256 << 20

// Check returns why no store can hold a final, or nil. It is the same for every store, so that
// a game ends the same way with each of them.
func Check(f record.Final) error {
	if _, err := record.ParseID(string(f.Room)); err != nil {
		return fmt.Errorf("room: %w", err)
	}
	if f.Point.Epoch > math.MaxInt64 || f.Point.Seq > math.MaxInt64 {
		return errors.New("point: beyond 2⁶³")
	}
	if n := f.Replay.Len(); n > maxReplay {
		return fmt.Errorf("replay: %d bytes, a store holds at most %d", n, maxReplay)
	}
	if f.Hash == [32]byte{} {
		return errors.New("hash: missing")
	}
	if len(f.Result.Data) > 0 && !json.Valid(f.Result.Data) {
		return errors.New("result.data: not JSON")
	}
	return errors.Join(
		checkText("game", f.Game), checkText("reason", f.Result.Reason),
		checkText("summary", f.Result.Summary), checkText("result.data", string(f.Result.Data)),
		checkOutcomes(f.Result.Outcomes))
}

func checkOutcomes(outcomes []room.Outcome) error {
	seen := make(map[room.PlayerID]bool, len(outcomes))
	for i, o := range outcomes {
		if err := errors.Join(checkText("player", string(o.Player)), checkText("name", o.Name)); err != nil {
			return fmt.Errorf("outcomes[%d]: %w", i, err)
		}
		if o.Bot {
			continue
		}
		if o.Player == "" || seen[o.Player] {
			return fmt.Errorf("outcomes[%d]: a player must have an id and one outcome", i)
		}
		seen[o.Player] = true
	}
	return nil
}

// checkText refuses text that PostgreSQL cannot hold.
func checkText(field, s string) error {
	if strings.IndexByte(s, 0) >= 0 {
		return fmt.Errorf("%s: holds a NUL", field)
	}
	if !utf8.ValidString(s) {
		return fmt.Errorf("%s: not UTF-8", field)
	}
	return nil
}
