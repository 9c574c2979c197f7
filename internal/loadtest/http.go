package loadtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/client"
)

// maxAnswer bounds an answer of the server, in bytes. The largest is a room's state.
const maxAnswer = 64 << 20

// wires carry all connections of a run, and count their bytes.
type wires struct {
	http    *http.Client
	in, out atomic.Int64
}

func newWires() *wires {
	w := &wires{}
	t := http.DefaultTransport.(*http.Transport).Clone()
	dial := (&net.Dialer{Timeout: 10 * time.Second}).DialContext
	t.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &counted{c, w}, nil
	}
	t.MaxIdleConnsPerHost = 64
	w.http = &http.Client{Transport: t}
	return w
}

// counted is a connection whose bytes are counted.
type counted struct {
	net.Conn
	w *wires
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.w.in.Add(int64(n))
	return n, err
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.w.out.Add(int64(n))
	return n, err
}

// problem is an answer of the server that is an error.
type problem struct {
	Status int
	Type   string        // such as room-share
	Detail string        // for people
	After  time.Duration // when to come again; 0: it does not say
}

func (p *problem) Error() string {
	if p.Detail == "" {
		return fmt.Sprintf("%d %s", p.Status, http.StatusText(p.Status))
	}
	return fmt.Sprintf("%d: %s", p.Status, p.Detail)
}

// ask sends a request and reads the answer into a value. The error is a *problem if the server has answered with one.
func ask(ctx context.Context, c *http.Client, method, url, token string, body, into any) error {
	var reader io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return err
		}
		reader = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, reader)
	if err != nil {
		return err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := c.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return err
	}
	if res.StatusCode/100 != 2 {
		return problemOf(res, raw)
	}
	if text, ok := into.(*[]byte); ok {
		*text = raw
		return nil
	}
	return json.Unmarshal(raw, into)
}

func problemOf(res *http.Response, raw []byte) *problem {
	var body struct{ Type, Detail string }
	_ = json.Unmarshal(raw, &body) // a proxy in between may answer with anything
	p := &problem{Status: res.StatusCode, Type: body.Type[strings.LastIndexAny(body.Type, "/:")+1:], Detail: body.Detail}
	if after, err := time.ParseDuration(res.Header.Get("Retry-After") + "s"); err == nil {
		p.After = after
	}
	return p
}

// checkGame asks each server whether it has the game, in the version that this program has.
func checkGame(ctx context.Context, c *http.Client, o *Options) error {
	spec := o.Rules.Spec()
	for _, base := range o.URLs {
		var list struct {
			Games []struct {
				Name    string
				Version int
			}
		}
		if err := ask(ctx, c, http.MethodGet, base+"/v1/games", "", nil, &list); err != nil {
			if _, answered := errors.AsType[*problem](err); answered {
				return fmt.Errorf("%s answers as no Roomring server does: %w: give --url the address that players use", base, err)
			}
			return fmt.Errorf("no server answers at %s: %s: start one, or give its address as --url", base, plain(err))
		}
		var names []string
		for _, g := range list.Games {
			names = append(names, g.Name)
			if g.Name == spec.Name && g.Version != spec.Version {
				return fmt.Errorf("the server at %s has version %d of %s, and this program version %d: use the server's own program", base, g.Version, g.Name, spec.Version)
			}
		}
		if !slices.Contains(names, spec.Name) {
			return fmt.Errorf("the server at %s has no game %q: it has %s", base, spec.Name, strings.Join(names, ", "))
		}
	}
	return nil
}

// seatBody is the answer of matchmaking.
type seatBody struct {
	ID    room.ID
	WSURL string `json:"ws_url"`
	Guest struct{ Token string }
}

// match asks for a seat. A server with keys for tokens matches nobody without one: there a guest is made first.
func match(ctx context.Context, c *http.Client, base, token string, o *Options) (seat seatBody, err error) {
	body := map[string]any{"game": o.Rules.Spec().Name}
	if len(o.RoomOptions) > 0 {
		body["options"] = o.RoomOptions
	}
	err = ask(ctx, c, http.MethodPost, base+"/v1/matchmake", token, body, &seat)
	if p, ok := errors.AsType[*problem](err); !ok || p.Status != http.StatusUnauthorized || token != "" {
		return seat, err
	}
	var guest struct{ Token string }
	if err := ask(ctx, c, http.MethodPost, base+"/v1/guest", "", struct{}{}, &guest); err != nil {
		return seat, err
	}
	err = ask(ctx, c, http.MethodPost, base+"/v1/matchmake", guest.Token, body, &seat)
	seat.Guest = guest
	return seat, err
}

// lifted are the server's settings that refuse what a load test does, as flags that let it.
var lifted = map[string]string{
	"room-share":      "--room-share 100",
	"unclaimed-seats": "--unclaimed-seats 0",
	"too-many-rooms":  "--max-rooms N",
	"too-many":        "--requests-per-second 0 --rooms-per-second 0 --guests-per-second 0 --refusals-per-second 0",
	"no-guests":       "--guests on",
	"connections":     "--max-sockets-per-address 0",
	"into this room":  "--room-bytes-per-second 0",
	"your address":    "--address-bytes-per-second 0",
	"limits.bytes":    "--bytes-per-second N",
	"limits.rate":     "--messages-per-second N",
}

// refusedBy notes which setting of the server has refused something. The caller holds the lock.
func (s *stats) refusedBy(err error) {
	note := func(what string) {
		if flags := lifted[what]; flags != "" {
			s.limits[flags] = true
		}
	}
	if p, ok := errors.AsType[*problem](err); ok {
		note(p.Type)
		return
	}
	if strings.Contains(err.Error(), "429") && !strings.Contains(err.Error(), "4429") { // an upgrade that was refused
		note("connections")
		note("too-many")
	}
	c, ok := errors.AsType[*client.Closed](err)
	if !ok || c.Code != wire.CloseTooMany {
		return
	}
	for _, sign := range []string{"connections", "into this room", "your address", "limits.bytes", "limits.rate"} {
		if strings.Contains(c.Reason, sign) {
			note(sign)
			return
		}
	}
}
