package e2e

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/persist/journal"
	"github.com/roomring/roomring/persist/pgtest"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/client"
)

// poison is a game whose rules can kill a process in a way that nothing in it can recover from.
type poison struct{ N int }

type poisonAct struct {
	Do string `json:"do"`
}

func (p *poison) Act(t *room.Turn, by room.Player, a poisonAct) error {
	switch a.Do {
	case "overflow":
		debug.SetMaxStack(32 << 20) // the default, a gigabyte, takes seconds to fill
		p.N = deep(p.N)
	case "unwritable":
		t.Finish(room.Result{Summary: "no store takes this: \x00", Outcomes: []room.Outcome{{Player: by.ID, Name: by.Name, Rank: 1}}})
	}
	p.N++
	return nil
}

//go:noinline
//lint:ignore SA5007 overflowing the stack is its purpose
func deep(n int) int { return deep(n+1) + 1 }

func (p *poison) View(room.Viewer) map[string]int { return map[string]int{"n": p.N} }

func init() {
	if os.Getenv("ROOMRING_TEST_GAMES") != "" {
		extra = append(extra, room.MustDefine(room.Spec{
			Name: "poison", Version: 1, SharedView: true, About: "Kills the process that steps it", Linger: 2 * time.Second,
		}, func() *poison { return &poison{} }))
	}
}

// TestAPoisonedRoomIsSetAside lets a game overflow the stack. Its client sends the act again after every
// restart, as it must; after two dead processes the room is aborted and everybody else plays on.
func TestAPoisonedRoomIsSetAside(t *testing.T) {
	t.Parallel()
	s := newServer(t, generous...).start()
	ctx := patience(t)
	g := recordedGames(t)[1]
	m, err := s.seat(ctx, g)
	if err != nil {
		t.Fatal(err)
	}
	bad := s.create("poison", nil)
	c := s.join(bad, client.Options{})
	if _, err := c.Act(ctx, poisonAct{"nothing"}); err != nil {
		t.Fatal(err)
	}
	died := make(chan error, 1)
	go func() {
		_, err := c.Act(ctx, poisonAct{"overflow"})
		died <- err
	}()
	deaths := 0
	for over := false; !over; {
		select {
		case <-s.ended:
			deaths++
			if deaths > 4 {
				t.Fatal("the poisoned room kills every process")
			}
			s.start()
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
	if r := s.result(bad.ID); r.End != string(record.Aborted) {
		t.Errorf("the poisoned room ended as %+v", r)
	}
	var replay []byte
	if code := s.call("GET", "/v1/replays/"+bad.ID, nil, &replay); code != http.StatusOK {
		t.Fatalf("its log: %d", code)
	}
	r, err := core.ReadReplay(bytes.NewReader(replay))
	if err != nil || len(r.Entries) < 5 {
		t.Errorf("its log holds %d entries: %v", len(r.Entries), err)
	}
	if err := m.toTheEnd(ctx); err != nil {
		t.Fatalf("the other room: %v", err)
	}
}

// refuseResults has the server's store refuse results whose summary is like this.
func (s *server) refuseResults(like string) {
	s.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.dir, "store.db")+"?_pragma=busy_timeout(30000)")
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`CREATE TRIGGER refused BEFORE INSERT ON results WHEN NEW.summary LIKE '` + like + `' BEGIN SELECT RAISE(ABORT, 'refused'); END`); err != nil {
		s.t.Fatal(err)
	}
}

// TestAnUnwritableResultHoldsUpNothing ends a room with a result that the store refuses for good. The room lingers as usual
// and goes; its log is set aside.
func TestAnUnwritableResultHoldsUpNothing(t *testing.T) {
	t.Parallel()
	s := newServer(t, generous...).start()
	s.refuseResults("no store takes this%")
	ctx := patience(t)
	info := s.create("poison", nil)
	c := s.join(info, client.Options{})
	if _, err := c.Act(ctx, poisonAct{"unwritable"}); err != nil {
		t.Fatal(err)
	}
	s.until(ctx, "refused", func() bool { return strings.Contains(s.log.String(), "refused by the store") })
	c.Close() // and so is gone: one more input
	s.until(ctx, "out of memory", func() bool {
		var list struct{ Rooms []roomInfo }
		return s.admin("GET", "/admin/v1/rooms", nil, &list) == http.StatusOK && len(list.Rooms) == 0
	})
	if text := s.log.String(); strings.Contains(text, "stands still") {
		t.Error("the room could not be saved while it lingered")
	}
	if code, _ := s.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	folder, err := journal.OpenFolder(s.dir, journal.FolderOptions{})
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

// until polls for what must come to be.
func (s *server) until(ctx context.Context, what string, ok func() bool) {
	s.t.Helper()
	for !ok() {
		select {
		case <-ctx.Done():
			s.t.Fatalf("never %s", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// TestPostgresAwayLosesNoResult stops and kills PostgreSQL while games finish. Play goes on, rooms are
// made, and when it is back every result lands once.
func TestPostgresAwayLosesNoResult(t *testing.T) {
	t.Parallel()
	pg := pgtest.New(t)
	s := newServer(t, append([]string{"--store", pg.URL(t)}, generous...)...).start()
	ctx := patience(t)
	games := recordedGames(t)
	var finished []recorded
	for _, g := range games[:160] {
		if !g.byFlag() && g.Termination != "abandoned" {
			finished = append(finished, g)
		}
	}
	finished = finished[:sized(50, 50, 100)]
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
	var matches []*match
	crowd(t, finished, 20, func(g recorded) error {
		m, err := s.seat(ctx, g)
		if err != nil {
			return err
		}
		mu.Lock()
		matches = append(matches, m)
		mu.Unlock()
		if err := m.toTheEnd(ctx); err != nil {
			return err
		}
		return nil
	})
	close(done)
	faults.Wait()
	s.kill() // results that still wait are offered again by the next start
	s.start()
	checkStored(t, matches)
	s.countedOnce(matches)
}

// countedOnce adds up what the store counted for every player.
func (s *server) countedOnce(matches []*match) {
	s.t.Helper()
	for _, m := range matches {
		for _, p := range m.players {
			var profile struct {
				Games []struct {
					Games int `json:"games"`
				} `json:"games"`
			}
			raw := json.RawMessage{}
			if code := s.call("GET", "/v1/players/"+p.Welcome().Player, nil, &raw); code != http.StatusOK {
				s.t.Fatalf("player: %d %s", code, raw)
			}
			if err := json.Unmarshal(raw, &profile); err != nil || len(profile.Games) != 1 || profile.Games[0].Games != 1 {
				s.t.Fatalf("a player of one game has %s", raw)
			}
		}
	}
}
