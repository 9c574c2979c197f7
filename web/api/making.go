package api

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/web/httpd"
	"github.com/roomring/roomring/web/internal/rest"
	"github.com/roomring/roomring/web/limit"
)

// making is the queue of requests for rooms and seats. The fewer an address has asked for lately, the higher its priority.
type making struct {
	queue *fairQueue
	asked *limit.Addresses // refuses nobody: its tokens are the priorities
}

func newMaking(o Options) making {
	return making{
		queue: &fairQueue{places: o.Makes, line: o.MakesWaiting},
		asked: limit.NewAddresses("", limit.Rate{PerSecond: 0.1, Burst: 1 << 20}, limit.MaxKeys),
	}
}

// priority is that of a request for a room or a seat. The error is for one that has no chance in the queue; it comes before the
// request's body is looked at.
func (s *Server) priority(r *http.Request) (float64, error) {
	if err := s.limits.spend(s.limits.creates, r); err != nil {
		return 0, err
	}
	from, now := s.limits.proxies.Client(r), s.opts.Now()
	if network := limit.Network(from); network.IsValid() {
		from = network
	}
	s.making.asked.Allow(from, now)
	priority := s.making.asked.Tokens(from, now)
	if s.making.queue.wouldReject(priority) {
		return 0, s.rejected(r)
	}
	return priority, nil
}

// makeInTurn has a room or a seat made when it is the request's turn.
func (s *Server) makeInTurn(r *http.Request, priority float64, create func(context.Context) (actor.Info, error)) (actor.Info, error) {
	defer httpd.Waiting(r.Context())()
	if err := s.making.queue.acquire(r.Context(), priority); err != nil {
		return actor.Info{}, s.rejected(r)
	}
	defer s.making.queue.release()
	info, err := create(r.Context())
	for bound, setting := range roomBounds {
		if errors.Is(err, bound) {
			from, now := s.limits.proxies.Client(r), s.opts.Now()
			s.limits.log.Refused(setting, from, now)
			s.limits.refusals.Spend(from, now)
		}
	}
	if refused, ok := errors.AsType[*room.Refusal](err); ok { // by the game, for its options
		err = rest.BadField("options", refused.Reason)
	}
	return info, err
}

// roomBounds are errors of the rooms for bounds on what an address may have, with the settings that they come from.
var roomBounds = map[error]string{
	actor.ErrUnclaimed: "--unclaimed-seats",
	actor.ErrShare:     "--room-share",
}

// rejectPause is about how long a rejected request waits for its answer, so that a crowd does not come again as one.
const rejectPause = time.Second

// rejected answers a request for which there is no place in the queue.
func (s *Server) rejected(r *http.Request) error {
	defer httpd.Waiting(r.Context())()
	s.limits.refusals.Spend(s.limits.proxies.Client(r), s.opts.Now())
	clock.Sleep(r.Context(), nil, rejectPause/2+rand.N(rejectPause))
	return errBusy
}
