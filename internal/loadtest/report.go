package loadtest

import (
	"encoding/json"
	"io"
	"time"
)

// Report is what a run came to. Acts are those that were due when all players had had time to come.
type Report struct {
	OK         bool      `json:"ok"`
	Verdicts   []Verdict `json:"thresholds"`
	Advice     []string  `json:"advice"` // what to change, for people
	Game       string    `json:"game"`
	URLs       []string  `json:"urls"`
	Seed       uint64    `json:"seed"`
	Players    int       `json:"players"` // asked for
	Spectators int       `json:"spectators"`
	Rate       float64   `json:"acts_per_second"`  // offered
	JoinRate   float64   `json:"joins_per_second"` // offered
	Ramp       Duration  `json:"ramp_ms"`          // while players came
	Took       Duration  `json:"measured_ms"`      // after that

	Acts       Acts           `json:"acts"`
	Joins      Joins          `json:"joins"`
	Act        Latency        `json:"act"`  // from when an act was due to its answer
	Join       Latency        `json:"join"` // from when a player was to come to the first view
	Late       Latency        `json:"late"` // of the generator itself, with dealing out acts that are due; within Act
	Deliveries Deliveries     `json:"deliveries"`
	Bytes      Bytes          `json:"bytes"`
	Rooms      Rooms          `json:"rooms"`
	Closes     map[string]int `json:"closes"` // sockets that the server or the network closed, by code
	Errors     map[string]int `json:"errors"`
	Servers    []ServerUse    `json:"servers"`   // whose admin API is known
	Generator  ProcessUse     `json:"generator"` // this process
}

// Acts count actions.
type Acts struct {
	Due       int            `json:"due"`
	Dropped   int            `json:"dropped"` // no room could take them
	Waited    int            `json:"waited"`  // until a room could take them, because answers were outstanding
	Sent      int            `json:"sent"`
	Answered  int            `json:"answered"`
	Refused   map[string]int `json:"refused"` // of the answered ones, by code
	Moot      int            `json:"moot"`    // their game ended before the answer
	PerSecond float64        `json:"answered_per_second"`
}

// Joins count how players come into rooms.
type Joins struct {
	Tried     int     `json:"tried"`
	Done      int     `json:"done"`
	PerSecond float64 `json:"done_per_second"` // of the whole run
}

// Deliveries count what the server has told players and spectators.
type Deliveries struct {
	Turns     int     `json:"turns"`
	States    int     `json:"states"` // whole views
	Events    int     `json:"events"`
	Lost      int     `json:"events_lost"`
	PerSecond float64 `json:"per_second"` // turns and states, of the whole run
}

// Bytes are those of the connections, HTTP and TLS included.
type Bytes struct {
	In  int64 `json:"in"`
	Out int64 `json:"out"`
}

// Rooms count games.
type Rooms struct {
	Made     int `json:"made"`
	Finished int `json:"finished"` // ended by their games
	Aborted  int `json:"aborted"`
	Closed   int `json:"closed"`
}

// ProcessUse is what a process took while acts were measured.
type ProcessUse struct {
	CPU    float64 `json:"cpu_seconds"`
	Cores  float64 `json:"cores"` // busy ones on average
	Memory int64   `json:"memory_bytes,omitempty"`
}

// ServerUse is what a server took, by its metrics.
type ServerUse struct {
	Admin string `json:"admin"`
	ProcessUse
}

// Duration is written in milliseconds.
type Duration time.Duration

// MarshalJSON implements json.Marshaler.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(ms(time.Duration(d))) }

// WriteJSON writes the report for programs.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func sum(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}
