package e2e

import (
	"os"
	"time"

	"github.com/roomring/roomring/room"
)

// metronome is a game that says something at each tick and never ends, so that every gap is the server's.
type metronome struct{ N int }

func (m *metronome) Act(_ *room.Turn, _ room.Player, _ struct{}) error { return nil }

// Tick implements room.Ticker.
func (m *metronome) Tick(*room.Turn) { m.N++ }

func (m *metronome) View(room.Viewer) map[string]int { return map[string]int{"n": m.N} }

func init() {
	if os.Getenv("ROOMRING_TEST_GAMES") != "" {
		ExtraGames = append(ExtraGames, room.MustDefine(room.Spec{
			Name: "metronome", Version: 1, SharedView: true, TickRate: 20, About: "Ticks", Linger: time.Second,
		}, func() *metronome { return &metronome{} }))
	}
}
