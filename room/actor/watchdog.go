package actor

import (
	"context"

	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/core"
)

// watchSteps is the watchdog: it names steps that have not returned, until ctx ends. That the whole process stood still no game
// can be blamed for: the clock leaves it out.
func watchSteps(ctx context.Context, o *Options, rooms *registry) {
	for clock.Sleep(ctx, o.Clock, o.Watchdog) {
		now := o.Clock.Now()
		for r := range rooms.all() {
			s := &r.stepping
			took := s.running(now)
			if took < o.SlowStep || s.named.Swap(true) {
				continue
			}
			o.Metrics.SlowSteps(r.game)
			r.logger().Error("a step of this room has not returned: the game may be in an endless loop",
				"for", took, "kind", core.Kind(s.kind.Load()).Name(), "index", s.index.Load())
		}
	}
}
