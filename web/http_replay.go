package web

import (
	"encoding/hex"
	"encoding/json"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/roomring/roomring/room"
)

// entryBody is one input of a replay, for people and other programs. Client ids stay out: they are nobody else's.
type entryBody struct {
	Seq     room.Index      `json:"seq"`
	Epoch   room.Epoch      `json:"epoch"`
	Kind    string          `json:"kind"`
	At      int64           `json:"at_ms"` // room time
	Player  room.PlayerID   `json:"player,omitempty"`
	Name    string          `json:"name,omitempty"`
	Reason  string          `json:"reason,omitempty"`
	Data    json.RawMessage `json:"data,omitempty"`
	Count   uint32          `json:"count,omitempty"` // of a run of ticks
	Version int             `json:"version,omitempty"`
}

type replayBody struct {
	Room    room.ID         `json:"room"`
	Game    string          `json:"game"`
	Version int             `json:"version"`
	Runtime int             `json:"runtime"`
	Name    string          `json:"name,omitempty"`
	Options json.RawMessage `json:"options,omitempty"`
	Seed    string          `json:"seed"` // hex; no secret any more
	Created time.Time       `json:"created"`
	Entries []entryBody     `json:"entries"`
	Final   *finalBody      `json:"final"`
}

const octetStream = "application/octet-stream"

// getReplay gives the log of a room that is over, or what its spectators saw. That of a live room holds its secrets and is for the operator alone.
func (s *Server) getReplay(w http.ResponseWriter, r *http.Request) error {
	id, err := pathRoom(r, "room")
	if err != nil {
		return err
	}
	w.Header().Add("Vary", "Accept")
	mediaType := negotiate(r.Header.Values("Accept"), octetStream, "application/json", ndjson)
	if mediaType == "" {
		return problem(http.StatusNotAcceptable, "not-acceptable", "A replay comes as application/octet-stream, application/json or application/x-ndjson.")
	}
	replay, err := s.opts.Records.Replay(r.Context(), id)
	if s.opts.Records.NotFound(err) {
		return s.noReplay(r, id)
	}
	if err != nil {
		return s.storeProblem(err)
	}
	switch mediaType {
	case octetStream:
		return writeReplay(w, id, replay)
	case ndjson:
		return s.writeViews(w, r, replay)
	}
	body, err := bodyOfReplay(replay)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, body)
	return nil
}

// noReplay tells a room whose replay will come from one that never was.
func (s *Server) noReplay(r *http.Request, id room.ID) error {
	_, phase, err := s.result(r, id)
	switch {
	case err != nil:
		return err
	case phase == room.PhaseOver:
		p := problem(http.StatusConflict, "pending", "The room has just ended and is not stored yet: retry.")
		p.retry = time.Second
		return p
	case phase != "":
		return problem(http.StatusConflict, "live", "The room is still in play: its replay can be had when it is over.")
	}
	return notFound("The replay is not kept any more.")
}

func writeReplay(w http.ResponseWriter, id room.ID, replay []byte) error {
	w.Header().Set("Content-Type", octetStream)
	w.Header().Set("Content-Length", strconv.Itoa(len(replay)))
	w.Header().Set("Content-Disposition", `attachment; filename="`+string(id)+`.replay"`)
	w.Write(replay) // the client has gone if this fails
	return nil
}

func bodyOfReplay(data []byte) (replayBody, error) {
	replay, err := room.DecodeReplay(data)
	if err != nil {
		return replayBody{}, err
	}
	h := replay.Header
	out := replayBody{
		Room: h.ID, Game: h.Game, Version: h.Version, Runtime: h.Runtime, Name: h.Name, Options: h.Options,
		Seed: hex.EncodeToString(h.Seed[:]), Created: h.Created.UTC(),
		Entries: make([]entryBody, len(replay.Entries)), Final: bodyOfFinal(&replay.Final),
	}
	for i, e := range replay.Entries {
		out.Entries[i] = bodyOfEntry(e)
	}
	return out, nil
}

func bodyOfEntry(e room.Entry) entryBody {
	b := entryBody{
		Seq: e.Index, Epoch: e.Epoch, Kind: e.Kind.Name(), At: e.At.Milliseconds(),
		Player: e.Player, Name: e.Name, Reason: e.Reason, Count: e.Count, Version: e.Version,
	}
	if json.Valid(e.Data) { // an upgrade's snapshot need not be
		b.Data = e.Data
	}
	return b
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
