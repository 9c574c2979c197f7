package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/roomring/roomring/internal/cli"
	"github.com/roomring/roomring/web/apitest"
	"github.com/roomring/roomring/web/client"
)

// Call sends a request to the public API as CallAt does, without a token.
func (s *Server) Call(method, path string, body, into any) int {
	s.T.Helper()
	return s.CallAt(s.URL, method, path, "", body, into)
}

// CallAdmin sends a request to the admin API as CallAt does, without a token.
func (s *Server) CallAdmin(method, path string, body, into any) int {
	s.T.Helper()
	return s.CallAt(s.AdminAt, method, path, "", body, into)
}

// CallAt is TryCallAt that fails the test on an error.
func (s *Server) CallAt(base, method, path, token string, body, into any) int {
	s.T.Helper()
	code, err := s.TryCallAt(base, method, path, token, body, into)
	if err != nil {
		s.T.Fatalf("%s %s: %v", method, path, err)
	}
	return code
}

// TryCallAt sends a request with body as JSON; nil sends none. It decodes the JSON of the answer into into, copies the raw bytes if into is a
// *[]byte, and ignores the answer's body if into is nil. It returns the status code. The test fails if the request or the answer differs
// from docs/openapi.yaml.
func (s *Server) TryCallAt(base, method, path, token string, body, into any) (int, error) {
	var payload io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return 0, err
		}
		payload = bytes.NewReader(raw)
	}
	req, err := http.NewRequest(method, base+path, payload)
	if err != nil {
		return 0, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	c := apitest.Client(s.T)
	c.Transport, c.Timeout = apitest.Transport(s.T, s.Transport), time.Minute
	res, err := c.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil || into == nil {
		return res.StatusCode, err
	}
	if b, ok := into.(*[]byte); ok {
		*b = raw
		return res.StatusCode, nil
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return res.StatusCode, fmt.Errorf("%s: %w", raw, err)
	}
	return res.StatusCode, nil
}

// RoomInfo is the room object of the API, with the fields that tests read.
type RoomInfo struct {
	ID    string `json:"id"`
	Game  string `json:"game"`
	URL   string `json:"ws_url"`
	Code  string `json:"code"`
	Phase string `json:"phase"`
	Node  string `json:"node"`
	Epoch uint64 `json:"epoch"`
}

// Create makes a room. Options are encoded as JSON; nil sends none. With CreateElsewhere it makes rooms until another node owns one.
func (s *Server) Create(game string, options any) (info RoomInfo) {
	s.T.Helper()
	body := map[string]any{"game": game}
	if options != nil {
		body["options"] = options
	}
	for {
		if code := s.Call("POST", "/v1/rooms", body, &info); code != http.StatusCreated {
			s.T.Fatalf("creating a room of %s: %d", game, code)
		}
		if !s.CreateElsewhere {
			return info
		}
		if info.Node != s.Node {
			return s.Via(info)
		}
	}
}

// Join connects a client to a room. The client is closed when the test ends.
func (s *Server) Join(info RoomInfo, o client.Options) *client.Client {
	s.T.Helper()
	c, err := s.TryJoin(info, o)
	if err != nil {
		s.T.Fatalf("joining: %v", err)
	}
	return c
}

// TryJoin is Join that returns the error.
func (s *Server) TryJoin(info RoomInfo, o client.Options) (*client.Client, error) {
	o.URL = info.URL
	if s.Transport != nil {
		o.HTTP = &http.Client{Transport: s.Transport}
	}
	if o.MaxDelay == 0 {
		o.MaxDelay = 250 * time.Millisecond
	}
	c, err := client.Dial(s.T.Context(), o)
	if err == nil {
		s.T.Cleanup(c.Close)
	}
	return c, err
}

// Result waits until a room's result is in the store, and returns it. The server answers 202 or 503 until then.
func (s *Server) Result(id string) StoredResult {
	s.T.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		var raw []byte
		code := s.Call("GET", "/v1/results/"+id, nil, &raw)
		if code == http.StatusForbidden { // it was private
			code = s.CallAdmin("GET", "/admin/v1/results/"+id, nil, &raw)
		}
		switch {
		case code == http.StatusOK:
			var r StoredResult
			if err := json.Unmarshal(raw, &r); err != nil {
				s.T.Fatalf("the result of %s: %v: %s", id, err, raw)
			}
			return r
		case code != http.StatusAccepted && code != http.StatusServiceUnavailable || time.Now().After(end):
			s.T.Fatalf("the result of %s: %d %s", id, code, raw)
		}
	}
}

// StoredResult is the result object of the API, with the fields that tests read.
type StoredResult struct {
	Status  string `json:"status"`
	End     string `json:"end"`
	Unrated string `json:"unrated"`
	Result  struct {
		Reason   string `json:"reason"`
		Summary  string `json:"summary"`
		Outcomes []struct {
			Player string `json:"player"`
			Seat   int    `json:"seat"`
			Rank   int    `json:"rank"`
		} `json:"outcomes"`
		Data struct {
			PGN string `json:"pgn"`
			FEN string `json:"fen"`
		} `json:"data"`
	} `json:"result"`
}

// CheckReplay downloads the replay of a room and runs it as `roomring replay` does.
func (s *Server) CheckReplay(id string) {
	s.T.Helper()
	var raw []byte
	code := s.Call("GET", "/v1/replays/"+id, nil, &raw)
	if code == http.StatusForbidden { // it was private
		code = s.CallAdmin("GET", "/admin/v1/replays/"+id, nil, &raw)
	}
	if code != http.StatusOK {
		s.T.Fatalf("the replay of %s: %d %s", id, code, raw)
	}
	games, err := BuiltinGames()
	if err != nil {
		s.T.Fatal(err)
	}
	if err := cli.Replay(io.Discard, games, raw); err != nil {
		s.T.Fatalf("the replay of %s: %v", id, err)
	}
}
