package hostile_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// These attacks hold resources for as long as they can, rather than ask for much.

// stalls asks for a long replay, reads one byte of it and then nothing. Each attacker has its own address.
func (x *strangers) stalls(i int) {
	conn := x.connects(i)
	if conn == nil {
		return
	}
	defer conn.Close()
	_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
	defer context.AfterFunc(x.ctx, func() { _ = conn.Close() })()
	_, _ = fmt.Fprintf(conn, "GET /v1/replays/%s HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\n\r\n", x.known[0])
	status := make([]byte, len("HTTP/1.1 200"))
	_, err := io.ReadFull(conn, status)
	switch {
	case x.ctx.Err() != nil:
	case err != nil:
		x.count("no answer")
		x.wait(50 * time.Millisecond)
	default:
		x.count(string(status[len("HTTP/1.1 "):]))
		x.wait(6 * time.Second)
	}
}

// connects opens a connection from the attacker's own address.
func (x *strangers) connects(i int) net.Conn {
	conn, err := from(i).DialContext(x.ctx, "tcp", strings.TrimPrefix(x.url, "http://"))
	if err != nil {
		x.count("no connection")
		x.wait(50 * time.Millisecond)
		return nil
	}
	return conn
}

// plain opens a connection, sends nothing, half a head or half a body, and keeps it open, from two addresses.
func (x *strangers) plain(i int) {
	conn := x.connects(i % 2)
	if conn == nil {
		return
	}
	defer conn.Close()
	defer context.AfterFunc(x.ctx, func() { _ = conn.Close() })()
	const head = "POST /v1/rooms HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	_, _ = io.WriteString(conn, []string{"", head, head + "Content-Length: 60000\r\n\r\n{\"game\":"}[i/2%3])
	_, _ = io.Copy(io.Discard, conn)
	if x.ctx.Err() == nil {
		x.count("closed")
		x.wait(time.Second)
	}
}

// walks goes from the leaderboard to players, from players to their games, and from games to results and replays, also of private games
// that it has heard of. All requests come from one address.
func (x *strangers) walks(i int) {
	c := x.client(from(0))
	defer c.CloseIdleConnections()
	for after := ""; x.ctx.Err() == nil; {
		var board struct {
			Players []struct{ Player string }
			Next    string
		}
		x.reads(c, "/v1/leaderboards/chess?limit=20"+after, &board)
		if after = ""; board.Next != "" {
			after = "&after=" + board.Next
		}
		for n, p := range board.Players {
			var profile struct{ Recent []struct{ Room string } }
			x.reads(c, "/v1/players/"+p.Player, &profile)
			rooms := []string{x.known[(i+n)%len(x.known)]}
			for _, r := range profile.Recent {
				rooms = append(rooms, r.Room)
			}
			for _, r := range rooms {
				x.reads(c, "/v1/results/"+r, nil)
				x.reads(c, "/v1/replays/"+r, nil)
			}
		}
	}
}

// reads sends a request and counts its answer.
func (x *strangers) reads(c *http.Client, path string, into any) {
	req, err := http.NewRequestWithContext(x.ctx, http.MethodGet, x.url+path, nil)
	if err != nil {
		panic(err)
	}
	res, err := c.Do(req)
	if err != nil {
		if x.ctx.Err() == nil {
			x.count("no answer")
			x.wait(10 * time.Millisecond)
		}
		return
	}
	defer res.Body.Close()
	x.count(strings.Split(path, "/")[2] + " " + strconv.Itoa(res.StatusCode))
	if res.StatusCode == http.StatusOK && into != nil {
		_ = json.NewDecoder(res.Body).Decode(into)
	}
	_, _ = io.Copy(io.Discard, res.Body)
}
