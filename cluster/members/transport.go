package members

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/roomring/roomring/room/clock"
)

// sockets is memberlist's transport, with dials that end when gossip ends, and bounds on incoming streams.
type sockets struct {
	*memberlist.NetTransport
	ctx     context.Context
	bound   netip.AddrPort
	streams *streams
}

func (s *sockets) StreamCh() <-chan net.Conn { return s.streams.handed }

func (s *sockets) DialTimeout(address string, timeout time.Duration) (net.Conn, error) {
	dialer := net.Dialer{Timeout: timeout}
	return dialer.DialContext(s.ctx, "tcp", address)
}

func (s *sockets) DialAddressTimeout(a memberlist.Address, timeout time.Duration) (net.Conn, error) {
	return s.DialTimeout(a.Addr, timeout)
}

// bind binds one port for TCP and UDP.
func bind(ctx context.Context, c clock.Clock, address string, streams *streams, logger *log.Logger) (*sockets, error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("gossip at %q: %w", address, err)
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("gossip at %q: the port must be a number up to 65535", address)
	}
	ip := netip.IPv4Unspecified()
	if host != "" {
		if ip, err = lookup(ctx, c, host); err != nil {
			return nil, fmt.Errorf("gossip at %q: %w", address, err)
		}
	}
	const tries = 10 // a port that is free for TCP may be taken for UDP
	var t *memberlist.NetTransport
	for range tries {
		t, err = memberlist.NewNetTransport(&memberlist.NetTransportConfig{
			BindAddrs: []string{ip.String()}, BindPort: int(port), Logger: logger,
		})
		if err == nil || port != 0 {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("gossip at %s: %w", address, err)
	}
	bound := netip.AddrPortFrom(ip, uint16(t.GetAutoBindPort()))
	return &sockets{NetTransport: t, ctx: ctx, bound: bound, streams: streams}, nil
}

// advertised resolves Options.Advertise. A port of 0 means the bound port.
func advertised(ctx context.Context, c clock.Clock, address string) (host string, port int, err error) {
	if address == "" {
		return "", 0, nil
	}
	host, service := splitAddress(address, "0")
	number, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("advertised address %q: the port must be a number up to 65535", address)
	}
	ip, err := lookup(ctx, c, host)
	if err != nil {
		return "", 0, fmt.Errorf("advertised address %q: %w", address, err)
	}
	return ip.String(), int(number), nil
}

// lookup returns a host's first IPv4 address, or its first address if it has none.
func lookup(ctx context.Context, c clock.Clock, host string) (netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap(), nil
	}
	ctx, cancel := clock.WithTimeout(ctx, c, resolveIn)
	defer cancel()
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.Addr{}, err
	}
	for _, ip := range ips {
		if ip.Unmap().Is4() {
			return ip.Unmap(), nil
		}
	}
	return ips[0], nil
}

func hostPort(ip net.IP, port int) string { return net.JoinHostPort(ip.String(), strconv.Itoa(port)) }
