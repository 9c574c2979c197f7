package persist

import (
	"context"
	"fmt"
	"time"

	"github.com/roomring/roomring/room/record"
)

// FreshFor is how long after its last heartbeat, by the store's clock, a boot elsewhere keeps its data folder:
// until then no other process may start with the folder. A heartbeat comes every few seconds, see HeartbeatOptions.
const FreshFor = 15 * time.Second

// Boots are the processes that serve data folders, one boot for each start of a process, and the fences that declare them dead.
type Boots interface {
	// StartBoot writes a boot as alive and, in the same transaction, fences every older alive boot of the
	// same folder, under its present and its former ids. The error is a *FolderInUseError, and nothing is written, if the last
	// heartbeat of such a boot is younger than FreshFor. An exception is a caller that holds the lock of that very folder
	// (Boot.Locked): then the older process cannot hold it. Starting the same boot again changes nothing.
	StartBoot(ctx context.Context, boot Boot) error
	// Heartbeat records that the boot is alive. ErrBootDead means that it is not alive and must serve nothing more.
	Heartbeat(ctx context.Context, boot record.BootID) error
	// EndBoot records that the boot has ended by itself. It then needs no fence and is never alive again.
	// Ending a boot that is not alive changes nothing.
	EndBoot(ctx context.Context, boot record.BootID) error
	// Forget gives up the boots of a node whose data folders nobody will serve again, because their disk is lost. In one
	// transaction it fences those of the boots that count as alive, and ends the live rooms that have no other member left: aborted
	// for LostReason. A room whose other member's folder has not been forgotten goes on there. The boot by, which asks for it, must be alive. If a process of such a folder starts after all, its
	// rooms are over. Forget leaves a folder alone if a boot serves it that is among heard, or whose last heartbeat is younger
	// than FreshFor. If no other folder is left the error is a *NodeLivesError, or record.ErrNotFound if the store knows no such node.
	Forget(ctx context.Context, by record.BootID, node string, heard []record.BootID) (ForgotNode, error)
	// Boots returns every boot, oldest first.
	Boots(ctx context.Context) ([]BootInfo, error)
	// Fences returns the fences from number from on, in order. Numbers start at 1 and have no gap.
	Fences(ctx context.Context, from uint64) ([]Fence, error)
}

// Boot is one run of a node's process, and where it runs.
type Boot struct {
	ID     record.BootID
	Node   string // stable name
	Folder string // id of the data folder, written inside it
	// Former are the ids that the folder had before it was adopted by hand. Its processes of that time are fenced too, so that
	// none of their late writes reaches a row that this boot takes over. Not stored.
	Former []string
	Host   string // names the machine
	PID    int
	Path   string // of the data folder on that machine: a copied folder has the same id and another path
	Locked bool   // the process holds the folder's lock; not stored

	// Doubted is a boot of the same folder that was found Unknown FreshFor or longer ago. If it is still Unknown, its process
	// has sent no heartbeat since and may be fenced. Not stored.
	Doubted record.BootID
}

// Folders are the present and the former ids of the boot's data folder.
func (b *Boot) Folders() []string { return append([]string{b.Folder}, b.Former...) }

// BootState is the state of a boot.
type BootState string

// The states of a boot. Alive changes to one of the others, once. Those never change.
const (
	BootAlive BootState = "alive"
	BootEnded BootState = "ended" // by itself
	BootDead  BootState = "dead"  // fenced
)

// BootInfo is a boot as the store knows it.
type BootInfo struct {
	Boot
	State     BootState
	Fence     uint64 // number of its fence, 0 if there is none
	Forgotten bool   // by Forget
	Started   time.Time
	Silent    time.Duration // since its last heartbeat, by the store's clock
	Ahead     time.Duration // how far its last heartbeat is in the future, because that clock was set back; else 0
}

// Unknown reports whether the time of the last heartbeat says nothing, because it is in the future. A process that runs
// corrects that within seconds.
func (b *BootInfo) Unknown() bool { return b.Ahead >= FreshFor }

// Fresh reports whether the last heartbeat is younger than FreshFor.
func (b *BootInfo) Fresh() bool { return b.Silent < FreshFor && !b.Unknown() }

// SetBeat sets Silent and Ahead by the age of the last heartbeat, which may be negative. It is for backends.
func (b *BootInfo) SetBeat(age time.Duration) { b.Silent, b.Ahead = max(age, 0), max(-age, 0) }

// Fence declares a boot dead. Only then may others act for it.
type Fence struct {
	Number uint64 // dense, from 1
	Boot   record.BootID
	By     record.BootID // the boot that asked for it
	At     time.Time
}

// FolderInUseError means that another process seems to serve the same data folder.
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

// RetryAfter is how long until the holder no longer counts as alive, if it sends no more heartbeats.
func (e *FolderInUseError) RetryAfter() time.Duration { return max(FreshFor-e.Holder.Silent, 0) }
