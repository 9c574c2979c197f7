//go:build !race

package browser_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/web/client"
)

// browserCluster operates a cluster of three nodes from the page of one node and looks into a room of another. Then it does so from the
// page of `roomring dev`, whose buttons end and start nodes.
func browserCluster(t *testing.T, shared *browser) {
	t.Parallel()
	d := e2e.NewDev(t, slices.Concat([]string{"--nodes", "3", "--"}, e2e.GenerousLimits)...)
	d.Env = []string{"ROOMRING_TEST_GAMES="}
	d.Start().WaitWhole(3)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	b := shared.on(t)
	axe, err := os.ReadFile(filepath.Join("..", "..", "..", "web", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatalf("%v: run scripts/npm", err)
	}
	dice := diceAt(d, ctx, "n2")
	for range 60 { // more rooms than a page shows
		d.Create("chess", nil)
	}
	here, there := d.Nodes[0], d.Nodes[1]

	op := b.person("the operator").mayLose() // a busy machine may cut links for a moment: 503
	op.visit(here.AdminAt + "/admin/")
	for _, n := range d.Nodes {
		op.sees(testid("node", fmt.Sprintf(`[data-node=%q][data-state="active"]`, n.Node)))
		op.reads(".ring-legend", n.Node)
	}
	op.until(`["node-0", "node-1", "node-2"].every((kind) => document.querySelectorAll(".ring-arc." + kind).length > 50)`)
	op.reads(testid("node", `[data-node="n1"]`), "→ n2: up")
	op.write(testid("ring-id"), dice.room.ID)
	op.click(testid("ring-find"))
	op.sees(testid("ring-mark"))
	op.reads(testid("ring-why"), "the room is there")

	op.until(fmt.Sprintf(`document.querySelectorAll(%s).length === 50`, quote(testid("room"))))
	op.write(testid("room-search"), "<i>ann")
	op.until(fmt.Sprintf(`document.querySelectorAll(%s).length === 1`, quote(testid("room"))))
	op.click(testid("room", ` a[href="#room=`+dice.room.ID+`"]`))
	op.sees(testid("event", `[data-type="watching"]`))
	op.reads(testid("room-facts"), "owner n2")
	op.reads(testid("seat"), "<i>Ann</i>") // shown as text
	op.reads(testid("session"), "n3")      // her edge
	op.looksAs(dice)

	dice.bid(ctx, t)
	op.sees(testid("event", `[data-kind="act"]`))
	op.until(fmt.Sprintf("Object.keys(JSON.parse(document.querySelector(%s).textContent).Bids ?? {}).length > 0", quote(testid("room-state"))))
	for _, look := range looks {
		op.dress(look)
		op.shoot("cluster-" + look.name())
		if look.audited {
			op.audit("cluster "+look.name(), string(axe))
		}
	}
	op.insists(testid("event", `[data-kind="leave"]`), func() {
		op.click(testid("seat", `[data-player="`+dice.players[1].Welcome().Player+`"] `, testid("kick")))
		op.click(testid("confirm-yes"))
	})
	other := there.Create("chess", nil)
	op.visit(here.AdminAt + "/admin/#room=" + other.ID)
	op.sees(testid("event", `[data-type="watching"]`))
	op.insists(testid("event", `[data-type="over"]`), func() {
		op.click(testid("close-room"))
		op.write(testid("confirm-field"), "closing for tonight")
		op.click(testid("confirm-yes"))
	})
	if r := here.Result(other.ID); r.End != "closed" {
		t.Errorf("the room ended as %+v", r)
	}
	pageButtons(d, op, string(axe))
}

// diceTable is a game of liar's dice, in which players see only their own dice.
type diceTable struct {
	room    e2e.RoomInfo
	players []*client.Client // Ann and Bob
}

// diceAt makes a game at a node, with players at the other nodes. A full table starts by itself.
func diceAt(d *e2e.DevRun, ctx context.Context, node string) diceTable {
	d.T.Helper()
	for _, n := range d.Nodes { // else the room would move once it is
		n.Until(ctx, "the ring is whole", func() bool { return len(n.RingNames()) == len(d.Nodes) })
	}
	var info e2e.RoomInfo
	for range 200 {
		info = d.Create("liarsdice", map[string]any{"players": 2, "turn_ms": 600_000})
		var ring struct {
			Where struct{ Nodes []string }
		}
		d.Nodes[0].CallAdmin("GET", "/admin/v1/ring?id="+info.ID, nil, &ring)
		if info.Node == node && ring.Where.Nodes[0] == node { // a node may have made it that has not heard of all others
			break
		}
	}
	if info.Node != node {
		d.T.Fatalf("no room came to %s", node)
	}
	table := diceTable{room: info}
	for i, name := range []string{"<i>Ann</i>", "Bob"} {
		edge := d.Nodes[2*(1-i)]
		table.players = append(table.players, edge.Join(edge.Via(info), client.Options{Name: name}))
	}
	for _, p := range table.players {
		if err := p.WaitView(ctx, func(v any) bool { return e2e.Field(v, "mine") != nil }); err != nil {
			d.T.Fatal(err)
		}
	}
	return table
}

// dice returns a player's dice as JSON.
func (table diceTable) dice(t *testing.T, player int) string {
	t.Helper()
	var v struct{ Mine []int }
	if err := table.players[player].View(&v); err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(fmt.Sprint(v.Mine), " ", ",")
}

// bid makes a bid for the player whose turn it is.
func (table diceTable) bid(ctx context.Context, t *testing.T) {
	t.Helper()
	for _, p := range table.players {
		if _, err := p.Act(ctx, map[string]any{"bid": map[string]int{"count": 1, "face": 2}}); err == nil {
			return
		}
	}
	t.Fatal("nobody may bid")
}

// insists repeats an action that has had no effect for a while.
func (p *tab) insists(effect string, do func()) {
	p.t.Helper()
	for range 3 {
		do()
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			if p.count(effect) > 0 {
				return
			}
		}
	}
	p.sees(effect)
}

// choose picks an option of a select.
func (p *tab) choose(selector, value string) {
	p.t.Helper()
	p.until(fmt.Sprintf(`[...document.querySelector(%s)?.options ?? []].some((o) => o.value === %s)`, quote(selector), quote(value)))
	p.value(fmt.Sprintf(`{const s = document.querySelector(%s); s.value = %s; s.dispatchEvent(new Event("change", {bubbles: true})); true}`, quote(selector), quote(value)), nil)
}

// looksAs shows a room's state as each player sees it.
func (p *tab) looksAs(table diceTable) {
	p.t.Helper()
	state := fmt.Sprintf("JSON.parse(document.querySelector(%s).textContent)", quote(testid("room-state")))
	for i, player := range table.players {
		p.choose(testid("room-as"), "player:"+player.Welcome().Player)
		p.until(fmt.Sprintf("JSON.stringify(%s.mine) === %s", state, quote(table.dice(p.t, i))))
	}
	p.choose(testid("room-as"), "spectator")
	p.until(state + `.status === "bidding" && ` + state + ".mine === undefined")
	p.choose(testid("room-as"), "whole")
	p.until(state + ".status === undefined")
}

// pageButtons ends, starts and adds nodes from the page, which draws the rooms that are taken over meanwhile.
func pageButtons(d *e2e.DevRun, op *tab, axe string) {
	card := func(node string, state e2e.DevState) string {
		return fmt.Sprintf(`[data-node=%q][data-process=%q]`, node, state)
	}
	button := func(node, act string) string { return fmt.Sprintf(`[data-node=%q] `, node) + testid(act) }
	op.visit(d.AdminAt + "/admin/")
	op.click(button("n2", "kill"))
	op.click(testid("confirm-yes"))
	op.sees(card("n2", e2e.DevStopped))
	op.reads(testid("moves"), "of n2, which did not answer")
	op.sees(".moves-picture .moves-way")
	for _, look := range looks { // soon, for the picture does not stay
		if look.audited {
			op.dress(look)
			op.audit("cluster moves "+look.name(), axe)
			op.shoot("cluster-moves-" + look.name())
		}
	}
	op.until(`!document.querySelector(".ring-legend").textContent.includes("n2") && document.querySelectorAll(".ring-arc.node-2").length > 50`) // n3 keeps its colour
	op.shoot("cluster-killed")
	op.click(button("n2", "start"))
	op.sees(testid("node", card("n2", e2e.DevRunning), `[data-state="active"]`))
	op.click(button("n3", "pause"))
	op.sees(card("n3", e2e.DevPaused))
	op.until(`!document.querySelector(".admin-nodes").textContent.includes("days ago")`) // the page does not know when the node started
	op.shoot("cluster-paused")
	op.click(button("n3", "resume"))
	op.sees(testid("node", card("n3", e2e.DevRunning), `[data-state="active"]`))
	op.click(button("n1", "drain"))
	op.click(testid("confirm-yes"))
	op.sees(card("n1", e2e.DevStopped))
	op.click(testid("add-node"))
	op.sees(testid("node", card("n4", e2e.DevRunning), `[data-state="active"]`))
	op.reads(".ring-legend", "n4")
	op.dress(looks[0])
	op.shoot("cluster-buttons")
}
