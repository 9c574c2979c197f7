// Package child runs child processes that end with this one: nodes of a cluster on one machine, and what torments them.
package child

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// Process is one child. Any goroutine may call its methods.
type Process struct {
	cmd   *exec.Cmd
	ended chan struct{}

	mu     sync.Mutex
	paused bool
}

// Start starts a command as a child. It is in a process group of its own, so that Ctrl-C in a terminal reaches only this process, and on
// Linux the kernel kills it when this process ends. Enter, if it is not nil, is called before on the thread that starts it, which is used
// for nothing else: it may put that thread into another network namespace.
func Start(cmd *exec.Cmd, enter func() error) (*Process, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	ownGroup(cmd.SysProcAttr)
	p := &Process{cmd: cmd, ended: make(chan struct{})}
	started := make(chan error)
	go func() {
		defer close(p.ended)
		runtime.LockOSThread() // Linux kills the child when this thread ends
		if enter == nil {
			defer runtime.UnlockOSThread() // else the thread ends with this goroutine, for nobody must get it
		} else if err := enter(); err != nil {
			started <- err
			return
		}
		err := cmd.Start()
		if started <- err; err == nil {
			_ = cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// PID is the process id, which may be another's once the process has ended.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Ended is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// State is how the process ended. It may be called after that only.
func (p *Process) State() *os.ProcessState { return p.cmd.ProcessState }

// Running reports whether the process has not ended. A paused process runs.
func (p *Process) Running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// Paused reports whether Signal has paused the process and not resumed it.
func (p *Process) Paused() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.paused && p.Running()
}

// Signal sends a signal. The error is os.ErrProcessDone if the process has ended.
func (p *Process) Signal(s syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.Running() {
		return os.ErrProcessDone
	}
	switch s {
	case Pause:
		p.paused = true
	case Resume:
		p.paused = false
	}
	return p.cmd.Process.Signal(s)
}

// Kill ends the process by SIGKILL, as a crash does, and waits for its end.
func (p *Process) Kill() {
	_ = p.Signal(syscall.SIGKILL) // it may have ended
	<-p.ended
}

// ErrStuck says that a process did not end in time after SIGTERM.
var ErrStuck = errors.New("it does not end")

// Terminate resumes the process, tells it to stop and waits for its end. The error wraps ErrStuck if that takes longer than wait, or says how
// it ended if that was not with 0.
func (p *Process) Terminate(wait time.Duration) error {
	_ = p.Signal(Resume)
	_ = p.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.ended:
	case <-time.After(wait):
		return fmt.Errorf("%w within %v after SIGTERM", ErrStuck, wait)
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("SIGTERM ended it with %v", p.cmd.ProcessState)
	}
	return nil
}
