package api

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web/httpd"
	"github.com/roomring/roomring/web/internal/body"
	"github.com/roomring/roomring/web/internal/rest"
)

// replayBody is a replay but for its entries and its end.
type replayBody struct {
	Room    room.ID         `json:"room"`
	Game    string          `json:"game"`
	Version int             `json:"version"`
	Runtime int             `json:"runtime"`
	Name    string          `json:"name,omitempty"`
	Options json.RawMessage `json:"options,omitempty"`
	Seed    string          `json:"seed"` // hex; no secret any more
	Created time.Time       `json:"created"`
}

// getReplay gives the log of a room that is over, or what its spectators saw. That of a live room holds its secrets and is for the operator alone.
func (s *Server) getReplay(w http.ResponseWriter, r *http.Request) error {
	id, err := body.PathRoom(r, "room")
	if err != nil {
		return err
	}
	w.Header().Add("Vary", "Accept, Authorization")
	mediaType := negotiate(r.Header.Values("Accept"), body.OctetStream, "application/json", body.NDJSON)
	if mediaType == "" {
		return rest.NewProblem(http.StatusNotAcceptable, "not-acceptable", "A replay comes as application/octet-stream, application/json or application/x-ndjson.")
	}
	if err := s.spend(s.replayRate, r); err != nil {
		return err
	}
	result, err := s.opts.Records.Result(r.Context(), id)
	if s.opts.Records.NotFound(err) {
		return s.noReplay(r, id)
	}
	if err != nil {
		return s.storeProblem(err)
	}
	if err := s.mayRead(r, &result.Final); err != nil {
		return err
	}
	httpd.EndTurn(r.Context())                                                         // for good: from here on it is a reader's pace that counts
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), replayTime) // one whose client has gone fails to be written
	defer cancel()
	stored, err := s.opts.Records.Replay(ctx, id)
	if s.opts.Records.NotFound(err) {
		return s.noReplay(r, id)
	}
	if err != nil {
		return s.storeProblem(err)
	}
	end, _ := ctx.Deadline()
	paced := newPacedWriter(w, s.opts.ReplayStall, s.opts.ReplayPace, end)
	defer paced.finish()
	w = paced
	if mediaType == body.OctetStream {
		return s.writeFile(w, id, stored)
	}
	leave, err := s.watching.enter(r.Context(), paced)
	if err != nil {
		return rest.RetryLater("busy", "Too many replays are being watched: retry.", 2*time.Second)
	}
	defer leave()
	replay, err := core.OpenReplay(stored)
	if err != nil {
		return err
	}
	defer replay.Close()
	if mediaType == body.NDJSON {
		return s.writeViews(ctx, w, replay)
	}
	return s.writeEntries(w, replay)
}

// replayTime is how long a replay may take to run and to be read.
const replayTime = time.Minute

// noReplay tells a room whose replay will come from one that never was.
func (s *Server) noReplay(r *http.Request, id room.ID) error {
	_, phase, err := s.result(r, id)
	switch {
	case err != nil:
		return err
	case phase == core.PhaseOver:
		p := rest.NewProblem(http.StatusConflict, "pending", "The room has just ended and is not stored yet: retry.")
		p.Retry = time.Second
		return p
	case phase != "":
		return rest.NewProblem(http.StatusConflict, "live", "The room is still in play: its replay can be had when it is over.")
	}
	return rest.NotFound("There is no replay: it is not kept any more, or nobody ever joined the room.")
}

func (s *Server) writeFile(w http.ResponseWriter, id room.ID, stored record.StoredReplay) error {
	err := body.WriteReplay(w, id, stored)
	if cut, begun := errors.AsType[body.CutError](err); begun {
		s.cutShort(id, cut.Why)
	}
	return err
}

// cutShort ends an answer that has begun so that the client sees that it is not whole.
func (s *Server) cutShort(id room.ID, err error) {
	s.opts.Log.Debug("a replay was cut short", "room", id, "err", err)
	panic(http.ErrAbortHandler)
}

// writeEntries writes a replay as JSON, an entry at a time.
func (s *Server) writeEntries(w http.ResponseWriter, replay *core.ReplayReader) error {
	head, err := json.Marshal(bodyOfReplay(replay))
	if err != nil {
		return err
	}
	final, err := json.Marshal(body.FinalOf(&replay.Final))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	out := bufio.NewWriter(w)
	out.Write(head[:len(head)-1]) // what fails to be written is told by Flush
	out.WriteString(`,"entries":[`)
	between := ""
	for e, err := range replay.Entries() {
		var line []byte
		if err == nil {
			line, err = json.Marshal(body.EntryOf(e))
		}
		if err == nil {
			out.WriteString(between)
			_, err = out.Write(line)
		}
		if err != nil {
			s.cutShort(replay.Header.ID, err)
		}
		between = ","
	}
	out.WriteString(`],"final":`)
	out.Write(final)
	out.WriteString("}\n")
	if err := out.Flush(); err != nil {
		s.cutShort(replay.Header.ID, err)
	}
	return nil
}

func bodyOfReplay(replay *core.ReplayReader) replayBody {
	h := replay.Header
	return replayBody{
		Room: h.ID, Game: h.Game, Version: h.Version, Runtime: h.Runtime, Name: h.Name, Options: h.Options,
		Seed: hex.EncodeToString(h.Seed[:]), Created: h.Created.UTC(),
	}
}

// negotiate picks the offer that the Accept headers like best (RFC 9110, section 12.5.1); the first among equals,
// and also when there is no header. Empty: none is acceptable.
func negotiate(accept []string, offers ...string) string {
	ranges := strings.Join(accept, ",")
	if ranges == "" {
		return offers[0]
	}
	best, bestQ := "", 0.0
	for _, offer := range offers {
		if q := quality(ranges, offer); q > bestQ {
			best, bestQ = offer, q
		}
	}
	return best
}

// quality is what an Accept header gives an offer: the weight of the most specific range that covers it.
func quality(accept, offer string) float64 {
	kind, _, _ := strings.Cut(offer, "/")
	ranges := []string{"*/*", kind + "/*", offer} // ever more specific
	q, found := 0.0, -1
	for part := range strings.SplitSeq(accept, ",") {
		media, params, err := mime.ParseMediaType(strings.TrimSpace(part))
		if err != nil {
			continue
		}
		for i, covered := range ranges {
			if media == covered && i > found {
				q, found = weight(params["q"]), i
			}
		}
	}
	return q
}

func weight(q string) float64 {
	if q == "" {
		return 1
	}
	w, err := strconv.ParseFloat(q, 64)
	if err != nil {
		return 0
	}
	return min(max(w, 0), 1)
}
