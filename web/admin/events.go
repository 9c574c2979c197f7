package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web/internal/body"
)

// eventBody is an actor.RoomEvent without its type, which has a line of its own.
type eventBody struct {
	Epoch  record.Epoch  `json:"epoch,omitempty"`
	Index  room.Index    `json:"index,omitempty"`
	Commit room.Index    `json:"commit,omitempty"`
	Kind   string        `json:"kind,omitempty"`
	At     *int64        `json:"at_ms,omitempty"` // room time
	Player room.PlayerID `json:"player,omitempty"`
	CSeq   record.CSeq   `json:"cseq,omitempty"`
	Bytes  *int          `json:"bytes,omitempty"`  // of the input's data
	Data   string        `json:"data,omitempty"`   // its beginning
	Code   string        `json:"code,omitempty"`   // of a refused act
	Missed uint64        `json:"missed,omitempty"` // events
	End    record.End    `json:"end,omitempty"`
}

func eventOf(e actor.RoomEvent) eventBody {
	b := eventBody{
		Epoch: e.Epoch, Index: e.Index, Commit: e.Commit, Kind: e.Kind, Player: e.Player, CSeq: e.CSeq,
		Missed: e.Missed, End: e.End, Data: e.Data, Code: e.Code,
	}
	if e.Type == actor.EventInput {
		b.At, b.Bytes = new(e.At.Milliseconds()), &e.Bytes
	}
	return b
}

// getEvents streams a room's inputs as server-sent events (WHATWG HTML, section 9.2) until the room ends or moves,
// or the reader goes away.
func (a *handler) getEvents(w http.ResponseWriter, r *http.Request) error {
	id, err := body.PathRoom(r, "id")
	if err != nil {
		return err
	}
	closeStream, err := a.openStream()
	if err != nil {
		return err
	}
	defer closeStream()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	events, over := make(chan actor.RoomEvent), make(chan error, 1)
	go func() {
		over <- a.opts.Rooms.Watch(ctx, id, func(e actor.RoomEvent) error {
			select {
			case events <- e:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	s := &eventStream{stream: newStream(w)}
	err = a.writeEvents(s, r, events, over)
	cancel()
	if err == nil || !s.begun {
		return err
	}
	return nil // the end of the stream tells its reader enough
}

// writeEvents writes the events of a watch, and heartbeats while there are none. The error is the watch's.
func (a *handler) writeEvents(s *eventStream, r *http.Request, events <-chan actor.RoomEvent, over <-chan error) error {
	beat := time.NewTicker(a.opts.EventBeat)
	defer beat.Stop()
	for {
		var err error
		select {
		case e := <-events:
			err = s.event(e)
		case <-beat.C:
			err = s.write(": still here\n\n")
		case err := <-over:
			return err
		case <-r.Context().Done():
			return r.Context().Err()
		}
		if err != nil {
			return err
		}
	}
}

// eventStream writes server-sent events.
type eventStream struct {
	stream
	begun bool
}

func (s *eventStream) event(e actor.RoomEvent) error {
	data, err := json.Marshal(eventOf(e))
	if err != nil {
		return err
	}
	text := "event: " + string(e.Type) + "\ndata: " + string(data) + "\n\n"
	if e.Type == actor.EventInput {
		text = "id: " + strconv.FormatUint(uint64(e.Index), 10) + "\n" + text
	}
	return s.write(text)
}

// write sends a piece at once.
func (s *eventStream) write(text string) error {
	if !s.begun {
		s.begun = true
		s.Header().Set("Content-Type", "text/event-stream")
		s.Header().Set("X-Accel-Buffering", "no") // nginx would hold events back
	}
	if _, err := s.Write([]byte(text)); err != nil {
		return err
	}
	return s.control.Flush()
}
