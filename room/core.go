package room

// Phase is where a room's life stands.
type Phase string

// The phases.
const (
	PhaseWaiting Phase = "waiting" // fewer players than Spec.MinPlayers so far
	PhasePlaying Phase = "playing"
	PhaseOver    Phase = "over"
)
