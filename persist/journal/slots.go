package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"os"
	"strings"
	"sync/atomic"
	"unsafe"

	"github.com/roomring/roomring/room"
)

// The black box's file is a head of one slot's size (magic, generation), followed by the slots. Each is a
// cache line in the machine's own byte order, because the file never leaves the machine.
const (
	slotSize      = 64
	slotIDBytes   = 44
	slotProbes    = 64 // how many slots are tried for a step
	slotsMagic    = "RRBBOX1\n"
	generationEnd = len(slotsMagic) + 26 // crypto/rand.Text gives 26 characters
)

// States of a slot. If a process dies with a slot claimed but not set, its step had not begun.
const (
	slotFree = iota
	slotClaimed
	slotSet
	slotTold // it is set, and the witness knows of the step
)

type slot struct {
	state       atomic.Uint32
	idLen       uint32
	fingerprint uint64
	idBytes     [slotIDBytes]byte
	turn        atomic.Uint32 // counts the steps that had this slot
}

// slotGame separates a room's id from its game, if a slot has both.
const slotGame = "\x00"

func (s *slot) id() room.ID {
	id, _, _ := strings.Cut(string(s.idBytes[:min(s.idLen, slotIDBytes)]), slotGame)
	return room.ID(id)
}

// slots is a hash table by room without chains. A room has one step at a time, so its place is
// nearly always free and in the cache, and no list of free slots must be shared.
type slots struct {
	table []slot // a power of two
	seed  maphash.Seed
}

// claim sets a free slot for a step. It returns nil if there is none.
func (t *slots) claim(id room.ID, fingerprint uint64) *slot {
	at := maphash.String(t.seed, string(id))
	mask := uint64(len(t.table) - 1)
	for i := range min(uint64(len(t.table)), slotProbes) {
		s := &t.table[(at+i)&mask]
		if s.state.Load() == slotFree && s.state.CompareAndSwap(slotFree, slotClaimed) {
			s.idLen = uint32(copy(s.idBytes[:], id))
			s.fingerprint = fingerprint
			s.turn.Add(1)
			s.state.Store(slotSet)
			return s
		}
	}
	return nil
}

// newSlots makes a new file and maps it. It writes every block, so that a full disk cannot
// fault a memory write later. The file is never unmapped: a late step may still have a slot.
func newSlots(path, generation string, count int) (*slots, error) {
	size := 1
	for size < count {
		size *= 2
	}
	blank := make([]byte, slotSize*(size+1))
	copy(blank, slotsMagic+generation)
	var mapped []byte
	err := replaceFile(path, func(f *os.File) (err error) {
		if _, err = f.Write(blank); err != nil {
			return err
		}
		mapped, err = mapShared(f, len(blank))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("black box: %w", err)
	}
	return &slots{table: tableOf(mapped), seed: maphash.MakeSeed()}, nil
}

func tableOf(mapped []byte) []slot {
	return unsafe.Slice((*slot)(unsafe.Pointer(&mapped[slotSize])), len(mapped)/slotSize-1)
}

// readSlots finds the steps that were under way. There are none in a file that is no black box.
func readSlots(path string) (left map[suspect]string, generation string, err error) {
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, "", fmt.Errorf("black box: %w", err)
	}
	if len(data) < slotSize || string(data[:len(slotsMagic)]) != slotsMagic {
		return nil, "", nil
	}
	left = make(map[suspect]string)
	for at := slotSize; at+slotSize <= len(data); at += slotSize {
		raw := data[at : at+slotSize]
		if state := binary.NativeEndian.Uint32(raw); state != slotSet && state != slotTold {
			continue
		}
		n := min(binary.NativeEndian.Uint32(raw[4:]), slotIDBytes)
		id, game, _ := strings.Cut(string(raw[16:16+n]), slotGame)
		left[suspect{room.ID(id), binary.NativeEndian.Uint64(raw[8:])}] = game
	}
	return left, string(data[len(slotsMagic):generationEnd]), nil
}
