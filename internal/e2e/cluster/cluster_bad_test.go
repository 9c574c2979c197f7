package cluster_test

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

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/internal/testcert"
)

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
			c := e2e.NewTeam(t, 2).Start()
			stranger := c.Add()
			stranger.Args = append(stranger.Args, change.args(t)...)
			stranger.Start()
			// The store lists the others. So the stranger is not ready and says why, and the nodes that refused it say so too.
			stranger.Until(e2e.WaitContext(t), "is not ready", func() bool { return !stranger.IsReady() })
			stranger.WaitForLog("level=WARN", change.says)
			c.Nodes[0].WaitForLog("level=WARN", change.says)
			if seen := c.Nodes[0].KnownNodes(""); slices.ContainsFunc(seen, func(n e2e.AdminNode) bool { return n.Name == "n3" && n.State == "active" }) {
				t.Errorf("the stranger was let in: %+v", seen)
			}
		})
	}
}

// TestTwoNodesOfOneName starts a second process with the name of a running node. The newer process stays.
func TestTwoNodesOfOneName(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeam(t, 2).Start()
	twin := c.Add()
	twin.Args = append(twin.Args, "--node", "n1")
	twin.Start()
	if code := c.Nodes[0].Wait(); code != e2e.ExitFailed {
		t.Errorf("the older of two nodes of one name ended with %d", code)
	}
	if log := c.Nodes[0].Log.String(); !e2e.Mentions(lastLine(log), "n1", "--node") {
		t.Errorf("its last words: %s", lastLine(log))
	}
	c.Nodes[1].Until(e2e.WaitContext(t), "the newer is the one", func() bool {
		seen := c.Nodes[1].KnownNodes("active")
		return len(seen) == 2 && slices.ContainsFunc(seen, func(n e2e.AdminNode) bool { return n.Name == "n1" }) && twin.IsReady()
	})
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// TestANodeThatReachesNobodyIsNotReady cuts a node off from the start. It was told to join, and the store lists other nodes.
func TestANodeThatReachesNobodyIsNotReady(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeam(t, 2).Start()
	lonely := c.Add()
	lonely.JoinAddrs = deadAddress(t)
	a := testcert.NewIssuer(t)
	a.Issue()
	lonely.Args, lonely.Transport = append(lonely.Args, a.Flags()...), &http.Transport{TLSClientConfig: a.Trust()}
	lonely.Start()
	lonely.Until(e2e.WaitContext(t), "it tells the operator why it is not ready", func() bool {
		var raw []byte
		code, err := lonely.TryCallAt(lonely.AdminAt, "GET", "/readyz", "", nil, &raw)
		return err == nil && code == http.StatusServiceUnavailable && e2e.Mentions(string(raw), lonely.JoinAddrs, "n1")
	})
	var raw []byte
	if code := lonely.Call("GET", "/readyz", nil, &raw); code != http.StatusServiceUnavailable || strings.Contains(string(raw), lonely.JoinAddrs) || strings.Contains(string(raw), "n1") {
		t.Errorf("a stranger is told %d %s", code, raw)
	}
	var out, errs bytes.Buffer
	if code := e2e.Run(append([]string{"healthcheck", "--ready-file", lonely.Dir + ".ready"}, a.Flags()...), &out, &errs); code != e2e.ExitFailed || !e2e.Mentions(errs.String(), "not ready", lonely.JoinAddrs, "n1") {
		t.Errorf("healthcheck exits %d and says %q", code, &errs)
	}
	if seen := c.Nodes[0].KnownNodes("active"); len(seen) != 2 {
		t.Errorf("the others see %+v", seen)
	}
	// Without any other node to join it is ready at once: it is the first node of a cluster.
	first := e2e.NewTeam(t, 1)
	first.Nodes[0].JoinAddrs = deadAddress(t)
	first.Nodes[0].Start()
	first.Nodes[0].Until(e2e.WaitContext(t), "a first node is ready", first.Nodes[0].IsReady)
}

// TestPeerPortsRefuseStrangers connects to the cluster's ports without a secret.
func TestPeerPortsRefuseStrangers(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeam(t, 2).Start()
	for _, addr := range []string{c.Nodes[0].Peer, c.Nodes[0].Gossip} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err) // a refusal proves nothing if nobody listens
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
	if !c.Nodes[0].IsReady() {
		t.Error("rubbish at its ports harmed the node")
	}
}

// TestSecretsRotate changes the secret of a running cluster: add it everywhere, use it everywhere, remove the old one.
func TestSecretsRotate(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeam(t, 3)
	old, fresh := rand.Text(), rand.Text()
	c.WriteSecrets(old)
	c.Start()
	var guest struct{ Token string }
	if code := c.Nodes[0].Call("POST", "/v1/guest", map[string]string{"name": "Ann"}, &guest); code != http.StatusCreated && code != http.StatusOK {
		t.Fatalf("a guest: %d", code)
	}
	for i, secrets := range [][]string{{old, fresh}, {fresh, old}, {fresh}} {
		c.WriteSecrets(secrets...)
		for _, n := range c.Nodes {
			said := strings.Count(n.Log.String(), "secrets were read again")
			if err := n.Cmd.Process.Signal(syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
			n.Until(e2e.WaitContext(t), "it has read the secrets", func() bool { return strings.Count(n.Log.String(), "secrets were read again") > said })
		}
		if i == 1 {
			// A guest of the old key stays the same as long as the key is accepted.
			code := c.Nodes[1].CallAt(c.Nodes[1].URL, "POST", "/v1/matchmake", guest.Token, map[string]any{"game": "chess"}, nil)
			if code != http.StatusOK {
				t.Errorf("a guest of the old key at another node: %d", code)
			}
		}
	}
	// A node that starts again knows only the new secret, and is let in.
	c.Nodes[2].Stop()
	c.Nodes[2].Start()
	c.WaitWhole(3)
	info := c.Nodes[0].Create("chess", nil)
	for _, n := range c.Nodes {
		if code := n.Call("GET", "/v1/rooms/"+info.ID, nil, nil); code != http.StatusOK {
			t.Errorf("%s does not find the room: %d", n.Node, code)
		}
	}
}

// TestAnIDThatIsNone asks for rooms with impossible ids.
func TestAnIDThatIsNone(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeam(t, 2).Start()
	for _, id := range []string{"x", "iiiiiiiiiiiiiiii", strings.Repeat("0", 17)} {
		if code, err := c.Nodes[0].TryCallAt(c.Nodes[0].URL, "GET", "/v1/rooms/"+id, "", nil, nil); err != nil || code != http.StatusBadRequest {
			t.Errorf("%s: %d %v", id, code, err)
		}
		if code, err := c.Nodes[0].TryCallAt(c.Nodes[0].AdminAt, "GET", "/admin/v1/ring?id="+id, "", nil, nil); err != nil || code != http.StatusBadRequest {
			t.Errorf("ring of %s: %d %v", id, code, err)
		}
	}
}
