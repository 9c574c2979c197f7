// Command testsum runs `go test -json` once for each of its argument lists (separated by a lone
// "+"), shows what failed, and ends with a line that counts the tests of all of them:
//
//	go run ./scripts/testsum ./... + -race -short ./room/...
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

// runPass runs one `go test` and counts what it says.
func runPass(args []string) counts {
	fmt.Printf("== go test %s\n", strings.Join(args, " "))
	started := time.Now()
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Println("go test does not start:", err)
		return counts{broken: 1}
	}
	c := count(out, os.Stdout)
	_, _ = io.Copy(io.Discard, out) // lets go test end should count have stopped early
	if err := cmd.Wait(); err != nil && c.failed == 0 && c.broken == 0 {
		fmt.Println("go test:", err)
		c.broken++
	}
	fmt.Printf("== %s in %v\n", c, time.Since(started).Round(time.Second))
	return c
}
