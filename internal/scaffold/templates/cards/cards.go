package main

import (
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/roomring/roomring/room"
)

// Card is a rank and a suit: "as" is the ace of spades, "td" the ten of diamonds.
type Card string

const ranks = "23456789tjqka"

var suits = []string{"c", "d", "h", "s"}

func (c Card) rank() string { return string(c[:1]) }
func (c Card) suit() string { return string(c[1:]) }
func (c Card) wild() bool   { return c != "" && c.rank() == "8" }

// deck is all cards in random order.
func deck(r *rand.Rand) (all []Card) {
	for _, suit := range suits {
		for _, rank := range ranks {
			all = append(all, Card(string(rank)+suit))
		}
	}
	shuffle(all, r)
	return all
}

func shuffle(cards []Card, r *rand.Rand) {
	r.Shuffle(len(cards), func(i, j int) { cards[i], cards[j] = cards[j], cards[i] })
}

// sortCards orders a hand by suit and rank.
func sortCards(hand []Card) {
	slices.SortFunc(hand, func(a, b Card) int {
		if c := strings.Compare(a.suit(), b.suit()); c != 0 {
			return c
		}
		return strings.Index(ranks, a.rank()) - strings.Index(ranks, b.rank())
	})
}

// worth is what a hand costs at the end: 50 for an eight, 10 for a face, 1 for an ace, and else the rank.
func worth(hand []Card) (points int) {
	for _, c := range hand {
		switch r := c.rank(); {
		case r == "8":
			points += 50
		case r == "a":
			points++
		case strings.Contains("tjqk", r):
			points += 10
		default:
			points += int(r[0] - '0')
		}
	}
	return points
}

// deal shuffles, and gives everybody seven cards, or five where more than two play.
func (g *Game) deal(t *room.Turn) {
	g.Status, g.Stock = Playing, deck(t.Rand())
	size := 5
	if len(g.Seats) == 2 {
		size = 7
	}
	for seat := range g.Seats {
		hand := slices.Clone(g.Stock[:size])
		sortCards(hand)
		g.Seats[seat].Hand, g.Stock = hand, g.Stock[size:]
	}
	g.Pile = []Card{g.draw(t)}
	g.Suit = g.top().suit()
	g.next(t, 0)
}

// draw takes a card from the stock. An empty stock is made again of the pile but for its last card.
func (g *Game) draw(t *room.Turn) Card {
	if len(g.Stock) == 0 {
		last := len(g.Pile) - 1
		g.Stock, g.Pile = slices.Clone(g.Pile[:last]), slices.Clone(g.Pile[last:])
		shuffle(g.Stock, t.Rand())
	}
	c := g.Stock[len(g.Stock)-1]
	g.Stock = g.Stock[:len(g.Stock)-1]
	return c
}
