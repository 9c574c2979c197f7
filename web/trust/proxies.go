// Package trust knows whose word is taken: the proxies that tell a client's address, and the origins whose pages may use the server.
package trust

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are the addresses whose X-Forwarded and Forwarded headers are believed.
type Proxies []netip.Prefix

// ParseProxies reads addresses and prefixes such as 10.0.0.0/8. The error quotes the one that is wrong.
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

func (p Proxies) Trusts(a netip.Addr) bool {
	return slices.ContainsFunc(p, func(prefix netip.Prefix) bool { return prefix.Contains(a.Unmap()) })
}

func Peer(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}

// Client is the address a request came from: when the peer is a trusted proxy, the last one that the proxies tell and that
// is not a trusted proxy itself; otherwise the peer. Proxies tell it by X-Forwarded-For, or, where there is none, by Forwarded
// (RFC 7239): a proxy that writes the one commonly passes on whatever a client has written into the other. It is the
// zero address when there is no telling.
func (p Proxies) Client(r *http.Request) netip.Addr {
	at, _ := p.trace(r)
	return at
}

// hop is one proxy's word about who came to it.
type hop struct{ from, proto string }

// trace follows the proxies back to the client, and returns what the proxy that it came to says of how it came.
func (p Proxies) trace(r *http.Request) (at netip.Addr, came hop) {
	at = Peer(r)
	for _, h := range slices.Backward(hops(r)) {
		if !p.Trusts(at) {
			break
		}
		addr, ok := node(h.from)
		if !ok {
			break
		}
		at, came = addr, h
	}
	return at, came
}

// hops are what the proxies tell, the nearest last.
func hops(r *http.Request) (out []hop) {
	if list := r.Header.Values("X-Forwarded-For"); len(list) > 0 {
		for from := range strings.SplitSeq(strings.Join(list, ","), ",") {
			out = append(out, hop{from: from})
		}
		return out
	}
	for _, element := range splitQuoted(strings.Join(r.Header.Values("Forwarded"), ","), ',') {
		var h hop
		for _, pair := range splitQuoted(element, ';') {
			name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
			switch strings.ToLower(name) {
			case "for":
				h.from = unquoted(value)
			case "proto":
				h.proto = unquoted(value)
			}
		}
		out = append(out, h)
	}
	return out
}

// splitQuoted splits at a separator that does not stand within quotes (RFC 9110, section 5.6.4).
func splitQuoted(s string, sep byte) (out []string) {
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

// unquoted is the value of a token or a quoted string.
func unquoted(s string) string {
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

// node reads an address, with or without brackets and a port. A proxy may also say that it does not know, or hide it
// behind a name (RFC 7239, section 6): then there is no telling.
func node(s string) (netip.Addr, bool) {
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

// Secure reports whether the client speaks TLS: to this process, or to a trusted proxy that says so.
func (p Proxies) Secure(r *http.Request) bool {
	switch {
	case r.TLS != nil:
		return true
	case !p.Trusts(Peer(r)):
		return false
	}
	proto, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ",")
	if proto == "" {
		_, came := p.trace(r)
		proto = came.proto
	}
	return strings.EqualFold(strings.TrimSpace(proto), "https")
}
