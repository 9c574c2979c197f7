//go:build !race

package hostile_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/web/client"
)

// strangersVariable names the environment variable that, when set, is how long each attack of TestStrangers lasts at full force. Honest
// players' latencies must then stay under their bound. Otherwise the attacks are short and have a tenth of the force.
const strangersVariable = "ROOMRING_STRANGERS"

// honestP99 bounds the 99th percentile of the time between an honest player's act and its answer during attacks at full force.
const honestP99 = 20 * time.Millisecond

// restful is how many times its time at rest an act may always take: on a machine that is busy with other work, 20 ms is no sensible
// bound.
const restful = 3

// hostileRounds is how often each attack at full force is started again, after a time of rest.
const hostileRounds = 3

// attack is what strangers do to a server with default limits, from their own process.
type attack struct {
	name   string // also names the function in attackers
	force  int    // attackers at once; ten times what was once enough
	memory int    // MiB of memory that the server may use at most
	args   []string
	before func(*e2e.Server)          // prepares the server
	tell   func(*e2e.Server) []string // prepares one round, and returns what the attackers must know
	honest func(*e2e.Server) error    // what must still work during the attack
}

var attacks = []attack{
	{name: "refused", force: 200, memory: 300, tell: manyTables},
	{name: "options", force: 64, memory: 200, honest: opens},
	{name: "lists", force: 640, memory: 300, args: []string{"--rooms-per-second", "0", "--room-share", "100", "--max-rooms", "20000"}, before: manyRooms},
	{name: "halves", force: 3000, memory: 300},
	{name: "codes", force: 100, memory: 200, tell: makePrivateRoom},
	{name: "seats", force: 10, memory: 200, honest: twoMeet},
	{name: "rooms", force: 1100, memory: 200, args: []string{"--max-rooms", "1000"}, honest: opens},
	{name: "boards", force: 64, memory: 200, before: manyPlayers, honest: showsProfiles},
	{name: "gossip", force: 600, memory: 400},
	{name: "stalls", force: 40, memory: 300, before: longGame, tell: longRooms, honest: watches},
	{name: "plain", force: 3000, memory: 300, honest: opens},
	{name: "walks", force: 64, memory: 200, before: privateGames, tell: privateOnes, honest: keepsPrivate},
}

// TestStrangers runs each attack against a server of its own while two honest players play. It prints how the players fared, and the
// server's use of memory and disk.
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
	s := a.server(t).Start()
	if a.before != nil {
		a.before(s)
	}
	players := honestPair(s)
	rounds := 1
	if full {
		rounds = hostileRounds
	}
	var rest, attacked []span
	var words []string
	for range rounds {
		var known []string
		if a.tell != nil {
			known = a.tell(s)
		}
		spend(time.Second) // everything that was begun before ends
		rest = append(rest, spend(length/2))
		ctx, cancel := context.WithCancel(t.Context())
		said := make(chan string, 1)
		go func() { said <- strike(s, ctx, a, known) }()
		profile(s, a.name, length)
		attacked = append(attacked, spend(length))
		if a.honest != nil {
			if err := a.honest(s); err != nil {
				t.Errorf("under attack: %v", err)
			}
		}
		cancel()
		words = append(words, <-said)
	}
	memory := peakMemory(s)
	if memory > a.memory {
		t.Errorf("the server came to %d MiB, not %d", memory, a.memory)
	}
	acts := players.end()
	calm, hard := acts.over(rest), acts.over(attacked)
	if bound := max(honestP99, restful*calm.p99); full && hard.p99 > bound {
		t.Errorf("an honest act took %v at the 99th percentile, not %v", hard.p99, bound)
	}
	fmt.Fprintf(table, "%s\t%d\t%v\t%v\t%v\t%v\t%d MiB\t%.1f MB\t%s\n", a.name, a.force, calm.p50, calm.p99, hard.p50, hard.p99,
		memory, float64(s.FolderSize())/1e6, words[len(words)-1])
}

// server prepares a server with default limits in its own cluster.
func (a attack) server(t *testing.T) *e2e.Server {
	secret, gossip := filepath.Join(t.TempDir(), "secret"), e2e.FreePort(t)
	if err := os.WriteFile(secret, []byte(rand.Text()), 0o600); err != nil {
		t.Fatal(err)
	}
	s := e2e.NewServer(t, slices.Concat([]string{
		"--store", "sqlite:" + filepath.Join(t.TempDir(), "store.db"), "--cluster-secret-file", secret, "--peer-listen", e2e.FreePort(t), "--gossip-listen", gossip,
	}, a.args)...)
	s.GossipAt, s.JoinAddrs = gossip, gossip
	return s
}

// strike runs the attackers until ctx ends and returns what they print. They get at most one processor, and only while no other process
// wants it: they must use the server's time, not take its processor.
func strike(s *e2e.Server, ctx context.Context, a attack, known []string) string {
	attackers := startChild(s, append([]string{"strangers", a.name, strconv.Itoa(a.force), s.URL, s.GossipAt}, known...)...)
	<-ctx.Done()
	words, err := attackers.end()
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%.0f %% of a processor: %s", 100*attackers.busy(), strings.TrimSpace(words))
}

// profilesVariable names the environment variable with a folder for processor profiles of the server under each attack.
const profilesVariable = "ROOMRING_STRANGERS_PROFILES"

// profile starts to write a profile of the time that follows.
func profile(s *e2e.Server, name string, length time.Duration) {
	folder := os.Getenv(profilesVariable)
	if folder == "" {
		return
	}
	go func() {
		for _, of := range []string{fmt.Sprintf("profile?seconds=%.0f", length.Seconds()), "allocs"} {
			res, err := http.Get(s.AdminAt + "/debug/pprof/" + of)
			if err != nil {
				s.T.Log(err)
				return
			}
			defer res.Body.Close()
			data, _ := io.ReadAll(res.Body)
			kind, _, _ := strings.Cut(of, "?")
			_ = os.WriteFile(filepath.Join(folder, name+"."+kind), data, 0o600)
		}
	}()
}

// peakMemory returns the most memory that the process has used, in MiB.
func peakMemory(s *e2e.Server) int {
	s.T.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.Cmd.Process.Pid))
	if err != nil {
		s.T.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				s.T.Fatal(err)
			}
			return kib / 1024
		}
	}
	s.T.Fatal("the kernel does not say how much memory a process has had")
	return 0
}

// honest are two players who act in turn in their own room, in their own process. So the work of the attackers and of the tests is not
// counted as the server's.
type honest struct {
	s   *e2e.Server
	run *child
}

// honestPair starts two players.
func honestPair(s *e2e.Server) *honest {
	s.T.Helper()
	return &honest{s, startChild(s, "honest", s.Create("tally", nil).URL)}
}

// end stops the players and returns their results. No player may have been disturbed.
func (h *honest) end() honestWords {
	t := h.s.T
	t.Helper()
	var words honestWords
	text, err := h.run.end()
	if err == nil {
		err = json.Unmarshal([]byte(text), &words)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range words.Players {
		if st.Sockets != 1 || st.Resent != 0 || st.Lost != 0 {
			t.Errorf("an honest player was disturbed: %+v", st)
		}
	}
	return words
}

// latency is how long acts took.
type latency struct{ p50, p99 time.Duration }

// over returns the medians, over several spans of time, of the percentiles in each span.
func (w honestWords) over(spans []span) latency {
	var p50, p99 []time.Duration
	for _, in := range spans {
		var took []time.Duration
		for _, a := range w.Acts {
			if !a.At.Before(in.from) && a.At.Before(in.to) {
				took = append(took, a.Took)
			}
		}
		p50, p99 = append(p50, percentile(took, 0.5)), append(p99, percentile(took, 0.99))
	}
	return latency{percentile(p50, 0.5), percentile(p99, 0.5)}
}

// span is a part of the test's time.
type span struct{ from, to time.Time }

// spend waits and returns the span that passed.
func spend(length time.Duration) span {
	from := time.Now()
	time.Sleep(length)
	return span{from, time.Now()}
}

func percentile(took []time.Duration, share float64) time.Duration {
	if len(took) == 0 {
		return 0
	}
	all := slices.Sorted(slices.Values(took))
	return all[min(len(all)-1, int(share*float64(len(all))))].Round(10 * time.Microsecond)
}

// manyTables makes rooms for attackers to sit in.
func manyTables(s *e2e.Server) (urls []string) {
	for range 50 { // four seats each
		urls = append(urls, s.Create("tally", nil).URL)
	}
	return urls
}

// atForce returns the short amount, or the full one at full force.
func atForce(short, full int) int {
	if os.Getenv(strangersVariable) != "" {
		return full
	}
	return short
}

// manyRooms fills the lists, from several addresses.
func manyRooms(s *e2e.Server) {
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 8, 0, byte(1+i))}}
			c := &http.Client{Timeout: e2e.Ceiling, Transport: &http.Transport{DialContext: dialer.DialContext}}
			defer c.CloseIdleConnections()
			for range atForce(50, 1000) {
				res, err := c.Post(s.URL+"/v1/rooms", "application/json", strings.NewReader(`{"game":"tally"}`))
				if err != nil {
					s.T.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, res.Body)
				if _ = res.Body.Close(); res.StatusCode != http.StatusCreated {
					s.T.Errorf("a room for the list: %d", res.StatusCode)
				}
			}
		})
	}
	wg.Wait()
}

// manyPlayers fills a leaderboard.
func manyPlayers(s *e2e.Server) {
	db, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(s.Args[slices.Index(s.Args, "--store")+1], "sqlite:")+"?_pragma=busy_timeout(30000)")
	if err != nil {
		s.T.Fatal(err)
	}
	defer db.Close()
	for _, insert := range []string{
		`INSERT INTO players (player, name) SELECT printf('g_%08d', n), 'Somebody' FROM numbers`,
		`INSERT INTO records (game, player, rating, deviation, volatility, games, wins, losses, draws, rated, listed)
			SELECT 'chess', printf('g_%08d', n), 1000 + n % 1500, 80, 0.06, 30, 10, 10, 10, 30, 1 FROM numbers`,
	} {
		numbers := fmt.Sprintf(`WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %d) `, atForce(3000, 300_000))
		if _, err := db.ExecContext(s.T.Context(), numbers+insert); err != nil {
			s.T.Fatal(err)
		}
	}
}

// showsProfiles asks for a player's profile.
func showsProfiles(s *e2e.Server) error {
	if code, err := s.TryCallAt(s.URL, "GET", "/v1/players/g_00000042", "", nil, nil); err != nil || code != http.StatusOK {
		return fmt.Errorf("a profile: %d %v", code, err)
	}
	return nil
}

// makePrivateRoom makes a room that can be entered only with its code.
func makePrivateRoom(s *e2e.Server) []string {
	s.T.Helper()
	var info e2e.RoomInfo
	if code := s.Call("POST", "/v1/rooms", map[string]any{"game": "chess", "private": true}, &info); code != http.StatusCreated {
		s.T.Fatalf("a private room: %d", code)
	}
	return []string{info.URL}
}

// twoMeet has people ask for a game of chess and join where they are sent, until two are in one room.
func twoMeet(s *e2e.Server) error {
	waiting := map[string]bool{}
	for end := time.Now().Add(e2e.Ceiling); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		g := s.Guest("Somebody")
		var room e2e.RoomInfo
		if code, err := s.TryCallAt(s.URL, "POST", "/v1/matchmake", g.Token, map[string]any{"game": "chess"}, &room); err != nil || code != http.StatusOK {
			return fmt.Errorf("matchmaking: %d %v", code, err)
		}
		if _, err := s.TryJoin(room, client.Options{Token: g.Token}); err != nil {
			return err
		}
		if waiting[room.ID] {
			return nil
		}
		waiting[room.ID] = true
	}
	return fmt.Errorf("%d people came in %v, and no two of them met", len(waiting), e2e.Ceiling)
}

// opens makes a room, as anybody may.
func opens(s *e2e.Server) error {
	began := time.Now()
	res, err := http.Post(s.URL+"/v1/rooms", "application/json", strings.NewReader(`{"game":"chess"}`))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if text, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusCreated {
		return fmt.Errorf("a room could not be made: %s after %v: %s", res.Status, time.Since(began), text)
	}
	return nil
}
