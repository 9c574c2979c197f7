//go:build !race

package browser_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/web/client"
)

// browserPhone plays chess on phones. Nothing that the page shows before, during and after the game covers the board.
func browserPhone(t *testing.T, shared *browser) {
	t.Parallel()
	s := newPages(t)
	b := shared.on(t)
	ada := b.person("Ada")
	for _, phone := range []look{{360, 740, "light", false}, {390, 844, "dark", false}} {
		info := s.Create("chess", map[string]any{"white": "first"})
		ada.visit(s.URL).dress(phone)
		ada.visit(s.URL + "/play/" + info.ID)
		ada.sees(testid("invite-share"))
		ada.spares("invite")
		ada.click(testid("invite-fold"))
		ada.sees(testid("invite-link"))
		ada.click(testid("invite-fold"))
		ada.spares("invite")
		bob := s.Join(info, client.Options{Name: "Bob"})
		ada.until(fmt.Sprintf(`!document.querySelector(%s).checkVisibility()`, quote(testid("invite"))))
		ada.move("e2e4")
		ada.moved("e2e4")
		if err := bob.WaitView(t.Context(), func(v any) bool { return e2e.Field(v, "turn") == "black" }); err != nil {
			t.Fatal(err) // Ada's page shows her move before the server does
		}
		act(t, bob, `{"move":"e7e5"}`)
		ada.moved("e7e5")
		act(t, bob, `{"resign":true}`)
		ada.reads(testid("ending"), "You won.")
		ada.sees(testid("rematch"))
		ada.spares("ending")
		act(t, bob, `{"rematch":true}`)
		ada.reads(testid("rematch-agreed"), "Bob wants a rematch.")
		ada.spares("ending")
		ada.click(testid("ending-fold"))
		ada.sees(testid("player-row"))
	}
	ada.looksAround(s)
}

// looksAround reads the list of rooms. Where no seat is free, the list says why and offers to watch.
func (p *tab) looksAround(s *e2e.Server) {
	p.t.Helper()
	var kept e2e.RoomInfo
	for range 2 { // two guests have reserved these seats
		if code := s.Call("POST", "/v1/matchmake", map[string]any{"game": "chess"}, &kept); code != http.StatusOK && code != http.StatusCreated {
			p.t.Fatalf("matchmaking: %d", code)
		}
	}
	free := s.Create("chess", nil)
	alone := s.Create("chess", map[string]any{"bot": 1})
	full := seated(s, "Ivy", "Jon", 2)
	p.visit(s.URL)
	for _, row := range []struct {
		info     e2e.RoomInfo
		way, why string
	}{{free, "Join", "0/2"}, {kept, "Watch", "0/2 · seats are kept"}, {alone, "Watch", "0/1 · a game for one"}, {full, "Watch", "2/2 · all seats taken"}} {
		at := testid("room-row", fmt.Sprintf("[data-room=%q] ", row.info.ID))
		p.sees(at + ".room-people")
		p.reads(at+".room-people", row.why)
		p.reads(at+"a.button", row.way)
	}
}

func act(t *testing.T, c *client.Client, action string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), e2e.Ceiling)
	defer cancel()
	if _, err := c.Act(ctx, json.RawMessage(action)); err != nil {
		t.Fatalf("%s: %v", action, err)
	}
}

// spares checks that a sheet covers no part of the board, and that the board can be seen.
func (p *tab) spares(sheet string) {
	p.t.Helper()
	p.run(chromedp.Evaluate(`scrollTo(0, 0)`, nil))
	p.until(fmt.Sprintf(`((board, sheet) => board.height > 200 && board.top >= 0 && sheet.height > 40 && sheet.top >= board.bottom && sheet.bottom <= innerHeight)(...[%s, %s].map((s) => document.querySelector(s).getBoundingClientRect()))`,
		quote(testid("chess-board")), quote(testid(sheet))))
}
