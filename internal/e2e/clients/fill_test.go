package clients_test

import (
	"fmt"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room/view"
)

// fill puts values where a page has `…`.
func (st *stage) fill(k *socket, m map[string]any) map[string]any {
	p := st.of[k]
	for name, value := range m {
		m[name] = st.concrete(m["t"].(string), name, value, p)
	}
	if echo := k.echo.Load(); m["t"] == "pong" && echo != nil {
		m["echo"] = *echo // a client's own
	}
	if m["check"] == e2e.Anything {
		shown := m["view"]
		if m["t"] == "turn" {
			shown = view.Patch(clone(p.view), m["patch"])
		}
		m["check"] = checkOf(st.t, shown)
	}
	return m
}

// waiting is the view of a game of chess that nobody has joined: those of a page that are left out.
func waiting() any {
	return map[string]any{"fen": "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1", "moves": map[string]any{}, "status": "waiting", "turn": "white"}
}

// concrete is a value for a name, with all `…` in it replaced.
func (st *stage) concrete(kind, name string, value any, p *part) any {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			v[name] = st.concrete(kind, name, member, p)
		}
	case []any:
		for i := range v {
			v[i] = st.concrete(kind, name, v[i], p)
		}
	}
	if value != e2e.Anything || name == "check" {
		return value
	}
	switch name {
	case "room":
		return st.id
	case "view":
		return waiting()
	case "patch":
		return map[string]any{"status": "playing", "white": map[string]any{"online": true}}
	case "token":
		return fmt.Sprintf("token of %s at %d", p.name, p.sockets)
	case "player":
		return "player of " + p.client
	case "limits":
		return map[string]any{"message": 16384.0, "unanswered": 32.0, "rate": 60.0, "bytes": 65536.0}
	case "result":
		return map[string]any{"outcomes": []any{}, "reason": "resignation", "summary": "It is over"}
	case "now", "time", "within", "away_until_ms":
		return 60000.0
	}
	return "some " + name
}
