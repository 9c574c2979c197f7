package journal

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/roomring/roomring/room"
)

// castagnoli is CRC-32C (RFC 3720, appendix B.4), which processors compute themselves.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sumOf covers what a row says beside its bytes too, so that a row cannot pass for another's.
func sumOf(id room.ID, data []byte, numbers ...uint64) uint32 {
	head := make([]byte, 0, 64)
	head = append(head, id...)
	for _, n := range numbers {
		head = binary.LittleEndian.AppendUint64(head, n)
	}
	return crc32.Update(crc32.Checksum(head, castagnoli), castagnoli, data)
}

func sumBatch(b room.Batch) uint32 {
	return sumOf(b.Room, b.Entries, uint64(b.First), uint64(b.Last), uint64(b.Epoch), uint64(b.Time))
}

func sumSnapshot(s room.Snapshot) uint32 {
	return sumOf(s.Room, s.Data, uint64(s.Index), uint64(s.Epoch))
}

func sumHeader(id room.ID, header []byte) uint32 { return sumOf(id, header) }
