package api

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/web/httpd"
	"github.com/roomring/roomring/web/internal/body"
	"github.com/roomring/roomring/web/internal/rest"
)

// replayBody is a replay without its entries and its end.
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

// getReplay answers with the log of a room that is over, or with what its spectators saw. The log of a live room holds secrets and is
// for the operator alone.
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
	if err := s.limits.spend(s.limits.replays, r); err != nil {
		return err
	}
	result, err := s.opts.Records.Result(r.Context(), id)
	if s.opts.Records.NotFound(err) {
		return s.noReplay(r, id)
	}
	if err != nil {
		return rest.StoreAway(s.opts.Log, err)
	}
	if err := s.mayRead(r, &result.Final); err != nil {
		return err
	}
	httpd.EndTurn(r.Context())                                                         // the rest goes at the reader's pace
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), replayTime) // when the client goes, writing fails
	defer cancel()
	stored, err := s.opts.Records.Replay(ctx, id)
	if s.opts.Records.NotFound(err) {
		return s.noReplay(r, id)
	}
	if err != nil {
		return rest.StoreAway(s.opts.Log, err)
	}
	end, _ := ctx.Deadline()
	paced := newPacedWriter(w, s.opts.ReplayStall, s.opts.ReplayPace, end)
	defer paced.finish()
	w = paced
	if mediaType == body.OctetStream {
		return body.WriteReplay(w, s.opts.Log, id, stored)
	}
	release, err := s.readers.acquire(r.Context(), paced)
	if err != nil {
		return rest.RetryLater("busy", "Too many replays are being watched: retry.", 2*time.Second)
	}
	defer release()
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

// noReplay says why there is no replay: whether it will come, is not kept any more, or never was.
func (s *Server) noReplay(r *http.Request, id room.ID) error {
	_, phase, err := s.result(r, id)
	switch {
	case err != nil:
		return err
	case phase == core.PhaseOver:
		return rest.NewProblem(http.StatusConflict, "pending", "The room has just ended and is not stored yet: retry.").After(time.Second)
	case phase != "":
		return rest.NewProblem(http.StatusConflict, "live", "The room is still in play: its replay can be had when it is over.")
	}
	return rest.NotFound("There is no replay: it is not kept any more, or nobody ever joined the room.")
}

// writeEntries writes a replay as JSON, one entry at a time.
func (s *Server) writeEntries(w http.ResponseWriter, replay *core.ReplayReader) error {
	h := replay.Header
	head, err := json.Marshal(replayBody{
		Room: h.ID, Game: h.Game, Version: h.Version, Runtime: h.Runtime, Name: h.Name, Options: h.Options,
		Seed: hex.EncodeToString(h.Seed[:]), Created: h.Created.UTC(),
	})
	if err != nil {
		return err
	}
	final, err := json.Marshal(body.FinalOf(&replay.Final))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	out := bufio.NewWriter(w)
	out.Write(head[:len(head)-1]) // Flush returns an error of this
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
			body.AbortReplay(s.opts.Log, replay.Header.ID, err)
		}
		between = ","
	}
	out.WriteString(`],"final":`)
	out.Write(final)
	out.WriteString("}\n")
	if err := out.Flush(); err != nil {
		body.AbortReplay(s.opts.Log, replay.Header.ID, err)
	}
	return nil
}

// negotiate picks the offer that the Accept headers prefer (RFC 9110, section 12.5.1): the first among equals, and
// also when there is no header. It returns "" when no offer is acceptable.
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
				q, found = 1, i
				if raw := params["q"]; raw != "" {
					weight, _ := strconv.ParseFloat(raw, 64) // 0 when it is malformed
					q = min(max(weight, 0), 1)
				}
			}
		}
	}
	return q
}
