package child_test

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/child"
)

// TestProcess checks what a child's methods say of it from its start to its end.
func TestProcess(t *testing.T) {
	p, err := child.Start(exec.Command("sleep", "60"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	if !p.Running() || p.Paused() {
		t.Errorf("just started: running %v, paused %v", p.Running(), p.Paused())
	}
	if err := p.Signal(child.Pause); err != nil || !p.Paused() {
		t.Errorf("paused: %v, %v", p.Paused(), err)
	}
	if err := p.Terminate(30 * time.Second); err == nil || errors.Is(err, child.ErrStuck) {
		t.Errorf("a process that SIGTERM kills: %v", err)
	}
	if p.Running() || p.Paused() || !errors.Is(p.Signal(syscall.SIGTERM), os.ErrProcessDone) {
		t.Error("it has ended, and does not say so")
	}
}

// TestEnter checks that a child is not started where it was not to be.
func TestEnter(t *testing.T) {
	why := errors.New("no such place")
	if _, err := child.Start(exec.Command("true"), func() error { return why }); !errors.Is(err, why) {
		t.Errorf("started, with %v", err)
	}
	p, err := child.Start(exec.Command("true"), func() error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if <-p.Ended(); p.State().ExitCode() != 0 {
		t.Error(p.State())
	}
}

func TestFreePort(t *testing.T) {
	a, err := child.FreePort("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := child.FreePort("127.0.0.1"); err != nil || a == b {
		t.Errorf("%s twice: %v", b, err)
	}
}
