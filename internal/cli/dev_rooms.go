package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/roomring/roomring/room/core"
)

// maxTried bounds the rooms that a new program is tried with.
const maxTried = 500

// devRoom is what dev knows of a room that is played.
type devRoom struct {
	ID      string          `json:"id"`
	Game    string          `json:"game"`
	Name    string          `json:"name"`
	Phase   string          `json:"phase"`
	Private bool            `json:"private"`
	Options json.RawMessage `json:"options"`
}

// tryRooms runs the logs of all rooms that are played by a new program's rules, and returns those that it plays differently.
func (c *devCluster) tryRooms(ctx context.Context, bin string) (differ []difference, tried int, err error) {
	rooms, err := c.liveRooms(ctx)
	if err != nil || len(rooms) == 0 {
		return nil, 0, err
	}
	dir, err := os.MkdirTemp(c.dir, "try")
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	var files []string
	for _, r := range rooms {
		log, err := c.askAny(ctx, http.MethodGet, "/admin/v1/rooms/"+r.ID+"/log.replay?checked=true", nil)
		if err != nil {
			continue // it has ended meanwhile, or keeps no log
		}
		file := filepath.Join(dir, r.ID)
		if err := os.WriteFile(file, log, 0o600); err != nil {
			return nil, 0, err
		}
		files = append(files, file)
	}
	return replayAll(ctx, bin, rooms, files)
}

// replayAll has a program run logs, in one process.
func replayAll(ctx context.Context, bin string, rooms []devRoom, files []string) (differ []difference, tried int, err error) {
	cmd := exec.CommandContext(ctx, bin, append([]string{"replay", "--check", "--"}, files...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && out.Len() == 0 {
		return nil, 0, fmt.Errorf("%w: %s", err, strings.TrimSpace(errs.String()))
	}
	games := map[string]string{}
	for _, r := range rooms {
		games[r.ID] = r.Game
	}
	for d := json.NewDecoder(&out); ; {
		var line checked
		if err := d.Decode(&line); errors.Is(err, io.EOF) {
			return differ, tried, nil
		} else if err != nil {
			return differ, tried, err
		}
		tried++
		if id := filepath.Base(line.File); line.Differs != "" {
			differ = append(differ, difference{id, games[id], line.Differs})
		}
	}
}

// liveRooms lists the rooms that are played.
func (c *devCluster) liveRooms(ctx context.Context) (rooms []devRoom, err error) {
	after := ""
	for len(rooms) < maxTried {
		raw, err := c.askAny(ctx, http.MethodGet, "/admin/v1/rooms?limit=100"+after, nil)
		if err != nil {
			return nil, err
		}
		var page struct {
			Rooms []devRoom
			Next  string
		}
		if err := json.Unmarshal(raw, &page); err != nil {
			return nil, err
		}
		for _, r := range page.Rooms {
			if r.Phase != string(core.PhaseOver) {
				rooms = append(rooms, r)
			}
		}
		if page.Next == "" {
			break
		}
		after = "&after=" + url.QueryEscape(page.Next)
	}
	return rooms[:min(len(rooms), maxTried)], nil
}

// spare is a room to begin in place of one that was ended.
type spare struct {
	of      string
	request map[string]any
}

// endRooms ends rooms that the new rules play differently, and returns what to begin in their place.
func (c *devCluster) endRooms(ctx context.Context, differ []difference) (spares []spare) {
	rooms, err := c.liveRooms(ctx)
	if err != nil {
		c.say("The rooms are not known, so none was ended: %v", err)
	}
	for _, d := range differ {
		for _, r := range rooms {
			if r.ID != d.Room {
				continue
			}
			if _, err := c.askAny(ctx, http.MethodPost, "/admin/v1/rooms/"+r.ID+"/close", map[string]string{"reason": "started over: the rules have changed"}); err != nil {
				c.say("Room %s could not be ended: %v", r.ID, err)
				continue
			}
			request := map[string]any{"game": r.Game, "private": r.Private}
			if r.Name != "" {
				request["name"] = r.Name
			}
			if len(r.Options) > 0 {
				request["options"] = r.Options
			}
			spares = append(spares, spare{r.ID, request})
		}
	}
	return spares
}

// startOver begins rooms in place of those that were ended, and says where they are.
func (c *devCluster) startOver(ctx context.Context, spares []spare) {
	if len(spares) == 0 {
		return
	}
	var guest struct{ Token string }
	raw, err := c.askFront(ctx, "/v1/guest", "", map[string]string{"name": "Developer"})
	if err == nil {
		err = json.Unmarshal(raw, &guest)
	}
	for _, s := range spares {
		var made struct{ ID, Code string }
		if err == nil {
			raw, err = c.askFront(ctx, "/v1/rooms", guest.Token, s.request)
		}
		if err == nil {
			err = json.Unmarshal(raw, &made)
		}
		if err != nil {
			c.say("No room was begun in place of %s: %v", s.of, err)
			continue
		}
		code := ""
		if made.Code != "" {
			code = "?code=" + made.Code
		}
		c.say("In place of room %s: /play/%s%s", s.of, made.ID, code)
	}
}

// askAny asks the admin API of a node that runs.
func (c *devCluster) askAny(ctx context.Context, method, path string, body any) ([]byte, error) {
	nodes := c.inTurn("")
	if len(nodes) == 0 {
		return nil, errors.New("no node is running")
	}
	return ask(ctx, method, nodes[0].adminURL()+path, "", body)
}

// askFront asks a node as a player.
func (c *devCluster) askFront(ctx context.Context, path, token string, body any) ([]byte, error) {
	nodes := c.inTurn("")
	if len(nodes) == 0 {
		return nil, errors.New("no node is running")
	}
	return ask(ctx, http.MethodPost, nodes[0].url()+path, token, body)
}

// ask sends one request and returns the body of a good answer.
func ask(ctx context.Context, method, url, token string, body any) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var sent io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		sent = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, sent)
	if err != nil {
		return nil, err
	}
	if sent != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(res.Body, core.MaxReplayBytes))
	if err == nil && res.StatusCode/100 != 2 {
		err = fmt.Errorf("%s: %s", res.Status, problemDetail(data))
	}
	return data, err
}

func (c *devCluster) getRules(w http.ResponseWriter, _ *http.Request) {
	if c.reload == nil {
		writeJSON(w, http.StatusOK, devRules{State: rulesRunning})
		return
	}
	writeJSON(w, http.StatusOK, c.reload.now())
}

func (c *devCluster) postRules(w http.ResponseWriter, r *http.Request) {
	var in struct{ Choice rulesChoice }
	err := json.NewDecoder(io.LimitReader(r.Body, 1<<10)).Decode(&in)
	if err == nil && c.reload == nil {
		err = errNothingAsked
	}
	if err == nil {
		err = c.reload.answer(r.Context(), in.Choice)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	writeJSON(w, http.StatusOK, c.reload.now())
}
