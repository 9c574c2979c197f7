package persist

import (
	"context"
	"fmt"
	"time"

	"github.com/roomring/roomring/room"
)

// FreshFor is how long after its last heartbeat, by the store's clock, a boot in another place counts as
// alive when its data folder is asked for. Boots beat every few seconds, see HeartbeatOptions.
const FreshFor = 15 * time.Second

// Boots are the lives of processes, and the fences that end them.
type Boots interface {
	// StartBoot writes a boot as alive and, in the same transaction, fences every older alive boot of the
	// same folder, under its present and its former ids. It is refused with a *FolderInUseError, nothing written, if such a boot's last heartbeat is
	// younger than FreshFor, unless the caller holds the lock of that very folder (Boot.Locked), which
	// its former process then cannot hold. Starting the same boot again changes nothing.
	StartBoot(ctx context.Context, boot Boot) error
	// Heartbeat says that the boot is alive. ErrBootDead: it is not, and must serve nothing more.
	Heartbeat(ctx context.Context, boot room.BootID) error
	// EndBoot says that the boot has ended by itself. It needs no fence and is never alive again.
	// Ending a boot that is not alive changes nothing.
	EndBoot(ctx context.Context, boot room.BootID) error
	// Forget gives up the boots of a node whose data folders nobody will serve again, for their disk is lost. In one
	// transaction, which requires the boot by alive, it fences those of them that count as alive, and ends the rooms
	// that are live under them: aborted for LostReason. Should a process of such a folder start after all, it finds its
	// rooms over. Folders that a boot serves which is among heard, or whose last heartbeat is younger than FreshFor, are
	// left alone; if no other is left the error is a *NodeLivesError, and ErrNotFound if the store knows no such node.
	Forget(ctx context.Context, by room.BootID, node string, heard []room.BootID) (Forgotten, error)
	// Boots returns every boot, oldest first.
	Boots(ctx context.Context) ([]BootInfo, error)
	// Fences returns the fences from number from on, in order; numbers start at 1 and leave no gap.
	Fences(ctx context.Context, from uint64) ([]Fence, error)
}

// Boot is one life of a node's process, and where it runs.
type Boot struct {
	ID     room.BootID
	Node   string // stable name
	Folder string // id of the data folder, written inside it
	// Former are the ids that the folder had before it was adopted by hand. What its processes of then have on the way to the
	// store must not come to rows that this one takes over. Not stored.
	Former []string
	Host   string // names the machine
	PID    int
	Path   string // of the data folder on that machine: a copied folder has the same id and another path
	Locked bool   // the process holds the folder's lock; not stored

	// Doubted is a boot of the same folder that was found Unknown FreshFor or longer ago. Is it so still, then its process
	// has not beaten since and may be fenced. Not stored.
	Doubted room.BootID
}

// Folders are the present and the former ids of the boot's data folder.
func (b *Boot) Folders() []string { return append([]string{b.Folder}, b.Former...) }

// BootState is where a boot's life stands.
type BootState string

// The states of a boot. Only alive changes, once.
const (
	BootAlive BootState = "alive"
	BootEnded BootState = "ended" // by itself
	BootDead  BootState = "dead"  // fenced
)

// BootInfo is a boot as the store knows it.
type BootInfo struct {
	Boot
	State   BootState
	Fence   uint64 // its fence's number, 0 if none
	Started time.Time
	Silent  time.Duration // since its last heartbeat, by the store's clock
	Ahead   time.Duration // how far its last heartbeat lies in the future of that clock, which was set back; else 0
}

// Unknown reports whether the last heartbeat says nothing of when it was: it lies in the future. A process that lives puts
// that right within seconds.
func (b *BootInfo) Unknown() bool { return b.Ahead >= FreshFor }

// Fresh reports whether the boot was heard of within FreshFor.
func (b *BootInfo) Fresh() bool { return b.Silent < FreshFor && !b.Unknown() }

// SetBeat fills in Silent and Ahead from the age of the last heartbeat, which may be below zero. It is for backends.
func (b *BootInfo) SetBeat(age time.Duration) { b.Silent, b.Ahead = max(age, 0), max(-age, 0) }

// Fence declares a boot dead: only then may others act for it.
type Fence struct {
	Number uint64 // dense, from 1
	Boot   room.BootID
	By     room.BootID // the boot that asked for it
	At     time.Time
}

// FolderInUseError says that another process seems to serve the same data folder.
type FolderInUseError struct {
	Holder BootInfo
}

func (e *FolderInUseError) Error() string {
	h := e.Holder
	if h.Unknown() {
		return fmt.Sprintf("the data folder was served by process %d on host %s as %s, whose last heartbeat is %v in the future: the clock was set back, and whether that process lives is not known; stop it if it does; start again, or wait %v, after which a process that has not beaten counts as gone",
			h.PID, h.Host, h.Path, h.Ahead.Round(time.Second), FreshFor)
	}
	return fmt.Sprintf("the data folder is served by process %d on host %s as %s, heard %v ago: stop that process, or, if it is gone, start again in %v; if this folder is a copy, give each process a folder of its own",
		h.PID, h.Host, h.Path, h.Silent.Round(time.Second), e.RetryAfter().Round(time.Second))
}

// RetryAfter is when the holder stops counting as alive if it is never heard again.
func (e *FolderInUseError) RetryAfter() time.Duration { return max(FreshFor-e.Holder.Silent, 0) }

// MayFence reports whether a starting boot may fence an alive older one of its folder.
func MayFence(starting Boot, old BootInfo) bool {
	held := starting.Locked && starting.Host == old.Host && starting.Path == old.Path
	if old.Unknown() {
		return held || starting.Doubted == old.ID
	}
	return held || old.Silent >= FreshFor
}
