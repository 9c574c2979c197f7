package survive_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/persist/journal"
	"github.com/roomring/roomring/persist/pgtest"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/client"
)

// TestAPoisonedRoomIsSetAside lets a game overflow the stack. The client sends the act again after every restart, as it must. After two
// dead processes the room is aborted and all other rooms go on.
func TestAPoisonedRoomIsSetAside(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, e2e.GenerousLimits...).Start()
	ctx := e2e.WaitContext(t)
	g := e2e.RecordedGames(t)[1]
	m, err := s.Seat(ctx, g)
	if err != nil {
		t.Fatal(err)
	}
	bad := s.Create("poison", nil)
	c := s.Join(bad, client.Options{})
	if _, err := c.Act(ctx, e2e.PoisonAct{Do: "nothing"}); err != nil {
		t.Fatal(err)
	}
	died := make(chan error, 1)
	go func() {
		_, err := c.Act(ctx, e2e.PoisonAct{Do: "overflow"})
		died <- err
	}()
	deaths := 0
	for over := false; !over; {
		select {
		case <-s.Ended:
			deaths++
			if deaths > 4 {
				t.Fatal("the poisoned room kills every process")
			}
			s.Start()
		case err := <-died:
			if closed, ok := errors.AsType[*client.Closed](err); !ok || closed.Code != wire.CloseOver {
				t.Fatalf("the client of the poisoned room heard %v", err)
			}
			over = true
		case <-ctx.Done():
			t.Fatal("the client of the poisoned room hears nothing")
		}
	}
	if deaths != 2 {
		t.Errorf("%d processes died before the room was set aside, not 2", deaths)
	}
	if r := s.Result(bad.ID); r.End != string(record.Aborted) {
		t.Errorf("the poisoned room ended as %+v", r)
	}
	var replay []byte
	if code := s.Call("GET", "/v1/replays/"+bad.ID, nil, &replay); code != http.StatusOK {
		t.Fatalf("its log: %d", code)
	}
	r, err := core.ReadReplay(bytes.NewReader(replay))
	if err != nil || len(r.Entries) < 5 {
		t.Errorf("its log holds %d entries: %v", len(r.Entries), err)
	}
	if err := m.PlayAndCheck(ctx); err != nil {
		t.Fatalf("the other room: %v", err)
	}
}

// refuseResults makes the server's store refuse results whose summary matches a LIKE pattern.
func refuseResults(s *e2e.Server, like string) {
	s.T.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.Dir, "store.db")+"?_pragma=busy_timeout(30000)")
	if err != nil {
		s.T.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`CREATE TRIGGER refused BEFORE INSERT ON results WHEN NEW.summary LIKE '` + like + `' BEGIN SELECT RAISE(ABORT, 'refused'); END`); err != nil {
		s.T.Fatal(err)
	}
}

// TestAnUnwritableResultHoldsUpNothing ends a room with a result that the store refuses for good. The room lingers as usual and goes, and
// its log is set aside.
func TestAnUnwritableResultHoldsUpNothing(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, e2e.GenerousLimits...).Start()
	refuseResults(s, "no store takes this%")
	ctx := e2e.WaitContext(t)
	info := s.Create("poison", nil)
	c := s.Join(info, client.Options{})
	if _, err := c.Act(ctx, e2e.PoisonAct{Do: "unwritable"}); err != nil {
		t.Fatal(err)
	}
	s.Until(ctx, "refused", func() bool { return strings.Contains(s.Log.String(), "refused by the store") })
	c.Close() // the player leaves: one more input
	s.Until(ctx, "out of memory", func() bool {
		var list struct{ Rooms []e2e.RoomInfo }
		return s.CallAdmin("GET", "/admin/v1/rooms", nil, &list) == http.StatusOK && len(list.Rooms) == 0
	})
	if text := s.Log.String(); strings.Contains(text, "stands still") {
		t.Error("the room could not be saved while it lingered")
	}
	if code, _ := s.Stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	folder, err := journal.OpenFolder(s.Dir, journal.FolderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	j, err := journal.Open(ctx, folder, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close(ctx)
	if aside, err := j.ListAside(ctx); err != nil || len(aside) != 1 || string(aside[0].Room) != info.ID {
		t.Errorf("set aside: %v %v", aside, err)
	}
}

// TestPostgresAwayLosesNoResult stops and kills PostgreSQL while games finish. Play goes on and rooms can be made. When PostgreSQL is
// back, every result is stored once.
func TestPostgresAwayLosesNoResult(t *testing.T) {
	t.Parallel()
	pg := pgtest.New(t)
	s := e2e.NewServer(t, append([]string{"--store", pg.URL(t)}, e2e.GenerousLimits...)...).Start()
	ctx := e2e.WaitContext(t)
	games := e2e.RecordedGames(t)
	var finished []e2e.RecordedGame
	for _, g := range games[:160] {
		if !g.ByFlag() && g.Termination != "abandoned" {
			finished = append(finished, g)
		}
	}
	finished = finished[:e2e.Sized(24, 24, 100)]
	done := make(chan struct{})
	var faults sync.WaitGroup
	faults.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			case <-time.After(300 * time.Millisecond):
			}
			if i%2 == 0 {
				pg.Kill(t)
			} else {
				pg.Stop(t)
			}
			time.Sleep(700 * time.Millisecond)
			pg.Start(t)
		}
	})
	var mu sync.Mutex
	var matches []*e2e.Match
	e2e.ForEachGame(t, finished, 20, func(g e2e.RecordedGame) error {
		m, err := s.Seat(ctx, g)
		if err != nil {
			return err
		}
		mu.Lock()
		matches = append(matches, m)
		mu.Unlock()
		if err := m.PlayAndCheck(ctx); err != nil {
			return err
		}
		return nil
	})
	close(done)
	faults.Wait()
	s.Kill() // the next start offers waiting results again
	s.Start()
	e2e.CheckStored(t, matches)
	countedOnce(s, matches)
}

// countedOnce checks that the store counted one game for every player.
func countedOnce(s *e2e.Server, matches []*e2e.Match) {
	s.T.Helper()
	for _, m := range matches {
		for _, p := range m.Players {
			var profile struct {
				Games []struct {
					Games int `json:"games"`
				} `json:"games"`
			}
			raw := json.RawMessage{}
			if code := s.Call("GET", "/v1/players/"+p.Welcome().Player, nil, &raw); code != http.StatusOK {
				s.T.Fatalf("player: %d %s", code, raw)
			}
			if err := json.Unmarshal(raw, &profile); err != nil || len(profile.Games) != 1 || profile.Games[0].Games != 1 {
				s.T.Fatalf("a player of one game has %s", raw)
			}
		}
	}
}
