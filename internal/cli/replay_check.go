package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/roomring/roomring/room/core"
)

// checked is what replay --check prints of a file.
type checked struct {
	File    string `json:"file"`
	Differs string `json:"differs,omitempty"` // at which input, and how; empty: these rules play it as it was played
}

// checkReplays runs logs again. The error counts those that these rules play differently.
func checkReplays(w io.Writer, games *core.Games, files []string) error {
	differ := 0
	for _, file := range files {
		line := checked{File: file}
		if err := checkReplay(games, file); err != nil {
			line.Differs = err.Error()
			differ++
		}
		if err := json.NewEncoder(w).Encode(line); err != nil {
			return err
		}
	}
	if differ > 0 {
		return fmt.Errorf("these rules play %d of %d logs differently", differ, len(files))
	}
	return nil
}

// checkReplay runs one log. A log of an older version of the rules differs only if these cannot take it over.
func checkReplay(games *core.Games, file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	err = (&replayPrinter{out: io.Discard}).replay(games, data)
	if old, ok := errors.AsType[*core.VersionError](err); ok && old.Need < old.Have {
		return nil
	}
	return err
}
