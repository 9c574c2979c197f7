package hooks_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	pbtrace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/web/client"
)

// span is one that a collector was sent, with its node.
type span struct {
	*pbtrace.Span
	node  string
	attrs map[string]string
}

// collector takes traces by OTLP over HTTP.
type collector struct {
	t     *testing.T
	mu    sync.Mutex
	spans []span
	raw   []byte
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var in coltrace.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(body, &in)
	}
	if err != nil || r.URL.Path != "/v1/traces" || r.Header.Get("api-key") != "hush-hush-of-the-collector" {
		c.t.Errorf("%s %v: %v", r.URL, r.Header, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw = append(c.raw, body...)
	for _, of := range in.ResourceSpans {
		node := ""
		for _, a := range of.Resource.Attributes {
			if a.Key == "service.instance.id" {
				node = a.Value.GetStringValue()
			}
		}
		for _, scope := range of.ScopeSpans {
			for _, s := range scope.Spans {
				attrs := map[string]string{}
				for _, a := range s.Attributes {
					attrs[a.Key] = a.Value.GetStringValue()
				}
				c.spans = append(c.spans, span{s, node, attrs})
			}
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	answer, _ := proto.Marshal(&coltrace.ExportTraceServiceResponse{})
	w.Write(answer)
}

// find returns the spans of a name that ok accepts.
func (c *collector) find(name string, ok func(span) bool) (found []span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.spans {
		if s.Name == name && (ok == nil || ok(s)) {
			found = append(found, s)
		}
	}
	return found
}

// TestTraces follows an act from the node that has its socket to the node that has its room and back.
func TestTraces(t *testing.T) {
	t.Parallel()
	c := &collector{t: t}
	at := httptest.NewServer(c)
	t.Cleanup(at.Close)
	team := e2e.NewTeam(t, 2)
	for _, s := range team.Nodes {
		s.Env = []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + at.URL, "OTEL_EXPORTER_OTLP_HEADERS=api-key=hush-hush-of-the-collector", "OTEL_BSP_SCHEDULE_DELAY=50"}
	}
	team.Start()
	owner, edge := team.Nodes[0], team.Nodes[1]
	var info e2e.RoomInfo
	for info.Node != owner.Node { // made through the other node
		info = edge.Create("chess", map[string]any{"white": "first"})
	}
	tab := &table{RoomInfo: info}
	for i, name := range []string{"Ann the hidden", "Bob the hidden"} {
		tab.players[i] = edge.Join(edge.Via(info), client.Options{Name: name})
	}
	tab.finish(t)
	inTrace := func(id []byte) func(span) bool {
		return func(s span) bool { return bytes.Equal(s.TraceId, id) }
	}
	var whole [][]byte // of the traces with every part
	testwait.Until(t, "three acts are traced from end to end", func() bool {
		whole = nil
		for _, act := range c.find("act", nil) {
			of := inTrace(act.TraceId)
			if len(c.find("room.step", of)) == 1 && len(c.find("room.commit", of)) == 1 && len(c.find("room.ack", of)) == 1 {
				whole = append(whole, act.TraceId)
			}
		}
		return len(whole) == 3
	})
	for _, id := range whole {
		act := c.find("act", inTrace(id))[0]
		last := act.StartTimeUnixNano
		if act.node != edge.Node || len(act.ParentSpanId) != 0 || act.attrs["roomring.room"] != info.ID {
			t.Errorf("the act is %+v at %s", act.attrs, act.node)
		}
		for _, name := range []string{"room.step", "room.commit", "room.ack"} {
			s := c.find(name, inTrace(id))[0]
			if s.node != owner.Node || !bytes.Equal(s.ParentSpanId, act.SpanId) || s.StartTimeUnixNano < last || s.EndTimeUnixNano < s.StartTimeUnixNano {
				t.Errorf("%s at %s: %v", name, s.node, s.Span)
			}
			if s.attrs["roomring.room"] != info.ID || s.attrs["roomring.game"] != "chess" || s.attrs["roomring.kind"] != "act" {
				t.Errorf("%s says %v", name, s.attrs)
			}
			last = s.StartTimeUnixNano
		}
	}
	// The request that made the room, and the question that it asked the other node.
	made := c.find("POST /v1/rooms", func(s span) bool { return s.node == edge.Node })
	if len(made) == 0 {
		t.Fatal("no request is traced")
	}
	testwait.Until(t, "a question between nodes is in a request's trace, at both ends", func() bool {
		return slices.ContainsFunc(made, func(m span) bool {
			asked := c.find("roomring.peer.v1.Peer/Call", inTrace(m.TraceId))
			return len(asked) == 2 && asked[0].node != asked[1].node
		})
	})
	c.checkDiscreet(tab)
}

// checkDiscreet checks that no span says what it should not.
func (c *collector) checkDiscreet(at *table) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, hush := range []string{"hidden", at.players[0].Welcome().Player, at.players[0].Welcome().Token, "127.0.0.1", "e2e4", "Go-http-client"} {
		if hush != "" && bytes.Contains(c.raw, []byte(hush)) {
			c.t.Errorf("the spans say %q", hush)
		}
	}
	for _, s := range c.spans {
		for key := range s.attrs {
			if !strings.HasPrefix(key, "roomring.") && !strings.HasPrefix(key, "rpc.") && !slices.Contains([]string{"http.request.method", "http.route", "http.response.status_code", "error.type"}, key) {
				c.t.Errorf("%s has attribute %s", s.Name, key)
			}
		}
	}
}

// TestTracesAreOffByDefault starts a server with everything set but a place to send traces to, one with a sampler that takes none, and
// two that cannot trace as they are told.
func TestTracesAreOffByDefault(t *testing.T) {
	t.Parallel()
	c := &collector{t: t}
	at := httptest.NewServer(c)
	t.Cleanup(at.Close)
	s := e2e.NewServer(t, e2e.GenerousLimits...)
	for _, env := range [][]string{
		{"OTEL_SERVICE_NAME=x"}, {"OTEL_EXPORTER_OTLP_ENDPOINT=" + at.URL, "OTEL_TRACES_EXPORTER=none"}, {"OTEL_EXPORTER_OTLP_ENDPOINT=" + at.URL, "OTEL_TRACES_SAMPLER=always_off"},
	} {
		s.Env = env
		s.Start()
		seat(t, s, nil).finish(t)
		s.StopCleanly()
	}
	if len(c.spans) != 0 {
		t.Errorf("%d spans came", len(c.spans))
	}
	for _, env := range []string{"OTEL_TRACES_EXPORTER=console", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"} {
		s := e2e.NewServer(t)
		s.Env = []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + at.URL, env}
		s.Spawn()
		name, value, _ := strings.Cut(env, "=")
		if code := s.Wait(); code != e2e.ExitUsage || !e2e.Mentions(s.Log.String(), name, value) || strings.Count(strings.TrimSpace(s.Log.String()), "\n") > 0 {
			t.Errorf("%s: exit code %d: %s", env, code, s.Log)
		}
	}
}
