package e2e

import (
	"bytes"
	"crypto/rand"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// says waits until a process's log has all the words in one line.
func (s *server) says(words ...string) {
	s.t.Helper()
	s.until(patience(s.t), "said "+strings.Join(words, ", "), func() bool {
		for line := range strings.Lines(s.log.String()) {
			if mentions(line, words...) {
				return true
			}
		}
		return false
	})
}

// TestStrangersAreTurnedAway starts nodes that have another secret or another label.
func TestStrangersAreTurnedAway(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]struct {
		args func(t *testing.T) []string
		says string
	}{
		"secret": {func(t *testing.T) []string {
			other := filepath.Join(t.TempDir(), "other")
			if err := os.WriteFile(other, []byte(rand.Text()), 0o600); err != nil {
				t.Fatal(err)
			}
			return []string{"--cluster-secret-file", other}
		}, "secret"},
		"label": {func(*testing.T) []string { return []string{"--cluster-label", "other"} }, "label"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newTeam(t, 2).start()
			stranger := c.add()
			stranger.args = append(stranger.args, change.args(t)...)
			stranger.start()
			// The store lists the others, so the stranger is not ready, and says why; so do those that turned it away.
			stranger.until(patience(t), "is not ready", func() bool { return !stranger.isReady() })
			stranger.says("level=WARN", change.says)
			c.nodes[0].says("level=WARN", change.says)
			if seen := c.nodes[0].sees(""); slices.ContainsFunc(seen, func(n adminNode) bool { return n.Name == "n3" && n.State == "active" }) {
				t.Errorf("the stranger was let in: %+v", seen)
			}
		})
	}
}

// TestTwoNodesOfOneName starts a second process under a name that is taken: the newer stays.
func TestTwoNodesOfOneName(t *testing.T) {
	t.Parallel()
	c := newTeam(t, 2).start()
	twin := c.add()
	twin.args = append(twin.args, "--node", "n1")
	twin.start()
	if code := c.nodes[0].wait(); code != exitFailed {
		t.Errorf("the older of two nodes of one name ended with %d", code)
	}
	if log := c.nodes[0].log.String(); !mentions(lastLine(log), "n1", "--node") {
		t.Errorf("its last words: %s", lastLine(log))
	}
	c.nodes[1].until(patience(t), "the newer is the one", func() bool {
		seen := c.nodes[1].sees("active")
		return len(seen) == 2 && slices.ContainsFunc(seen, func(n adminNode) bool { return n.Name == "n1" }) && twin.isReady()
	})
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// TestANodeThatReachesNobodyIsNotReady cuts a node off from the start: it was told to join, and the store lists others.
func TestANodeThatReachesNobodyIsNotReady(t *testing.T) {
	t.Parallel()
	c := newTeam(t, 2).start()
	lonely := c.add()
	lonely.joins = deadAddress(t)
	a := NewIssuer(t)
	a.Issue()
	lonely.args, lonely.by = append(lonely.args, a.Flags()...), &http.Transport{TLSClientConfig: a.Trust()}
	lonely.start()
	lonely.until(patience(t), "it tells the operator why it is not ready", func() bool {
		var raw []byte
		code, err := lonely.tryAt(lonely.AdminAt, "GET", "/readyz", "", nil, &raw)
		return err == nil && code == http.StatusServiceUnavailable && mentions(string(raw), lonely.joins, "n1")
	})
	var raw []byte
	if code := lonely.call("GET", "/readyz", nil, &raw); code != http.StatusServiceUnavailable || strings.Contains(string(raw), lonely.joins) || strings.Contains(string(raw), "n1") {
		t.Errorf("a stranger is told %d %s", code, raw)
	}
	var out, errs bytes.Buffer
	if code := run(append([]string{"healthcheck", "--ready-file", lonely.dir + ".ready"}, a.Flags()...), &out, &errs); code != exitFailed || !mentions(errs.String(), "not ready", lonely.joins, "n1") {
		t.Errorf("healthcheck exits %d and says %q", code, &errs)
	}
	if seen := c.nodes[0].sees("active"); len(seen) != 2 {
		t.Errorf("the others see %+v", seen)
	}
	// Alone with nobody to join it is ready at once: the first node of a cluster.
	first := newTeam(t, 1)
	first.nodes[0].joins = deadAddress(t)
	first.nodes[0].start()
	first.nodes[0].until(patience(t), "a first node is ready", first.nodes[0].isReady)
}

// TestPeerPortsRefuseStrangers speaks to the ports of the cluster without a secret.
func TestPeerPortsRefuseStrangers(t *testing.T) {
	t.Parallel()
	c := newTeam(t, 2).start()
	for _, addr := range []string{c.nodes[0].Peer, c.nodes[0].Gossip} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err) // a refusal by nobody proves nothing
		}
		_ = conn.Close()
		for _, path := range []string{"/", "/roomring.peer.v1.Peer/Greet", "/admin/v1/nodes"} {
			res, err := http.Post("http://"+addr+path, "application/grpc", strings.NewReader("\x00\x00\x00\x00\x00"))
			if err == nil {
				_ = res.Body.Close()
				if res.StatusCode == http.StatusOK {
					t.Errorf("%s%s answers a stranger with %d", addr, path, res.StatusCode)
				}
			}
		}
	}
	if !c.nodes[0].isReady() {
		t.Error("rubbish at its ports harmed the node")
	}
}

// TestSecretsRotate changes the cluster's secret under way: add everywhere, use everywhere, remove.
func TestSecretsRotate(t *testing.T) {
	t.Parallel()
	c := newTeam(t, 3)
	old, fresh := rand.Text(), rand.Text()
	c.writeSecrets(old)
	c.start()
	var guest struct{ Token string }
	if code := c.nodes[0].call("POST", "/v1/guest", map[string]string{"name": "Ann"}, &guest); code != http.StatusCreated && code != http.StatusOK {
		t.Fatalf("a guest: %d", code)
	}
	for i, secrets := range [][]string{{old, fresh}, {fresh, old}, {fresh}} {
		c.writeSecrets(secrets...)
		for _, n := range c.nodes {
			said := strings.Count(n.log.String(), "secrets were read again")
			if err := n.cmd.Process.Signal(syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
			n.until(patience(t), "it has read the secrets", func() bool { return strings.Count(n.log.String(), "secrets were read again") > said })
		}
		if i == 1 {
			// A guest of the old key is one as long as the key is accepted.
			code := c.nodes[1].callAt(c.nodes[1].URL, "POST", "/v1/matchmake", guest.Token, map[string]any{"game": "chess"}, nil)
			if code != http.StatusOK {
				t.Errorf("a guest of the old key at another node: %d", code)
			}
		}
	}
	// The one that starts anew knows the new secret alone, and is let in.
	c.nodes[2].stop()
	c.nodes[2].start()
	c.whole(3)
	info := c.nodes[0].create("chess", nil)
	for _, n := range c.nodes {
		if code := n.call("GET", "/v1/rooms/"+info.ID, nil, nil); code != http.StatusOK {
			t.Errorf("%s does not find the room: %d", n.Node, code)
		}
	}
}

// TestAnIDThatIsNone asks for rooms that cannot be.
func TestAnIDThatIsNone(t *testing.T) {
	t.Parallel()
	c := newTeam(t, 2).start()
	for _, id := range []string{"x", "iiiiiiiiiiiiiiii", strings.Repeat("0", 17)} {
		if code, err := c.nodes[0].tryAt(c.nodes[0].URL, "GET", "/v1/rooms/"+id, "", nil, nil); err != nil || code != http.StatusBadRequest {
			t.Errorf("%s: %d %v", id, code, err)
		}
		if code, err := c.nodes[0].tryAt(c.nodes[0].AdminAt, "GET", "/admin/v1/ring?id="+id, "", nil, nil); err != nil || code != http.StatusBadRequest {
			t.Errorf("ring of %s: %d %v", id, code, err)
		}
	}
}
