// Command testsum runs `go test -json` once for each of its argument lists (separated by a lone
// "+"), shows what failed, and ends with a line that counts the tests of all of them. A list that
// begins with "tap" is a command of its own, whose standard output is TAP:
//
//	go run ./scripts/testsum ./... + -race -short ./room/... + tap scripts/sdktest
//	1234 passed, 0 failed
//
// Its exit code is 1 when a test failed, was skipped, a package did not build, or nothing ran.
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
	var all counts
	for pass := range passes(os.Args[1:]) {
		all.add(runPass(pass))
	}
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

// runPass runs one `go test`, or a command that speaks TAP, and counts what it says.
func runPass(args []string) counts {
	if len(args) > 1 && args[0] == "tap" {
		return run(args[1:], args[1:], countTAP)
	}
	return run(append([]string{"go", "test"}, args...), append([]string{"go", "test", "-json"}, args...), count)
}

// run runs a command, called by what people would type, and counts its output.
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
	_, _ = io.Copy(io.Discard, out) // lets it end should count have stopped early
	if err := cmd.Wait(); err != nil && c.failed == 0 && c.broken == 0 {
		fmt.Printf("%s: %v\n", called, err)
		c.broken++
	}
	fmt.Printf("== %s in %v\n", c, time.Since(started).Round(time.Second))
	return c
}
