package clients_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room/view"
)

const usualLimits = `{"message":16384,"unanswered":32,"rate":10000,"bytes":0}`

// welcome says that a client may go on with what it has.
func welcome(limits string, heartbeat int, recovered bool) string {
	return welcomeAfter(0, limits, heartbeat, recovered)
}

// welcomeAfter is welcome for a client whose last act with an effect was cseq.
func welcomeAfter(cseq int, limits string, heartbeat int, recovered bool) string {
	return fmt.Sprintf(`{"t":"welcome","room":"r","game":"chess","player":"p","seat":0,"epoch":1,"seq":1,"cseq":%d,"now":1,"heartbeat":%d,"limits":%s,"recovered":%t,"node":"n"}`, cseq, heartbeat, limits, recovered)
}

func whole(t *testing.T) string {
	v, _ := json.Marshal(waiting())
	return fmt.Sprintf(`{"t":"state","epoch":1,"seq":1,"view":%s,"check":%.0f}`, v, checkOf(t, waiting()))
}

// joins has a driver join a room of its own, by a name for both, and returns its socket.
func joins(t *testing.T, s *scripted, d *driver, limits string, heartbeat int) (name string, k *socket) {
	t.Helper()
	name = strings.ReplaceAll(t.Name(), "/", "-") + fmt.Sprint(rand.Int64())
	waits := d.ask(t, "join", order{"url": s.URL, "id": name, "room": name})
	k = s.next(t, "", nil)
	k.say(t, welcome(limits, heartbeat, false), whole(t))
	if a := d.wait(t, "join", waits); a.Seat != 0 || a.Player != "p" {
		t.Fatalf("joining: %+v", a)
	}
	t.Cleanup(func() { d.call(t, "close", order{"room": name}) })
	return name, k
}

// testListens has something happen right after the first view: a client that takes handlers before it joins hears of it.
func testListens(t *testing.T, s *scripted, d *driver) {
	waits := d.ask(t, "join", order{"url": s.URL, "id": "r", "room": t.Name()})
	s.next(t, "", nil).say(t, welcome(usualLimits, 10_000, false), whole(t), `{"t":"turn","seq":2,"events":[{"name":"began"}]}`)
	d.wait(t, "join", waits)
	testwait.Until(t, "the client hears what happened", func() bool { return len(d.tell(t, t.Name()).Events) == 1 })
	d.call(t, "close", order{"room": t.Name()})
}

func ack(cseq int) string { return fmt.Sprintf(`{"t":"ack","cseq":%d,"seq":%d}`, cseq, cseq+100) }

// testManyActs has a client act more than may be unanswered, cuts it off in between, and answers all.
func testManyActs(t *testing.T, s *scripted, d *driver) {
	name, k := joins(t, s, d, usualLimits, 10_000)
	acts := make([]<-chan []byte, 41)
	for i := 1; i < len(acts); i++ {
		acts[i] = d.ask(t, "act", order{"room": name, "data": i})
	}
	hears := func(from, to int) {
		t.Helper()
		for i := from; i <= to; i++ {
			want := map[string]any{"t": "act", "cseq": float64(i), "data": float64(i)}
			if said := k.hear(t); !reflect.DeepEqual(said, want) {
				t.Fatalf("the client says %v, should say %v", said, want)
			}
		}
	}
	hears(1, 32)
	k.say(t, ack(1), ack(2), ack(3))
	hears(33, 35)
	if len(k.said) != 0 {
		t.Fatalf("the client says %v when 32 acts are unanswered", <-k.said)
	}
	k.cut()
	k = s.next(t, "", nil)
	k.say(t, welcomeAfter(20, usualLimits, 10_000, true))
	hears(4, 35)
	for i := 4; i <= 40; i++ {
		k.say(t, ack(i))
	}
	hears(36, 40)
	for i := 1; i < len(acts); i++ {
		if a := d.wait(t, "act", acts[i]); a.Seq != uint64(i+100) {
			t.Errorf("act %d: %+v", i, a)
		}
	}
	if got := d.tell(t, name); got.Resent != 32 || got.Sockets != 2 {
		t.Errorf("%d acts sent again on %d sockets", got.Resent, got.Sockets)
	}
}

// testRate has a client act faster than its server lets it: acts wait, and none is lost.
func testRate(t *testing.T, s *scripted, d *driver) {
	const rate, n = 40, 60
	begin := time.Now()
	name, k := joins(t, s, d, fmt.Sprintf(`{"message":16384,"unanswered":100,"rate":%d,"bytes":100000}`, rate), 10_000)
	for i := range n {
		d.ask(t, "act", order{"room": name, "data": i})
	}
	for i := range n {
		if said := k.hear(t); said["data"] != float64(i) {
			t.Fatalf("the client says %v", said)
		}
		if most := rate * (1 + time.Since(begin).Seconds()); float64(i) > most {
			t.Fatalf("%d acts in %v", i, time.Since(begin))
		}
	}
}

// testNotSaid has a client act what no server takes: it is refused at home, and nothing else happens. Drivers put half a surrogate pair where
// U+E000 stands, because not every language reads such JSON.
func testNotSaid(t *testing.T, s *scripted, d *driver) {
	name, k := joins(t, s, d, `{"message":1000,"unanswered":32,"rate":0,"bytes":0}`, 10_000)
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for data, code := range map[string]string{
		`"half \ue000"`: "bad_text", `{"\ue000":1}`: "bad_text", `["ok","\ue000\ue000"]`: "bad_text",
		`9007199254740992`: "bad_action", `{"a":-9007199254740992}`: "bad_action", `[1e300]`: "bad_action", nested(32): "bad_action",
		`{"a":` + nested(31) + `}`: "bad_action", `"` + strings.Repeat("x", 1000) + `"`: "too_large",
	} {
		if a := d.wait(t, fmt.Sprintf("%.40s", data), d.ask(t, "act", order{"room": name, "data": json.RawMessage(data)})); a.Rejected != code || len(a.Reason) < 20 {
			t.Errorf("%.40s: %+v, should be refused as %s", data, a, code)
		}
	}
	for i, data := range []string{`"🎉"`, `"\\ud83c"`, `9007199254740991`, `-9007199254740991`, `0.5`, nested(31), `null`, `{"ä":[true,null]}`} {
		d.ask(t, "act", order{"room": name, "data": json.RawMessage(data)})
		var want any
		if err := json.Unmarshal([]byte(data), &want); err != nil {
			t.Fatal(err)
		}
		if said := k.hear(t); said["cseq"] != float64(i+1) || !reflect.DeepEqual(said["data"], want) {
			t.Errorf("%s is said as %v", data, said)
		}
	}
}

// testSilence has a server fall silent: the client gives it up and comes back.
func testSilence(t *testing.T, s *scripted, d *driver) {
	name, k := joins(t, s, d, usualLimits, 100)
	k.mute.Store(true)
	k = s.next(t, "", nil)
	if k.hello["resume"] == nil {
		t.Errorf("it resumes nothing: %v", k.hello)
	}
	k.say(t, welcome(usualLimits, 60_000, true))
	testwait.Until(t, "the client is back", func() bool { return d.tell(t, name).State == "open" })
}

// testRubbish has a server say what is no message: the client opens another socket and takes the whole view.
func testRubbish(t *testing.T, s *scripted, d *driver) {
	for _, text := range []string{
		`null`, `[]`, `"x"`, `{}`, `{"t":"turn"}`, `{"t":"turn","seq":"x"}`, `{"t":"state","seq":1}`, `{"t":"ack"}`, `{"t":"welcome"}`, `{"t":"over"}`,
		strings.Repeat("[", 100_000),
	} {
		name, k := joins(t, s, d, usualLimits, 10_000)
		k.say(t, text)
		k = s.next(t, "", nil)
		if k.hello["resume"] != nil {
			t.Errorf("after %.30q it resumes: %v", text, k.hello)
		}
		k.say(t, welcome(usualLimits, 10_000, false), whole(t))
		testwait.Until(t, "the client is back", func() bool { return d.tell(t, name).State == "open" })
		d.call(t, "close", order{"room": name})
	}
	name, k := joins(t, s, d, usualLimits, 10_000)
	if err := k.ws.Write(t.Context(), websocket.MessageBinary, []byte(whole(t))); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		k = s.next(t, "", nil)
		k.say(t, `{`)
	}
	testwait.Until(t, "the client gives it up", func() bool { return d.tell(t, name).Closed == "refused" })
}

// testRefused has servers refuse a client, in each way that they may.
func testRefused(t *testing.T, s *scripted, d *driver) {
	for code, kind := range kinds {
		waits := d.ask(t, "join", order{"url": s.URL, "id": "r", "room": "r", "token": "a token"})
		k := s.next(t, "", nil)
		k.end(code)
		if a := d.wait(t, "join", waits); a.Closed != kind || !strings.Contains(a.Reason, "as the page says") {
			t.Errorf("closed with %d: %+v, should be %s", code, a, kind)
		}
	}
	s.gone.Store(true)
	defer s.gone.Store(false)
	if a := d.call(t, "join", order{"url": s.URL, "id": "r", "room": "r", "token": "a token"}); a.Closed != "not-found" {
		t.Errorf("there is no such room: %+v", a)
	}
	if a := d.call(t, "join", order{"url": s.URL, "id": "r", "room": "r", "spectator": true}); a.Closed != "not-found" {
		t.Errorf("there is no such room to watch: %+v", a)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + l.Addr().String()
	l.Close()
	if a := d.call(t, "join", order{"url": nobody, "id": "r", "room": "r", "token": "a token", "tries": 2}); a.Closed != "unreachable" || !strings.Contains(a.Reason, "No socket opens") {
		t.Errorf("nobody is there: %+v", a)
	}
	if a := d.call(t, "join", order{"url": nobody, "id": "r", "room": "r"}); a.Unreachable == "" {
		t.Errorf("there is no guest to be had: %+v", a)
	}
}

// testValues compares patches and checksums with those of the server, over values drawn at random.
func testValues(t *testing.T, d *driver) {
	r := rand.New(rand.NewPCG(13, 13))
	var cases []map[string]any
	for range 400 {
		cases = append(cases, map[string]any{"target": drawn(r, 3, false), "patch": drawn(r, 3, true)})
	}
	a := d.call(t, "values", order{"cases": cases})
	if len(a.Views) != len(cases) || len(a.Checks) != len(cases) {
		t.Fatalf("%d cases, %d views and %d checksums", len(cases), len(a.Views), len(a.Checks))
	}
	for i, c := range cases {
		want := view.Patch(clone(c["target"]), clone(c["patch"]))
		if !reflect.DeepEqual(a.Views[i], want) {
			t.Errorf("%v patched by %v is %v, should be %v", c["target"], c["patch"], a.Views[i], want)
		} else if check := checkOf(t, want); float64(a.Checks[i]) != check {
			t.Errorf("the checksum of %v is %d, should be %.0f", want, a.Checks[i], check)
		}
	}
}

// drawn is a JSON value. Only patches hold null, and only as a member.
func drawn(r *rand.Rand, depth int, nulls bool) any {
	texts := []string{"", "a", "b", "ä", "€", "😀", "דּ", "\ufffd", "\x00\x1f\"\\/\b\f\n\r\t\u007f\u2028", "__proto__"}
	switch n := r.IntN(11); {
	case n < 4 && depth > 0:
		o := map[string]any{}
		for range r.IntN(5) {
			name := texts[r.IntN(len(texts))]
			if o[name] = drawn(r, depth-1, nulls); nulls && r.IntN(4) == 0 {
				o[name] = nil
			}
		}
		return o
	case n == 4 && depth > 0:
		l := []any{}
		for range r.IntN(4) {
			l = append(l, drawn(r, depth-1, false))
		}
		return l
	case n == 9: // halfway between two of the shortest texts, and where those are rounded twice
		return []float64{2251799813685248.25, 2251799813685248.75, 5.562135385952965e30, 5e-324, 9.999999999999999e22}[r.IntN(5)]
	case n == 5:
		return r.IntN(2) == 0
	case n == 6:
		return texts[r.IntN(len(texts))]
	case n == 7: // any double that is not −0, an infinity or NaN
		return math.Float64frombits(1 + r.Uint64N(0x7ff<<52-1) | r.Uint64()&(1<<63))
	case n == 8:
		return float64(r.Int64N(1<<54)-1<<53) / float64(int64(1)<<r.IntN(60)) * []float64{1, 1e-9, 1e15, 1e200}[r.IntN(4)]
	}
	return float64(r.IntN(4) - 1)
}
