package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
)

// program is the source of the program that runs, on this machine.
type program struct {
	Path   string // of its package, to import
	Dir    string // of its package
	Module string // the folder of its module
}

// findProgram finds the source by what the binary says of itself. The present folder must be in the module, as it is after
// `go run . dev`. The error says why there is none.
func findProgram(ctx context.Context) (*program, error) {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Path == "" || info.Path == "command-line-arguments" {
		return nil, errors.New("the binary does not say which package it is of: run it by go run . dev")
	}
	cmd := exec.CommandContext(ctx, "go", "list", "-find", "-json=ImportPath,Dir,Name,Module", "--", info.Path)
	out, err := cmd.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return nil, errors.New("there is no go command to build it with: install Go")
	}
	if err != nil {
		return nil, fmt.Errorf("package %s is not in the module of this folder: run go run . dev where its go.mod is", info.Path)
	}
	var found struct {
		Dir, Name string
		Module    *struct{ Dir string }
	}
	if err := json.Unmarshal(out, &found); err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	if found.Name != "main" || found.Module == nil {
		return nil, fmt.Errorf("package %s is no program of a module", info.Path)
	}
	return &program{Path: info.Path, Dir: found.Dir, Module: found.Module.Dir}, nil
}

// pages is the folder of pages beside the program; empty if there is none.
func (p *program) pages() string {
	dir := filepath.Join(p.Dir, "pages")
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return ""
	}
	return dir
}

// buildError is what the compiler says.
type buildError struct{ Output string }

func (e *buildError) Error() string { return "it does not compile:\n" + e.Output }

// build writes the program's binary to a file and returns its checksum. The error is a *buildError if the source is wrong. It
// blocks while the compiler works.
func (p *program) build(ctx context.Context, to string) (sum [sha256.Size]byte, err error) {
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", to, p.Path)
	cmd.Dir = p.Module
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		if ctx.Err() == nil && said.Len() > 0 {
			err = &buildError{strings.TrimSpace(said.String())}
		}
		return sum, err
	}
	data, err := os.ReadFile(to)
	return sha256.Sum256(data), err
}
