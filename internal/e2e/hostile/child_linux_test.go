//go:build !race

package hostile_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/roomring/roomring/internal/e2e"
)

// child is a process of this program under another name. It ends when its standard input ends.
type child struct {
	cmd       *exec.Cmd
	stop      io.Closer
	out, errs bytes.Buffer
	began     time.Time
}

func startChild(s *e2e.Server, args ...string) *child {
	s.T.Helper()
	exe, err := os.Executable()
	if err != nil {
		s.T.Fatal(err)
	}
	c := &child{began: time.Now()}
	c.cmd = &exec.Cmd{Path: exe, Args: args, Env: os.Environ(), Stdout: &c.out, Stderr: &c.errs, SysProcAttr: e2e.DieWithParent()}
	if c.stop, err = c.cmd.StdinPipe(); err == nil {
		err = c.cmd.Start()
	}
	if err != nil {
		s.T.Fatal(err)
	}
	s.T.Cleanup(func() { _ = c.cmd.Process.Kill() })
	return c
}

// end stops the process and returns what it has printed.
func (c *child) end() (string, error) {
	_ = c.stop.Close()
	if err := c.cmd.Wait(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", c.cmd.Args[0], err, c.errs.String())
	}
	return c.out.String(), nil
}

// busy returns the share of a processor that the process used. The process has ended.
func (c *child) busy() float64 {
	used := c.cmd.ProcessState.UserTime() + c.cmd.ProcessState.SystemTime()
	return used.Seconds() / time.Since(c.began).Seconds()
}
