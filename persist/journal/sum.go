package journal

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/roomring/roomring/room"
)

// castagnoli is CRC-32C (RFC 3720, appendix B.4), for which processors have an instruction.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sumOf is a checksum over bytes, their room and their place, so that the bytes of one record cannot pass for another.
func sumOf(id room.ID, place int64, data []byte) uint32 {
	head := make([]byte, 0, 64)
	head = append(head, id...)
	head = binary.LittleEndian.AppendUint64(head, uint64(place))
	return sum(head, data)
}

func sum(head, data []byte) uint32 {
	return crc32.Update(crc32.Checksum(head, castagnoli), castagnoli, data)
}
