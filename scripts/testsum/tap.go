package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// countTAP reads a run's TAP (https://testanything.org, version 13, as Node's test runner writes it) and prints
// what failed, with its diagnostics.
func countTAP(in io.Reader, out io.Writer) counts {
	var c counts
	diagnosing, showing := false, false
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		switch {
		case line == "---":
			diagnosing = true
		case line == "..." && diagnosing:
			diagnosing = false
		case !diagnosing && isResult(line):
			showing = c.result(line)
		}
		if showing {
			fmt.Fprintln(out, lines.Text())
		}
		if !diagnosing && line == "..." {
			showing = false
		}
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintln(out, "the TAP cannot be read:", err)
		c.broken++
	}
	return c
}

func isResult(line string) bool {
	return strings.HasPrefix(line, "ok ") || strings.HasPrefix(line, "not ok ")
}

// result counts a test, and reports whether people should see it.
func (c *counts) result(line string) bool {
	_, directive, _ := strings.Cut(line, " # ")
	switch directive = strings.ToUpper(directive); {
	case strings.HasPrefix(directive, "SKIP"), strings.HasPrefix(directive, "TODO"):
		c.skipped++
	case strings.HasPrefix(line, "ok "):
		c.passed++
		return false
	default:
		c.failed++
	}
	return true
}
