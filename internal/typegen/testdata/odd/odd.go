// Package odd is a game whose types are hard to write in other languages.
package odd

import (
	"encoding/json"
	"time"

	"github.com/roomring/roomring/room"
)

// Phase is what the game does.
type Phase string

// The phases.
const (
	Waiting Phase = "waiting" // for players
	Playing Phase = "playing"
	Done    Phase = "it's \"over\""
)

// lonely has one constant, so it is no enumeration.
type lonely string

const nobody lonely = "nobody"

// Pair is two of something: see [View.Pairs].
type Pair[A, B any] struct {
	Left  A `json:"left"`
	Right B `json:"right,omitempty"`
}

// Forest is nothing but trees.
type Forest []Forest

// Tree has a tree inside.
type Tree struct {
	Name string           `json:"name"`
	Kids []*Tree          `json:"kids"`
	By   map[int][]Tree   `json:"by,omitempty"`
	Next *Tree            `json:"next,omitempty"`
	Rows [][]int          `json:"rows,omitempty"`
	Grid [2][3]float32    `json:"grid"`
	Maps []map[string]any `json:"maps,omitempty"`
}

// View is what is seen. Comments may hold */ and <tags> & more.
//
//	They may be indented.
type View struct {
	Phase  Phase    `json:"phase"`
	Before []Phase  `json:"before,omitempty"` // earlier ones
	Nobody lonely   `json:"nobody"`
	Class  int      `json:"class"`
	Get    string   `json:"get,omitempty"`
	View   *Tree    `json:"view,omitempty"` // named like its class
	Dash   bool     `json:"with-dash"`
	Quote  string   `json:"wi'th"`
	Tree   Tree     `json:"tree"`
	Forest Forest   `json:"forest"`
	Node   Node     `json:"node"`
	Record Record   `json:"record"`
	Nested struct { // has no name of its own
		Deep *struct{ Deeper int } `json:"deep,omitempty"`
	} `json:"nested"`
	Pairs map[string]Pair[int, *Tree] `json:"pairs"`
	Texts Pair[string, []string]      `json:"texts"`
	Free  any                         `json:"free,omitempty"`
	At    time.Time                   `json:"at"`
	Blob  []byte                      `json:"blob"`
	Big   uint64                      `json:"big,string"`
	Sure  bool                        `json:"sure,string"`
	Long  [12]int                     `json:"long"`
	Small int8                        `json:"small,omitempty"`
	Lists []map[string][]Node         `json:"lists"`
}

// Node is also a class of an engine.
type Node struct{ X, Y int }

// Record is also a type of a language.
type Record struct{}

// Action is what can be done.
type Action struct {
	Do   Phase         `json:"do,omitempty"`
	To   *Node         `json:"to,omitempty"`
	All  []*Node       `json:"all"`
	Cond map[Phase]int `json:"cond,omitempty"`
}

// Options of a room.
type Options struct {
	Size    int      `json:"size"` // of the board, default 10
	Default string   `json:"default"`
	Phases  []Phase  `json:"phases"`
	Limits  *Node    `json:"limits,omitempty"`
	Start   View     `json:"start"`
	Speed   *float64 `json:"speed"`
}

// Game is odd.
type Game struct{}

func (*Game) Open(t *room.Turn, _ json.RawMessage) error {
	return t.Options(&Options{Size: 10, Default: "*/", Phases: []Phase{Playing}})
}

func (*Game) Act(*room.Turn, room.Player, Action) error { return nil }

func (*Game) View(room.Viewer) View { return View{} }

func (*Game) Events() map[string]any {
	return map[string]any{
		"started": nil, "ship-sunk": Node{}, "score": 0, "ranks": []int{}, "view": &View{}, "moved": struct{ From, To Node }{}, "free": json.RawMessage{},
		"phase": Playing,
	}
}

// Rules are those of the game.
func Rules() *room.Rules {
	return room.MustDefine(room.Spec{Name: "odd", Version: 7}, func() *Game { return new(Game) })
}

var _ = nobody
