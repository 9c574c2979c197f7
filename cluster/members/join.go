package members

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/roomring/roomring/room/clock"
)

const (
	defaultPort = "7946"
	firstRejoin = time.Second // between tries until another node has answered
	wholeRound  = 6           // every sixth try contacts all addresses, including those of members
	atOnce      = 8           // addresses that are contacted at the same time
	resolveIn   = 5 * time.Second
)

// Join contacts the nodes of Options.Join once and returns how many others answered. It blocks meanwhile. Members goes on
// trying in the background until Close. With nothing to join it returns 0 and no error.
func (m *Members) Join(ctx context.Context) (others int, err error) {
	if len(m.o.Join) == 0 {
		return 0, nil
	}
	addresses, err := m.resolve(ctx, m.o.Join)
	if len(addresses) == 0 {
		if err == nil {
			err = fmt.Errorf("%s: there is no address but this node's own", strings.Join(m.o.Join, ", "))
		}
		m.joined(0, err)
		return 0, err
	}
	others, err2 := m.contact(ctx, addresses)
	if others > 0 {
		err = nil
	} else {
		err = errors.Join(err, err2)
	}
	m.joined(others, err)
	return others, err
}

// rejoin joins repeatedly, because gossip does not heal partitions by itself.
func (m *Members) rejoin(ctx context.Context) {
	for round := 1; ; round++ {
		if !clock.Sleep(ctx, m.o.Clock, m.pause()) {
			return
		}
		addresses, err := m.resolve(ctx, m.o.Join)
		if round%wholeRound != 0 {
			known := m.gossips()
			addresses = slices.DeleteFunc(addresses, func(a string) bool { return slices.Contains(known, a) })
		}
		for _, a := range m.lostAddresses() {
			if !slices.Contains(addresses, a) {
				addresses = append(addresses, a)
			}
		}
		if len(addresses) == 0 {
			m.joined(0, err)
			continue
		}
		others, err2 := m.contact(ctx, addresses)
		if ctx.Err() == nil {
			m.joined(others, errors.Join(err, err2))
		}
	}
}

func (m *Members) pause() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.o.Join) > 0 && m.lastJoin.IsZero() && len(m.table.here) == 0 {
		return min(firstRejoin, m.o.Rejoin)
	}
	return m.o.Rejoin
}

// joined records the outcome of a try. That nobody answered is an error only for a node that is alone.
func (m *Members) joined(others int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case others > 0:
		m.lastJoin, m.joinErr = m.o.Clock.Wall(), ""
	case len(m.table.here) > 0:
		m.joinErr = ""
	case err != nil:
		m.joinErr = err.Error()
	}
}

func (m *Members) gossips() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []string
	for _, n := range m.table.here {
		out = append(out, n.Gossip)
	}
	return out
}

// lostAddresses returns the addresses of nodes that have left or died, unless another node has the address now.
func (m *Members) lostAddresses() []string {
	known := append(m.gossips(), m.table.self.Gossip)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.table.forget(m.o.Clock.Wall())
	var out []string
	for _, l := range m.table.lost {
		if !slices.Contains(known, l.member.Gossip) {
			out = append(out, l.member.Gossip)
		}
	}
	return out
}

// contact joins via the addresses and counts the other nodes that answered.
func (m *Members) contact(ctx context.Context, addresses []string) (others int, err error) {
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		errs  []error
		slots = make(chan struct{}, atOnce)
	)
	for _, a := range addresses {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if ctx.Err() != nil {
				return
			}
			n, err := m.list.Join([]string{a})
			mu.Lock()
			defer mu.Unlock()
			others += n
			if err != nil {
				errs = append(errs, m.explain(a, err))
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		errs = append(errs, err)
	}
	// An address may lead back to this node. It does not count, and memberlist knows nobody else then.
	if others = min(others, m.list.NumMembers()-1); others <= 0 && len(errs) == 0 {
		errs = append(errs, fmt.Errorf("%s: only this node itself answered", strings.Join(addresses, ", ")))
	}
	return max(others, 0), errors.Join(errs...)
}

// explain says why a node that answers probably refuses this one.
func (m *Members) explain(address string, err error) error {
	text := err.Error()
	has := func(s string) bool { return strings.Contains(text, s) }
	var cause string
	switch {
	case has("no installed keys could decrypt"):
		cause = "its cluster secret is another than this node's"
	case has("remote state is encrypted and encryption is not configured"):
		cause = "it has a cluster secret and this node has none"
	case has("encryption is configured but remote state is not encrypted"):
		cause = "it has no cluster secret and this node has one"
	case has("EOF"), has("connection reset"), has("closed pipe"), has("broken pipe"):
		cause = fmt.Sprintf("it closed the connection: probably its cluster has another label than %q", m.o.Label)
	default:
		text = strings.TrimSpace(text[strings.LastIndex(text, "failed to join"):])
		return fmt.Errorf("%s: %s", address, strings.TrimPrefix(text, "failed to join "+address+": "))
	}
	return fmt.Errorf("%s does not let this node in: %s", address, cause)
}

// resolve turns HOST, HOST:PORT and dns+NAME:PORT into addresses. It shuffles them and leaves out this node's own. The
// error names those that do not resolve; the others are returned nevertheless.
func (m *Members) resolve(ctx context.Context, join []string) (addresses []string, err error) {
	ctx, cancel := clock.WithTimeout(ctx, m.o.Clock, resolveIn)
	defer cancel()
	var errs []error
	for _, j := range join {
		host, port := splitAddress(strings.TrimPrefix(j, "dns+"), defaultPort)
		ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", j, err))
		}
		for _, ip := range ips {
			a := net.JoinHostPort(ip.Unmap().String(), port)
			if !m.own(ip.Unmap(), port) && !slices.Contains(addresses, a) {
				addresses = append(addresses, a)
			}
		}
	}
	rand.Shuffle(len(addresses), func(i, j int) { addresses[i], addresses[j] = addresses[j], addresses[i] })
	return addresses, errors.Join(errs...)
}

// own reports whether an address is this node's advertised or bound address.
func (m *Members) own(ip netip.Addr, port string) bool {
	if net.JoinHostPort(ip.String(), port) == m.table.self.Gossip {
		return true
	}
	if !m.bound.IsValid() || strconv.Itoa(int(m.bound.Port())) != port {
		return false
	}
	if !m.bound.Addr().IsUnspecified() {
		return ip == m.bound.Addr()
	}
	return ip.IsLoopback() || slices.Contains(localIPs(), ip)
}

func localIPs() []netip.Addr {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var out []netip.Addr
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			out = append(out, p.Addr().Unmap())
		}
	}
	return out
}

// splitAddress splits an address into host and port. Port is the default. IPv6 with a port is in brackets.
func splitAddress(address, port string) (string, string) {
	if h, p, err := net.SplitHostPort(address); err == nil {
		return h, p
	}
	return strings.Trim(address, "[]"), port
}
