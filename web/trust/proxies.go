// Package trust knows whose word is taken: which proxies are believed about a client, and which origins' pages may use the server.
package trust

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are the addresses whose X-Forwarded and Forwarded headers are believed.
type Proxies []netip.Prefix

// ParseProxies reads addresses and prefixes such as 10.0.0.0/8. The error quotes the first that is wrong.
func ParseProxies(list []string) (Proxies, error) {
	var out Proxies
	for _, s := range list {
		prefix, err := netip.ParsePrefix(s)
		if err != nil {
			addr, aerr := netip.ParseAddr(s)
			if aerr != nil {
				return nil, err
			}
			prefix = netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen())
		}
		out = append(out, prefix.Masked())
	}
	return out, nil
}

// Contains reports whether an address is a trusted proxy's.
func (p Proxies) Contains(a netip.Addr) bool {
	return slices.ContainsFunc(p, func(prefix netip.Prefix) bool { return prefix.Contains(a.Unmap()) })
}

// Peer is the address at the other end of the request's connection; invalid when there is none.
func Peer(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return peer.Addr().Unmap()
}

// Client is the address that a request came from. That is the peer, or behind trusted proxies the last address that they forward
// and that is not a trusted proxy itself. It is invalid when it cannot be told.
//
// X-Forwarded-For counts before Forwarded (RFC 7239): a proxy that writes the one commonly passes on whatever a client has
// written into the other.
func (p Proxies) Client(r *http.Request) netip.Addr {
	client, _ := p.trace(r)
	return client
}

// Secure reports whether the client speaks TLS: to this process, or to a trusted proxy that says so.
func (p Proxies) Secure(r *http.Request) bool {
	switch {
	case r.TLS != nil:
		return true
	case !p.Contains(Peer(r)):
		return false
	}
	proto, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ",")
	if proto == "" {
		_, last := p.trace(r)
		proto = last.proto
	}
	return strings.EqualFold(strings.TrimSpace(proto), "https")
}

// hop is what one proxy says of the request that it got.
type hop struct{ from, proto string }

// trace follows the proxies back to the client. Last is what the proxy next to the client says.
func (p Proxies) trace(r *http.Request) (client netip.Addr, last hop) {
	client = Peer(r)
	for _, h := range slices.Backward(hops(r)) {
		if !p.Contains(client) {
			break
		}
		addr, ok := parseNode(h.from)
		if !ok {
			break
		}
		client, last = addr, h
	}
	return client, last
}

// hops are what the proxies say, the nearest last.
func hops(r *http.Request) (out []hop) {
	if list := r.Header.Values("X-Forwarded-For"); len(list) > 0 {
		for from := range strings.SplitSeq(strings.Join(list, ","), ",") {
			out = append(out, hop{from: from})
		}
		return out
	}
	for _, element := range splitUnquoted(strings.Join(r.Header.Values("Forwarded"), ","), ',') {
		var h hop
		for _, pair := range splitUnquoted(element, ';') {
			name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
			switch strings.ToLower(name) {
			case "for":
				h.from = unquote(value)
			case "proto":
				h.proto = unquote(value)
			}
		}
		out = append(out, h)
	}
	return out
}

// splitUnquoted splits at separators outside of quotes (RFC 9110, section 5.6.4).
func splitUnquoted(s string, sep byte) (out []string) {
	begin, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == sep && !quoted:
			out, begin = append(out, s[begin:i]), i+1
		}
	}
	return append(out, s[begin:])
}

// unquote is the value of a token or a quoted string.
func unquote(s string) string {
	inner, found := strings.CutPrefix(s, `"`)
	if !found {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(inner) && inner[i] != '"'; i++ {
		if inner[i] == '\\' && i+1 < len(inner) {
			i++
		}
		b.WriteByte(inner[i])
	}
	return b.String()
}

// parseNode reads an address, with or without brackets and a port. A proxy may also write "unknown" or a made-up name
// (RFC 7239, section 6): those are no addresses.
func parseNode(s string) (netip.Addr, bool) {
	s = strings.TrimSpace(s)
	if inner, found := strings.CutPrefix(s, "["); found {
		host, rest, closed := strings.Cut(inner, "]")
		if !closed || rest != "" && rest[0] != ':' {
			return netip.Addr{}, false
		}
		s = host
	} else if strings.Count(s, ":") == 1 {
		s, _, _ = strings.Cut(s, ":")
	}
	addr, err := netip.ParseAddr(s)
	return addr.Unmap(), err == nil
}
