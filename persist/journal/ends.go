package journal

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"

	"github.com/roomring/roomring/room"
)

// putEnds writes down where all logs end, in one row beside the time mark. It is a witness: a tail
// that damage makes vanish without a trace is missed by it, up to the last mark.
type putEnds struct{}

func (putEnds) apply(w *writer) error {
	data := make([]byte, 0, 16*len(w.ends))
	for key, end := range w.ends {
		data = binary.LittleEndian.AppendUint64(data, uint64(key))
		data = binary.LittleEndian.AppendUint64(data, uint64(end))
	}
	return w.exec(`INSERT OR REPLACE INTO ends (one, data, sum) VALUES (1, ?, ?)`, data, sumOf("", data))
}

// readEnds gives what the life before wrote down. A witness that is damaged itself says nothing.
func readEnds(ctx context.Context, db querier) (map[int64]room.Index, error) {
	ends := make(map[int64]room.Index)
	var data []byte
	var sum uint32
	err := db.QueryRowContext(ctx, `SELECT data, sum FROM ends`).Scan(&data, &sum)
	if errors.Is(err, sql.ErrNoRows) || err == nil && sumOf("", data) != sum {
		return ends, nil
	}
	for ; len(data) >= 16; data = data[16:] {
		ends[int64(binary.LittleEndian.Uint64(data))] = room.Index(binary.LittleEndian.Uint64(data[8:]))
	}
	return ends, err
}

// ended notes how far a log is written.
func (w *writer) ended(key int64, last room.Index) {
	w.ends[key] = last
	w.endsChanged = true
}
