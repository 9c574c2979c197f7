//go:build !race

package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"golang.org/x/sys/unix"

	"github.com/roomring/roomring/web/client"
)

// strangersVariable, when set, is how long each attack of TestStrangers lasts at its full force; then honest players' latencies
// are held to their bound too. Otherwise the attacks are short and have a tenth of it.
const strangersVariable = "ROOMRING_STRANGERS"

// honestP99 is what attacks at full force may make of an honest player's act and answer, at the 99th percentile.
const honestP99 = 20 * time.Millisecond

// attack is something that strangers do to a server with default limits, from a process of their own.
type attack struct {
	name   string // and of the function in attackers
	force  int    // attackers at once; ten times of what was once enough
	memory int    // MiB that the server may come to
	args   []string
	before func(*server) []string // prepares the server, and says what the attackers are to know
	honest func(*server) error    // what must still work in the middle of it
}

var attacks = []attack{
	{name: "refused", force: 200, memory: 300, before: (*server).manyTables},
	{name: "options", force: 64, memory: 200, honest: (*server).opens},
	{name: "lists", force: 640, memory: 300, args: []string{"--rooms-per-second", "0", "--room-share", "100", "--max-rooms", "20000"}, before: (*server).manyRooms},
	{name: "halves", force: 3000, memory: 300},
	{name: "codes", force: 100, memory: 200, before: (*server).privateRoom},
	{name: "seats", force: 10, memory: 200, honest: (*server).twoMeet},
	{name: "rooms", force: 1100, memory: 200, args: []string{"--max-rooms", "1000"}, honest: (*server).opens},
	{name: "boards", force: 64, memory: 200, before: (*server).manyPlayers, honest: (*server).showsProfiles},
	{name: "gossip", force: 600, memory: 400},
	{name: "stalls", force: 40, memory: 300, before: (*server).longGame, honest: (*server).watches},
	{name: "plain", force: 3000, memory: 300, honest: (*server).opens},
	{name: "walks", force: 64, memory: 200, before: (*server).privateGames, honest: (*server).keepsPrivate},
}

// TestStrangers has each attack run against a server of its own while two honest players play, and prints what became of them
// and of the server's memory and disk.
func TestStrangers(t *testing.T) {
	length, full := 700*time.Millisecond, false
	if text, ok := os.LookupEnv(strangersVariable); ok {
		var err error
		if length, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
		full = true
	}
	var table bytes.Buffer
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "attack\tattackers\tat rest p50\tp99\tattacked p50\tp99\tmemory\tdisk\tthey say")
	for _, a := range attacks {
		if !full {
			a.force = max(1, a.force/10)
		}
		t.Run(a.name, func(t *testing.T) { a.run(t, length, full, w) })
	}
	_ = w.Flush()
	t.Logf("\n%s", table.String())
}

func (a attack) run(t *testing.T, length time.Duration, full bool, table *tabwriter.Writer) {
	c := newTeamOn(t, "sqlite:"+filepath.Join(t.TempDir(), "store.db"), 1, a.args...)
	s := c.start().nodes[0]
	two := s.honestPair()
	var known []string
	if a.before != nil {
		known = a.before(s)
	}
	rest := two.play(length / 2)
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	said := make(chan string, 1)
	go func() { said <- s.strike(ctx, a, known) }()
	attacked := two.play(length)
	if a.honest != nil {
		if err := a.honest(s); err != nil {
			t.Errorf("under attack: %v", err)
		}
	}
	<-ctx.Done()
	words := <-said
	memory := s.peakMemory()
	if memory > a.memory {
		t.Errorf("the server came to %d MiB, not %d", memory, a.memory)
	}
	if p99 := percentile(attacked, 0.99); full && p99 > honestP99 {
		t.Errorf("an honest act took %v at the 99th percentile, not %v", p99, honestP99)
	}
	two.undisturbed()
	round := func(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }
	fmt.Fprintf(table, "%s\t%d\t%v\t%v\t%v\t%v\t%d MiB\t%.1f MB\t%s\n", a.name, a.force, round(percentile(rest, 0.5)), round(percentile(rest, 0.99)),
		round(percentile(attacked, 0.5)), round(percentile(attacked, 0.99)), memory, float64(s.folderSize())/1e6, words)
}

// strike runs the attackers until ctx ends, with less of a right to the processor than everybody else has: they are to spend the
// server's time, not the test's. It returns what they say in the end.
func (s *server) strike(ctx context.Context, a attack, known []string) string {
	exe, err := os.Executable()
	if err != nil {
		return err.Error()
	}
	var said, errs bytes.Buffer
	cmd := &exec.Cmd{
		Path: exe, Args: append([]string{"strangers", a.name, strconv.Itoa(a.force), s.URL, s.gossipAt}, known...),
		Env: os.Environ(), Stdout: &said, Stderr: &errs, SysProcAttr: endsWithTests(),
	}
	stop, err := cmd.StdinPipe() // they end with it
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return err.Error()
	}
	_ = unix.Setpriority(unix.PRIO_PROCESS, cmd.Process.Pid, 10)
	<-ctx.Done()
	_ = stop.Close()
	if err := cmd.Wait(); err != nil {
		return fmt.Sprintf("%v: %s", err, errs.String())
	}
	return strings.TrimSpace(said.String())
}

// peakMemory is the most that the process has had in memory, in MiB.
func (s *server) peakMemory() int {
	s.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				s.t.Fatal(err)
			}
			return kib / 1024
		}
	}
	s.t.Fatal("the kernel does not say how much memory a process has had")
	return 0
}

// honestPair are two players who act in turn in a room of their own.
type honestPair struct {
	t   *testing.T
	two [2]*client.Client
}

func (s *server) honestPair() *honestPair {
	s.t.Helper()
	p := &honestPair{t: s.t}
	info := s.create("tally", nil)
	for i := range p.two {
		p.two[i] = s.join(info, client.Options{Name: "honest", Encoding: encodingOf(i)})
	}
	return p
}

// play acts for a time, 30 times a second, and returns how long each act took to be answered.
func (p *honestPair) play(length time.Duration) (took []time.Duration) {
	p.t.Helper()
	ctx := patience(p.t)
	for i, end := 0, time.Now().Add(length); time.Now().Before(end); i++ {
		begin := time.Now()
		if _, err := p.two[i%2].Act(ctx, tallyAction{Add: 1}); err != nil {
			p.t.Fatalf("an honest player's act: %v", err)
		}
		took = append(took, time.Since(begin))
		time.Sleep(time.Second/30 - time.Since(begin))
	}
	return took
}

func (p *honestPair) undisturbed() {
	p.t.Helper()
	for _, c := range p.two {
		if st := c.Stats(); st.Sockets != 1 || st.Resent != 0 || st.Lost != 0 {
			p.t.Errorf("an honest player was disturbed: %+v", st)
		}
	}
}

func percentile(took []time.Duration, share float64) time.Duration {
	if len(took) == 0 {
		return 0
	}
	all := slices.Sorted(slices.Values(took))
	return all[min(len(all)-1, int(share*float64(len(all))))]
}

// manyTables makes rooms for attackers to sit in.
func (s *server) manyTables() (urls []string) {
	for range 50 { // with four seats each
		urls = append(urls, s.create("tally", nil).URL)
	}
	return urls
}

// atForce is how many of something there are, in short and at full force.
func atForce(short, full int) int {
	if os.Getenv(strangersVariable) != "" {
		return full
	}
	return short
}

// manyRooms fills the lists.
func (s *server) manyRooms() []string {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range atForce(60, 1250) {
				s.create("tally", nil)
			}
		})
	}
	wg.Wait()
	return nil
}

// manyPlayers fills a leaderboard.
func (s *server) manyPlayers() []string {
	db, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(s.args[slices.Index(s.args, "--store")+1], "sqlite:")+"?_pragma=busy_timeout(30000)")
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	for _, insert := range []string{
		`INSERT INTO players (player, name) SELECT printf('g_%08d', n), 'Somebody' FROM numbers`,
		`INSERT INTO records (game, player, rating, deviation, volatility, games, wins, losses, draws, rated, listed)
			SELECT 'chess', printf('g_%08d', n), 1000 + n % 1500, 80, 0.06, 30, 10, 10, 10, 30, 1 FROM numbers`,
	} {
		numbers := fmt.Sprintf(`WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %d) `, atForce(3000, 300_000))
		if _, err := db.ExecContext(s.t.Context(), numbers+insert); err != nil {
			s.t.Fatal(err)
		}
	}
	return nil
}

// showsProfiles asks for somebody's.
func (s *server) showsProfiles() error {
	if code, err := s.tryAt(s.URL, "GET", "/v1/players/g_00000042", "", nil, nil); err != nil || code != http.StatusOK {
		return fmt.Errorf("a profile: %d %v", code, err)
	}
	return nil
}

// privateRoom is one that only its code lets in to.
func (s *server) privateRoom() []string {
	s.t.Helper()
	var info roomInfo
	if code := s.call("POST", "/v1/rooms", map[string]any{"game": "chess", "private": true}, &info); code != http.StatusCreated {
		s.t.Fatalf("a private room: %d", code)
	}
	return []string{info.URL}
}

// twoMeet has people come for a game of chess, each of whom waits where they are sent, until two are in one room.
func (s *server) twoMeet() error {
	waiting := map[string]bool{}
	for end := time.Now().Add(ceiling); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		g := s.guest("Somebody")
		var room roomInfo
		if code, err := s.tryAt(s.URL, "POST", "/v1/matchmake", g.Token, map[string]any{"game": "chess"}, &room); err != nil || code != http.StatusOK {
			return fmt.Errorf("matchmaking: %d %v", code, err)
		}
		if _, err := s.tryJoin(room, client.Options{Token: g.Token}); err != nil {
			return err
		}
		if waiting[room.ID] {
			return nil
		}
		waiting[room.ID] = true
	}
	return fmt.Errorf("%d people came in %v, and no two of them met", len(waiting), ceiling)
}

// opens makes a room, as anybody may.
func (s *server) opens() error {
	var info roomInfo
	if code, err := s.tryAt(s.URL, "POST", "/v1/rooms", "", map[string]any{"game": "chess"}, &info); err != nil || code != http.StatusCreated {
		return fmt.Errorf("a room could not be made: %d %v", code, err)
	}
	return nil
}
