//go:build !race

package e2e

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// child is a process of this program under another name. It ends with its standard input.
type child struct {
	cmd       *exec.Cmd
	stop      io.Closer
	out, errs bytes.Buffer
	began     time.Time
}

func (s *server) startChild(args ...string) *child {
	s.t.Helper()
	exe, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	c := &child{began: time.Now()}
	c.cmd = &exec.Cmd{Path: exe, Args: args, Env: os.Environ(), Stdout: &c.out, Stderr: &c.errs, SysProcAttr: endsWithTests()}
	if c.stop, err = c.cmd.StdinPipe(); err == nil {
		err = c.cmd.Start()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = c.cmd.Process.Kill() })
	return c
}

// end has it stop, and returns what it has printed.
func (c *child) end() (string, error) {
	_ = c.stop.Close()
	if err := c.cmd.Wait(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", c.cmd.Args[0], err, c.errs.String())
	}
	return c.out.String(), nil
}

// busy is the part of a processor that it has had. It has ended.
func (c *child) busy() float64 {
	used := c.cmd.ProcessState.UserTime() + c.cmd.ProcessState.SystemTime()
	return used.Seconds() / time.Since(c.began).Seconds()
}
