package members

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"github.com/roomring/roomring/room/record"
)

// A node describes itself in these bytes, which gossip carries to all:
//
//	0      version of this format
//	1      state
//	2-5    weight, float32
//	6-9    load, float32
//	10-17  hash of the versions of its games
//	18-19  least version of the link's schema
//	20-21  latest
//	22     length of the zone, then the zone
//	       length of the link's address, then the address
//
// Numbers are big-endian. A newer version only appends, so an older node understands the beginning. Missing bytes count as
// zero. The name and the boot are in the gossip name.
const (
	metaVersion = 1
	metaFixed   = 22
	metaMax     = 127 // bytes; small, because all of them go to every node at each change
	metaSpare   = 16  // bytes reserved for newer versions
	metaTexts   = metaMax - metaSpare - metaFixed - 2
)

func encodeMeta(m Member) []byte {
	b := make([]byte, 0, metaMax)
	b = append(b, metaVersion, byte(m.State))
	b = binary.BigEndian.AppendUint32(b, math.Float32bits(float32(m.Weight)))
	b = binary.BigEndian.AppendUint32(b, math.Float32bits(float32(m.Load)))
	b = binary.BigEndian.AppendUint64(b, m.Games)
	b = binary.BigEndian.AppendUint16(b, uint16(min(m.Least, math.MaxUint16)))
	b = binary.BigEndian.AppendUint16(b, uint16(min(m.Latest, math.MaxUint16)))
	b = append(append(b, byte(len(m.Zone))), m.Zone...)
	return append(append(b, byte(len(m.Link))), m.Link...)
}

// decodeMeta decodes what any node may have sent. It never fails: a node whose bytes are empty is Joining.
func decodeMeta(b []byte) Member {
	var fixed [metaFixed]byte
	copy(fixed[:], b)
	m := Member{
		State:  State(fixed[1]),
		Weight: finite(binary.BigEndian.Uint32(fixed[2:])),
		Load:   finite(binary.BigEndian.Uint32(fixed[6:])),
		Games:  binary.BigEndian.Uint64(fixed[10:]),
		Least:  uint32(binary.BigEndian.Uint16(fixed[18:])),
		Latest: uint32(binary.BigEndian.Uint16(fixed[20:])),
	}
	if m.State < Joining || m.State > Draining {
		m.State = Joining // a state of a newer version: the node is not on this version's ring
	}
	rest := b[min(len(b), metaFixed):]
	m.Zone, rest = cutText(rest)
	m.Link, _ = cutText(rest)
	return m
}

func cutText(b []byte) (string, []byte) {
	if len(b) == 0 || len(b)-1 < int(b[0]) {
		return "", nil
	}
	n := 1 + int(b[0])
	return strings.ToValidUTF8(string(b[1:n]), "?"), b[n:]
}

// finite decodes a float32. Negative numbers, infinity and NaN become 0.
func finite(bits uint32) float64 {
	f := float64(math.Float32frombits(bits))
	if !(f >= 0) || math.IsInf(f, 0) {
		return 0
	}
	return f
}

// gossipName is memberlist's name of a node. It contains the boot, so that a restarted process is another node to
// memberlist and never conflicts with its predecessor.
func gossipName(name string, boot record.BootID) string { return name + "~" + string(boot) }

func splitGossipName(s string) (name string, boot record.BootID, ok bool) {
	i := strings.LastIndexByte(s, '~')
	if i <= 0 || i == len(s)-1 {
		return "", "", false
	}
	return s[:i], record.BootID(s[i+1:]), true
}

func checkSelf(m Member) error {
	switch {
	case m.Name == "" || m.Boot == "":
		return fmt.Errorf("a node needs a name and a boot")
	case strings.Contains(string(m.Boot), "~"):
		return fmt.Errorf("the boot %q contains ~", m.Boot)
	case len(m.Name)+len(m.Boot) > 200:
		return fmt.Errorf("the node's name has %d bytes: give it at most %d", len(m.Name), 200-len(m.Boot))
	case len(m.Zone)+len(m.Link) > metaTexts:
		return fmt.Errorf("the zone %q and the link's address %q have %d bytes together: give at most %d",
			m.Zone, m.Link, len(m.Zone)+len(m.Link), metaTexts)
	}
	return nil
}
