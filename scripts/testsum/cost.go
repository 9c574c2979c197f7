package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// budget is the CPU time that all of `make test` should take, on a machine with nothing else to do.
const budget = 14 * time.Minute

const (
	measureWord  = "measure"        // the command with which go test runs a test binary through this program
	costFile     = "TESTSUM_COSTS"  // names the file that costs are added to
	costPass     = "TESTSUM_PASS"   // the name of the pass in its lines
	costTop      = "TESTSUM_TOP"    // the folder that packages' names begin at
	orphanageFor = 20 * time.Second // the wait for processes that a test has left behind
	costLine     = "%s\t%s\t%d\n"   // pass, package, microseconds
	row          = "%8.1f  %s\n"    // seconds, what
)

// costs is the CPU time of tests by package, counted from begin on.
type costs struct{ path string }

func (c *costs) begin() error {
	top, err := os.Getwd()
	if err != nil {
		return err
	}
	f, err := os.CreateTemp("", "testsum")
	if err != nil {
		return err
	}
	c.path = f.Name()
	_ = os.Setenv(costFile, c.path) // these fail only for a name with a NUL or an "="
	_ = os.Setenv(costTop, top)
	return f.Close()
}

// measured are the flags that have a pass measured.
func (c *costs) measured(args []string) []string {
	self, err := os.Executable()
	if c.path == "" || err != nil {
		return nil
	}
	pass := ""
	if slices.Contains(args, "-race") {
		pass = " (race)"
	}
	_ = os.Setenv(costPass, pass)
	return []string{"-exec", fmt.Sprintf("'%s' %s", self, measureWord)}
}

// print shows the most expensive packages first, then everything else that was run, and the sum.
func (c *costs) print(out io.Writer) {
	if c.path == "" {
		return
	}
	defer func() { _ = os.Remove(c.path) }()
	by := map[string]time.Duration{}
	if f, err := os.Open(c.path); err == nil {
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if part := strings.Split(lines.Text(), "\t"); len(part) == 3 {
				d, _ := time.ParseDuration(part[2] + "us") // other lines are not from this program
				by[part[1]+part[0]] += d
			}
		}
		_ = f.Close()
	}
	var names []string
	sum, rest := childrenCPU(), childrenCPU()
	for name, d := range by {
		names = append(names, name)
		rest -= d
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(by[b], by[a]) })
	fmt.Fprintln(out, "CPU seconds, of tests and all that they started:")
	small := time.Duration(0)
	for _, name := range names {
		if by[name] < time.Second {
			small += by[name]
			continue
		}
		fmt.Fprintf(out, row, by[name].Seconds(), name)
	}
	fmt.Fprintf(out, row, small.Seconds(), "packages under a second each")
	fmt.Fprintf(out, row, rest.Seconds(), "compilers, linters, Node")
	fmt.Fprintf(out, row+"\n", sum.Seconds(), fmt.Sprintf("together: %.1f minutes; the budget of make test is %.0f", sum.Minutes(), budget.Minutes()))
}

// measure runs a test binary for go test in its package's folder, and notes the CPU time of it and of all that it started.
func measure(command []string) (code int) {
	adopt()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGINT)
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "testsum:", err)
		return 1
	}
	go func() {
		for s := range signals {
			_ = cmd.Process.Signal(s) // go test ends a test that hangs so
		}
	}()
	if code = await(cmd); code < 0 {
		code = 2 // a signal
	}
	awaitOrphans(orphanageFor)
	note(childrenCPU())
	return code
}

// note adds a line. If it cannot, the sum at the end is still right.
func note(used time.Duration) {
	dir, err := os.Getwd()
	if err != nil {
		return
	}
	if rel, err := filepath.Rel(os.Getenv(costTop), dir); err == nil {
		dir = "./" + rel
	}
	f, err := os.OpenFile(os.Getenv(costFile), os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	_, _ = fmt.Fprintf(f, costLine, os.Getenv(costPass), dir, used.Microseconds())
	_ = f.Close()
}
