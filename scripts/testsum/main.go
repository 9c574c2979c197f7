// Command testsum runs `go test -json` once for each of its argument lists (separated by a lone
// "+"), shows what failed, and ends with a line that counts the tests of all of them.
// A list that begins with "tap" is a command with TAP on its standard output. A list that begins
// with "run" is any other command:
//
//	go run ./scripts/testsum run make lint + ./... + -race ./room/actor + tap scripts/sdktest
//	1234 passed, 0 failed
//
// With "cpu" before all lists it also prints the CPU time of each package's tests. It then runs all of
// them again, because Go caches no results of tests that another program runs.
//
// Its exit code is 1 if a test failed or was skipped, if a package did not build, or if nothing ran.
package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

func main() {
	if len(os.Args) > 2 && os.Args[1] == measureWord {
		os.Exit(measure(os.Args[2:]))
	}
	var all counts
	costs, args := new(costs), os.Args[1:]
	if len(args) > 0 && args[0] == "cpu" {
		args = args[1:]
		if err := costs.begin(); err != nil {
			fmt.Fprintln(os.Stderr, "testsum:", err)
			os.Exit(1)
		}
	}
	for pass := range passes(args) {
		all.add(costs.runPass(pass))
	}
	costs.print(os.Stdout)
	fmt.Println(all)
	if !all.good() {
		os.Exit(1)
	}
}

// passes cuts the arguments at each "+".
func passes(args []string) func(yield func([]string) bool) {
	return func(yield func([]string) bool) {
		for len(args) > 0 {
			end := slices.Index(args, "+")
			if end < 0 {
				end = len(args)
			}
			if !yield(args[:end]) {
				return
			}
			args = args[min(end+1, len(args)):]
		}
	}
}

// runPass runs one `go test`, a command that prints TAP, or another command, and counts the results.
func (c *costs) runPass(args []string) counts {
	switch {
	case len(args) > 1 && args[0] == "tap":
		return run(args[1:], args[1:], countTAP)
	case len(args) > 1 && args[0] == "run":
		return run(args[1:], args[1:], countNothing)
	}
	return run(append([]string{"go", "test"}, args...), slices.Concat([]string{"go", "test", "-json"}, c.measured(args), args), count)
}

// countNothing shows the output of a command that runs no tests.
func countNothing(in io.Reader, out io.Writer) counts {
	_, _ = io.Copy(out, in) // the command's exit code tells
	return counts{}
}

// run runs a command under the name that people would type, and counts its output.
func run(typed, command []string, count func(io.Reader, io.Writer) counts) counts {
	called := strings.Join(typed, " ")
	fmt.Printf("== %s\n", called)
	started := time.Now()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Printf("%s does not start: %v\n", called, err)
		return counts{broken: 1}
	}
	c := count(out, os.Stdout)
	_, _ = io.Copy(io.Discard, out) // lets the command end if count has stopped early
	if err := cmd.Wait(); err != nil && c.failed == 0 && c.broken == 0 {
		fmt.Printf("%s: %v\n", called, err)
		c.broken++
	}
	fmt.Printf("== %s in %v\n", c, time.Since(started).Round(time.Second))
	return c
}
