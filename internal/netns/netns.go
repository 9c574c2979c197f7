//go:build linux

// Package netns makes networks of hosts on one Linux machine, whose cables can be cut: one network namespace a host, joined by a bridge in
// another namespace. It needs root, and the programs ip and nft. Nothing of it touches the machine's own network.
package netns

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Net is a network of hosts 1 to n. Traffic between hosts can be cut and made lossy; traffic within a host cannot. Any goroutine may call
// its methods.
type Net struct {
	name string

	mu    sync.Mutex
	hosts int
	rules map[int]map[string]string // by host: what nftables does with its packets, by what it was asked for
}

var made atomic.Uint32

// New makes a network. Close removes it. The error says what is missing.
func New(hosts int) (*Net, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("networks of one's own need root")
	}
	for _, program := range []string{"ip", "nft"} {
		if _, err := exec.LookPath(program); err != nil {
			return nil, fmt.Errorf("networks of one's own need the program %s (apt-get install iproute2 nftables)", program)
		}
	}
	n := &Net{name: fmt.Sprintf("rr%d-%d", os.Getpid(), made.Add(1)), rules: map[int]map[string]string{}}
	err := errors.Join(run("", "ip", "netns", "add", n.name), run("", "ip", "-n", n.name, "link", "add", "bridge", "type", "bridge"),
		run("", "ip", "-n", n.name, "link", "set", "bridge", "up"))
	for range hosts {
		if err == nil {
			_, err = n.Add()
		}
	}
	if err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

// Add makes one more host and returns its number.
func (n *Net) Add() (host int, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts++
	host = n.hosts
	in, port := n.namespace(host), fmt.Sprintf("port%d", host)
	for _, args := range [][]string{
		{"netns", "add", in},
		{"-n", n.name, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", in},
		{"-n", n.name, "link", "set", port, "master", "bridge", "up"},
		{"-n", in, "addr", "add", Addr(host) + "/24", "dev", "eth0"},
		{"-n", in, "link", "set", "eth0", "up"},
		{"-n", in, "link", "set", "lo", "up"},
	} {
		if err := run("", "ip", args...); err != nil {
			return 0, err
		}
	}
	return host, nil
}

// Close removes the network. Processes in it lose it.
func (n *Net) Close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := n.hosts; i > 0; i-- {
		_ = run("", "ip", "netns", "del", n.namespace(i)) // it may not be there yet
	}
	_ = run("", "ip", "netns", "del", n.name)
}

func (n *Net) namespace(host int) string { return fmt.Sprintf("%s-%d", n.name, host) }

// Addr is the address of a host.
func Addr(host int) string { return fmt.Sprintf("10.99.0.%d", host) }

// Cut drops everything that comes to a host from another one. Either may be 0: all others. Calls for the same two count once.
func (n *Net) Cut(from, to int) error {
	switch {
	case to == 0:
		return n.rule(from, "out", "drop")
	case from == 0:
		return n.rule(to, "in", "drop")
	}
	return n.rule(to, fmt.Sprint(from), "ip saddr "+Addr(from)+" drop")
}

// Heal ends what Cut has done.
func (n *Net) Heal(from, to int) error {
	switch {
	case to == 0:
		return n.rule(from, "out", "")
	case from == 0:
		return n.rule(to, "in", "")
	}
	return n.rule(to, fmt.Sprint(from), "")
}

// Lose drops a percentage of what comes to a host; 0 ends that.
func (n *Net) Lose(to, percent int) error {
	switch percent {
	case 0:
		return n.rule(to, "loss", "")
	case 100: // which nft refuses as a share
		return n.rule(to, "loss", "drop")
	}
	return n.rule(to, "loss", fmt.Sprintf("numgen random mod 100 < %d drop", percent))
}

// rule sets or removes one of a host's rules for what comes from other hosts; of the key "out", for what goes to them.
func (n *Net) rule(host int, key, rule string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.rules[host] == nil {
		n.rules[host] = map[string]string{}
	}
	if rule == "" {
		delete(n.rules[host], key)
	} else {
		n.rules[host][key] = rule
	}
	in, out := "", ""
	for _, key := range slices.Sorted(maps.Keys(n.rules[host])) {
		if r := n.rules[host][key]; key == "out" {
			out += "oifname eth0 " + r + "\n"
		} else {
			in += "iifname eth0 " + r + "\n"
		}
	}
	text := "table inet cut {}\ndelete table inet cut\n" + // so that there is one to delete
		"table inet cut {\nchain in {\ntype filter hook input priority 0;\n" + in + "}\n" +
		"chain out {\ntype filter hook output priority 0;\n" + out + "}\n}\n"
	return run(text, "ip", "netns", "exec", n.namespace(host), "nft", "-f", "-")
}

func run(stdin, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// Enter puts the calling thread into a host's network, for good. The goroutine must have locked the thread and must not unlock it.
func (n *Net) Enter(host int) error {
	fd, err := unix.Open(filepath.Join("/run/netns", n.namespace(host)), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }() // it was only read
	return unix.Setns(fd, unix.CLONE_NEWNET)
}

// Inside runs f on a thread in a host's network. Sockets that f opens stay there.
func (n *Net) Inside(host int, f func() error) error {
	runtime.LockOSThread()
	own, err := unix.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer func() { _ = unix.Close(own) }()
	if err := n.Enter(host); err != nil {
		runtime.UnlockOSThread()
		return err
	}
	err = f()
	if back := unix.Setns(own, unix.CLONE_NEWNET); back != nil {
		return back // the thread stays locked, and ends with its goroutine
	}
	runtime.UnlockOSThread()
	return err
}
