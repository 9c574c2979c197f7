package play_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
)

// loadReport is what tests read of the report of `roomring loadtest`.
type loadReport struct {
	OK         bool
	Thresholds []struct {
		Threshold string
		Failed    bool
	}
	Advice []string
	Acts   struct{ Due, Dropped, Sent, Answered, Moot int }
	Joins  struct{ Tried, Done int }
	Act    struct {
		Count        int
		Max          float64 `json:"max_ms"`
		Distribution []struct {
			UpTo  float64 `json:"up_to_ms"`
			Count int
		}
	}
	Deliveries struct{ Turns, States, Events int }
	Bytes      struct{ In, Out int }
	Rooms      struct{ Made, Finished, Aborted int }
	Errors     map[string]int
	Servers    []struct {
		CPU    float64 `json:"cpu_seconds"`
		Memory int     `json:"memory_bytes"`
	}
}

// loadTest runs `roomring loadtest` on a server, and returns the exit code, what it printed, and its report.
func loadTest(t *testing.T, s *e2e.Server, args ...string) (code int, out string, r loadReport) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.json")
	var stdout, stderr bytes.Buffer
	args = slices.Concat([]string{"loadtest"}, args, []string{"--url", s.URL, "--admin", s.AdminAt, "--json", file, "--seed", "1"})
	code = e2e.Run(args, &stdout, &stderr)
	t.Logf("%s%s", stderr.String(), stdout.String())
	if text, err := os.ReadFile(file); err != nil || len(text) > 0 && json.Unmarshal(text, &r) != nil {
		t.Errorf("the report is %q: %v", text, err)
	}
	return code, stdout.String() + stderr.String(), r
}

func TestLoadtest(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, slices.Concat(e2e.CrowdLimits, []string{"--max-connections-per-address", "0"})...).Start()

	t.Run("a game of turns", func(t *testing.T) {
		code, out, r := loadTest(t, s, "chess", "--players", "12", "--rate", "60/s", "--joins", "60/s", "--duration", "2s", "--spectators", "2", "--options", `{"takeback":true}`,
			"--fail-if", "errors>0", "--fail-if", "dropped>20%", "--fail-if", "act.p50>5s", "--fail-if", "acts<1/s")
		if code != e2e.ExitOK || !r.OK || len(r.Thresholds) != 4 || len(r.Errors) != 0 {
			t.Errorf("exit %d, %+v", code, r)
		}
		if r.Acts.Due != 120 || r.Acts.Answered+r.Acts.Dropped+r.Acts.Moot != 120 || r.Act.Count != r.Acts.Answered {
			t.Errorf("of 120 acts it tells %+v", r.Acts)
		}
		if r.Joins.Done < 12 || r.Rooms.Made < 6 || r.Deliveries.Turns < r.Acts.Answered || r.Deliveries.States < 14 || r.Bytes.In == 0 || r.Bytes.Out == 0 {
			t.Errorf("it has seen little: %+v", r)
		}
		if len(r.Servers) != 1 || r.Servers[0].CPU <= 0 || r.Servers[0].Memory == 0 {
			t.Errorf("the server has used %+v", r.Servers)
		}
		if !e2e.Mentions(out, "joins...", "p99", "ok     fail if errors>0: it is 0", "of 12 players") {
			t.Error("the summary lacks something")
		}
	})

	t.Run("a game in real time that fails a threshold", func(t *testing.T) {
		code, out, r := loadTest(t, s, "snakes", "--players", "6", "--rate", "40/s", "--joins", "30/s", "--duration", "2s", "--encoding", "cbor", "--quiet",
			"--fail-if", "act.p50<60m", "--fail-if", "errors>0")
		if code != e2e.ExitFailed || r.OK || !r.Thresholds[0].Failed || r.Thresholds[1].Failed {
			t.Errorf("exit %d, %+v", code, r)
		}
		if r.Acts.Answered == 0 || r.Deliveries.Turns < 6 {
			t.Errorf("it was no game in real time: %+v", r)
		}
		if !e2e.Mentions(out, "FAILED fail if act.p50<60m", "the load test has failed") || strings.Contains(out, "players come") {
			t.Error("the output is not what was asked for")
		}
	})

	// Coordinated omission would make of a server that stands still a few slow answers.
	t.Run("a server that stands still", func(t *testing.T) {
		stall := time.AfterFunc(1500*time.Millisecond, func() {
			_ = s.Cmd.Process.Signal(syscall.SIGSTOP)
			time.Sleep(time.Second)
			_ = s.Cmd.Process.Signal(syscall.SIGCONT)
		})
		defer stall.Stop()
		_, _, r := loadTest(t, s, "liarsdice", "--players", "6", "--rate", "100/s", "--joins", "60/s", "--duration", "4s", "--quiet")
		quick := 0
		for _, d := range r.Act.Distribution {
			if d.UpTo < 100 {
				quick = d.Count
			}
		}
		if slow := r.Act.Count - quick; slow < 50 || r.Act.Max < 800 {
			t.Errorf("the server stood still for a second, and of %d acts %d were slow, at most %v ms", r.Act.Count, slow, r.Act.Max)
		}
	})

	t.Run("an admin API that is not there", func(t *testing.T) {
		var out bytes.Buffer
		at := e2e.FreePort(t)
		if code := e2e.Run([]string{"loadtest", "chess", "--url", s.URL, "--admin", "http://" + at}, &out, &out); code != e2e.ExitFailed || !e2e.Mentions(out.String(), "no admin API answers at http://"+at, "--admin", "roomring.Program.Drivers") {
			t.Errorf("exit %d: %s", code, &out)
		}
	})

	t.Run("an admin API in place of the server", func(t *testing.T) {
		var out bytes.Buffer
		if code := e2e.Run([]string{"loadtest", "chess", "--url", s.AdminAt, "--admin", s.AdminAt}, &out, &out); code != e2e.ExitFailed || !e2e.Mentions(out.String(), "answers as no Roomring server does", "--url") {
			t.Errorf("exit %d: %s", code, &out)
		}
	})
}

// TestLoadtestOfAServerWithLimits has more players come from one address than the server lets in, and learns by which settings.
func TestLoadtestOfAServerWithLimits(t *testing.T) {
	t.Parallel()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("hush-hush-hush-hush-hush-hush-hush\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := e2e.NewServer(t, "--max-sockets-per-address", "4", "--admin-token-file", token).Start()
	code, out, r := loadTest(t, s, "chess", "--players", "8", "--rate", "20/s", "--joins", "20/s", "--duration", "1s", "--fail-if", "errors>1%", "--admin-token-file", token)
	if code != e2e.ExitFailed || r.OK || r.Joins.Done < 4 || r.Joins.Tried-r.Joins.Done < 4 || !e2e.Mentions(strings.Join(r.Advice, "\n"), "--max-sockets-per-address 0") {
		t.Errorf("exit %d, %+v", code, r)
	}
	if !e2e.Mentions(out, "too many connections", "mind: the server's limits") || strings.Contains(out, "hush") {
		t.Error("the summary does not say why")
	}
	var without bytes.Buffer
	if code := e2e.Run([]string{"loadtest", "chess", "--url", s.URL, "--admin", s.AdminAt}, &without, &without); code != e2e.ExitFailed || !e2e.Mentions(without.String(), "wants its token", "--admin-token-file") {
		t.Errorf("exit %d: %s", code, &without)
	}
}
