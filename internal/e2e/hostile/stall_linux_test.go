//go:build !race

package hostile_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/web/client"
)

// sqlite opens the database of the server's store.
func sqlite(s *e2e.Server) *sql.DB {
	s.T.Helper()
	db, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(s.Args[slices.Index(s.Args, "--store")+1], "sqlite:")+"?_pragma=busy_timeout(30000)")
	if err != nil {
		s.T.Fatal(err)
	}
	s.T.Cleanup(func() { _ = db.Close() })
	return db
}

// longRoom and privateRoom are rooms that were over before the attack.
const longRoom, privateRoom = "0000000000000008", "0000000000000001"

// longGame stores a game whose replay has longBytes when it is watched, several times what a connection buffers.
func longGame(s *e2e.Server) {
	s.T.Helper()
	info := s.Create("tally", nil)
	c := s.Join(info, client.Options{Name: "long"})
	if _, err := c.Act(e2e.WaitContext(s.T), e2e.TallyAction{Add: 1}); err != nil {
		s.T.Fatal(err)
	}
	if code := s.CallAdmin("POST", "/admin/v1/rooms/"+info.ID+"/close", map[string]string{"reason": "enough"}, nil); code/100 != 2 {
		s.T.Fatalf("closing a room: %d", code)
	}
	s.Result(info.ID)
	var replay []byte
	if code := s.Call("GET", "/v1/replays/"+info.ID, nil, &replay); code != http.StatusOK {
		s.T.Fatalf("a replay: %d", code)
	}
	packer, err := zstd.NewWriter(nil)
	if err != nil {
		s.T.Fatal(err)
	}
	noise := `"` + strings.Repeat("0123456789abcdef", 1<<10) + `"`
	entry, err := core.EncodeEntries(nil, core.Entry{Index: 9, Epoch: 1, Input: core.Input{Kind: core.KindAct, Player: "long", Data: []byte(noise)}})
	if err != nil {
		s.T.Fatal(err)
	}
	frame := packer.EncodeAll(bytes.Repeat(entry, 32), nil)
	for range longBytes() / (512 << 10) {
		replay = append(replay, frame...)
	}
	db := sqlite(s)
	_, err = db.ExecContext(s.T.Context(), `INSERT INTO results (room, game, version, ended, rated, epoch, seq, duration_ns, outcomes, reason, summary, hash, stored)
		SELECT ?, game, version, ended, rated, epoch, seq, duration_ns, outcomes, reason, summary, hash, stored FROM results WHERE room = ?`, longRoom, info.ID)
	if err == nil {
		_, err = db.ExecContext(s.T.Context(), `INSERT INTO replays (room, data, stored) VALUES (?, ?, 1700000000000000)`, longRoom, replay)
	}
	if err != nil {
		s.T.Fatal(err)
	}
}

// longRooms returns the room of the long game.
func longRooms(s *e2e.Server) []string { return []string{longRoom} }

func longBytes() int { return atForce(12<<20, 32<<20) }

// watches reads the long replay to its end.
func watches(s *e2e.Server) error {
	req, err := http.NewRequestWithContext(e2e.WaitContext(s.T), http.MethodGet, s.URL+"/v1/replays/"+longRoom, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	begin := time.Now()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	n, err := io.Copy(io.Discard, res.Body)
	if err != nil || res.StatusCode != http.StatusOK || n < int64(longBytes()) {
		return fmt.Errorf("a replay: %d with %d bytes after %v: %w", res.StatusCode, n, time.Since(begin), errors.Join(err))
	}
	return nil
}

// privateGames fills a leaderboard with players whose games were private and have a replay.
func privateGames(s *e2e.Server) {
	s.T.Helper()
	games := manyPrivate()
	db := sqlite(s)
	for _, insert := range []string{
		`INSERT INTO players (player, name) SELECT printf('g_%08d', n), 'Somebody' FROM numbers`,
		`INSERT INTO records (game, player, rating, deviation, volatility, games, wins, losses, draws, rated, listed)
			SELECT 'chess', printf('g_%08d', n), 1000 + n % 1500, 80, 0.06, 30, 10, 10, 10, 30, 1 FROM numbers`,
		`INSERT INTO results (room, game, version, ended, rated, epoch, seq, duration_ns, outcomes, reason, summary, hash, stored, indexed, readers)
			SELECT printf('%016d', n), 'chess', 1, 'finished', 1, 1, 30, 60000000000, '[]', 'mate', 'a private end', randomblob(32), 1700000000000000, 1,
				printf('["g_%08d"]', n) FROM numbers`,
		`INSERT INTO outcomes (room, player, game, seat, rank, players, nth, stored)
			SELECT printf('%016d', n), printf('g_%08d', n), 'chess', 0, 1, 2, 1, 1700000000000000 FROM numbers`,
		`INSERT INTO replays (room, data, stored) SELECT printf('%016d', n), randomblob(2000), 1700000000000000 FROM numbers`,
	} {
		numbers := fmt.Sprintf(`WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %d) `, games)
		if _, err := db.ExecContext(s.T.Context(), numbers+insert); err != nil {
			s.T.Fatal(err)
		}
	}
}

func manyPrivate() int { return atForce(300, 20_000) }

// privateOnes returns some of those players and games.
func privateOnes(s *e2e.Server) []string {
	return []string{privateRoom, fmt.Sprintf("%016d", manyPrivate()/2), fmt.Sprintf("%016d", manyPrivate())}
}

// keepsPrivate checks that nobody is told about a private game, and that a profile is served and does not name it.
func keepsPrivate(s *e2e.Server) error {
	for _, path := range []string{"/v1/results/", "/v1/replays/"} {
		var raw []byte
		if code, err := s.TryCallAt(s.URL, "GET", path+privateRoom, "", nil, &raw); err != nil || code != http.StatusForbidden || bytes.Contains(raw, []byte("private end")) {
			return fmt.Errorf("%s of a private game: %d %.200s %w", path, code, raw, errors.Join(err))
		}
	}
	var board struct{ Players []any }
	if code, err := s.TryCallAt(s.URL, "GET", "/v1/leaderboards/chess?limit=20", "", nil, &board); err != nil || code != http.StatusOK || len(board.Players) != 20 {
		return fmt.Errorf("a leaderboard: %d with %d players: %w", code, len(board.Players), errors.Join(err))
	}
	var profile struct{ Recent []any }
	if code, err := s.TryCallAt(s.URL, "GET", "/v1/players/g_00000001", "", nil, &profile); err != nil || code != http.StatusOK || len(profile.Recent) > 0 {
		return fmt.Errorf("a profile: %d with %d games: %w", code, len(profile.Recent), errors.Join(err))
	}
	return nil
}
