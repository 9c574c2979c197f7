//go:build !race

package browser_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room/view"
)

// messages returns the decoded messages that came over the tab's sockets.
func (p *tab) messages() (all []any) {
	p.t.Helper()
	for _, frame := range p.heard() {
		all = append(all, p.decoded(frame)...)
	}
	return all
}

func (p *tab) decoded(frame string) (all []any) {
	p.t.Helper()
	for line := range strings.Lines(frame) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			p.t.Fatalf("%s heard %q: %v", p.name, line, err)
		}
		all = append(all, m)
	}
	return all
}

// hands returns all lists of numbers that the tab has received. In liar's dice, all such lists are dice.
func hands(v any) (found []string) {
	switch v := v.(type) {
	case map[string]any:
		for _, member := range v {
			found = append(found, hands(member)...)
		}
	case []any:
		if len(v) > 0 && reflect.TypeOf(v[0]) == reflect.TypeFor[float64]() {
			return []string{fmt.Sprint(v)}
		}
		for _, member := range v {
			found = append(found, hands(member)...)
		}
	}
	return found
}

// browserDice plays a round of liar's dice. Until the reveal no page has another player's dice, neither in what it shows nor in what it
// received.
func browserDice(t *testing.T, shared *browser) {
	t.Parallel()
	s := newPages(t)
	b := shared.on(t)
	info := s.Create("liarsdice", map[string]any{"players": 3, "reveal_ms": 60_000, "turn_ms": 600_000})
	lobby := b.person("Dan").visit(s.URL)
	seats := testid("room-row", fmt.Sprintf("[data-room=%q] .room-people", info.ID))
	lobby.reads(seats, "0/3")
	var three []*tab
	for i, name := range []string{"Ada", "Bob", "Cleo"} {
		three = append(three, b.person(name).visit(s.URL+"/play/"+info.ID).live())
		three[i].sees(testid("seat-" + strconv.Itoa(i)))
	}
	eve := b.person("Eve").visit(s.URL + "/play/" + info.ID + "?watch").live()
	for i, p := range three { // a full table starts by itself
		p.until(fmt.Sprintf(`document.querySelectorAll('[data-testid="dice-%d"] [data-face]').length === 5`, i))
	}

	lobby.reads(seats, "3/3")
	bidder := turn(three, -1)
	three[bidder].click(`[data-action="bid"]:enabled`)
	caller := turn(three, bidder)
	for seat, p := range three {
		p.secret(seat, 3)
	}
	eve.sees(testid("bids", " li"))
	eve.secret(-1, 3)

	three[caller].click(`[data-action="liar"]:enabled`)
	for _, p := range append(three, eve) {
		p.sees(testid("reveal"))
		for seat := range three {
			p.until(fmt.Sprintf(`document.querySelectorAll('[data-testid="dice-%d"] [data-face]').length === 5`, seat))
		}
	}
	for _, p := range three {
		p.click(`[data-action="ready"]:not([data-on])`)
	}
	three[0].reads(".dice-facts", "Round 2")
	if n := three[0].count(`[data-testid^="dice-"] [data-face]`); n > 6 {
		t.Errorf("in the second round one sees %d dice", n)
	}
}

// turn waits until it is another player's turn than before, and returns whose.
func turn(tabs []*tab, before int) (now int) {
	tabs[0].t.Helper()
	testwait.Until(tabs[0].t, "it is the next one's turn", func() bool {
		for i, p := range tabs {
			if i != before && p.count(`[data-action="bid"]:enabled`) == 1 {
				now = i
				return true
			}
		}
		return false
	})
	return now
}

// secret checks that a page knows the dice of one seat, or of none, before the reveal.
func (p *tab) secret(seat, seats int) {
	p.t.Helper()
	own := ""
	for other := range seats {
		var shown []int
		p.value(fmt.Sprintf(`[...document.querySelectorAll('[data-testid="dice-%d"] [data-face]')].map((d) => Number(d.dataset.face))`, other), &shown)
		switch {
		case other == seat:
			own = fmt.Sprint(shown)
		case len(shown) > 0:
			p.t.Errorf("%s sees the dice of seat %d: %v", p.name, other, shown)
		}
	}
	heard := hands(p.messages())
	if (seat >= 0) != (len(heard) > 0) {
		p.t.Errorf("%s at seat %d has heard %d hands", p.name, seat, len(heard))
	}
	for _, hand := range heard {
		if hand != own {
			p.t.Errorf("%s, who holds %s, has heard of %s", p.name, own, hand)
		}
	}
}

// The directions of snakes, clockwise, and the keys that turn to them.
var (
	directions = []string{"up", "right", "down", "left"}
	arrows     = []string{kb.ArrowUp, kb.ArrowRight, kb.ArrowDown, kb.ArrowLeft}
)

// browserSnakes has four people steer snakes with their keys while a fifth watches. Each of them sees every head turn and move on.
func browserSnakes(t *testing.T, shared *browser) {
	t.Parallel()
	s := newPages(t)
	b := shared.on(t)
	// The round begins a while after the second player has joined. A player who joins after that has no snake in it.
	const startSeconds = 20
	info := s.Create("snakes", map[string]any{"walls": false, "width": 128, "height": 128, "rounds": 1, "start_s": startSeconds})
	var all []*onlooker
	for _, name := range []string{"Ada", "Bob", "Cleo", "Dan"} {
		all = append(all, &onlooker{tab: b.person(name).visit(s.URL + "/play/" + info.ID).live()})
	}
	eve := b.person("Eve").visit(s.URL + "/play/" + info.ID + "?watch").live()
	four := all
	all = append(all, &onlooker{tab: eve})
	for _, p := range all {
		p.sees(testid("field"))
		testwait.Until(t, p.name+" sees four snakes", func() bool { p.look(); return p.most == 4 })
	}
	turned := map[string]int{}
	for _, p := range four {
		number, heading := p.snake()
		turned[number] = (heading + 1) % 4
		p.run(chromedp.KeyEvent(arrows[turned[number]]))
	}
	for _, p := range all {
		for number, heading := range turned {
			testwait.Until(t, fmt.Sprintf("%s sees snake %s go %s", p.name, number, directions[heading]), func() bool {
				p.look()
				return p.went[leg{number, heading}]
			})
		}
	}
	for _, p := range all {
		p.animates()
	}
	four[0].sees(testid("spectators", `[data-count="1"]`))
	if eve.count(".snakes-pad") != 0 {
		t.Error("who watches is offered to steer")
	}
}

// onlooker remembers what a tab has shown of the snakes, which may die at any time.
type onlooker struct {
	*tab
	read int // frames
	now  any // the view after them
	most int // most snakes that played at one time
	went map[leg]bool
}

// leg is a straight part of a snake's path.
type leg struct {
	snake   string
	heading int
}

// look reads the messages since the last look.
func (o *onlooker) look() {
	o.t.Helper()
	frames := o.heard()
	for _, frame := range frames[o.read:] {
		for _, m := range o.decoded(frame) {
			switch e2e.Field(m, "t") {
			case "state":
				o.now = e2e.Field(m, "view")
			case "turn":
				if patch := e2e.Field(m, "patch"); patch != nil {
					o.now = view.Patch(o.now, patch)
				}
			default:
				continue
			}
			o.note()
		}
	}
	o.read = len(frames)
}

func (o *onlooker) note() {
	snakes, _ := e2e.Field(o.now, "snakes").(map[string]any)
	if e2e.Field(o.now, "phase") == "playing" {
		o.most = max(o.most, len(snakes))
	}
	for number, s := range snakes {
		legs, _ := e2e.Field(s, "p").(map[string]any)
		for _, l := range legs {
			if o.went == nil {
				o.went = map[leg]bool{}
			}
			o.went[leg{number, int(l.([]any)[1].(float64))}] = true
		}
	}
}

// snake returns the tab's own snake, if it has gone in one direction only, and that direction.
func (o *onlooker) snake() (number string, heading int) {
	o.t.Helper()
	o.look()
	me := o.player()
	for number, who := range e2e.Field(o.now, "players").(map[string]any) {
		if e2e.Field(who, "player") != me {
			continue
		}
		for l := range o.went {
			if l.snake == number {
				return number, l.heading
			}
		}
	}
	o.t.Fatalf("%s has no snake in %v", o.name, o.now)
	return "", 0
}

// animates waits until the field has been painted in several different ways.
func (p *tab) animates() {
	p.t.Helper()
	const pixels = `document.querySelector("[data-testid=field]").toDataURL()`
	for range 3 {
		var before, now string
		p.value(pixels, &before)
		testwait.Until(p.t, p.name+"'s field moves", func() bool {
			time.Sleep(50 * time.Millisecond)
			p.value(pixels, &now)
			return now != before
		})
	}
}
