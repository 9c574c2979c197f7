package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/roomring/roomring/internal/typegen"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/schema"
)

func newTypes(games *core.Games) *cobra.Command {
	var t typesWriter
	var lang, game string
	cmd := &cobra.Command{
		Use:   "types",
		Short: "Write the types of the games for clients",
		Long: `Types writes a file for each game: what its views, actions, options and events are, in the language of a client. It reads the
Go types of this program. Comments, and the values of types of texts, come from their Go source, which the go command finds from
the folder that this runs in.

In a program of one's own, this line keeps the files with the code:
  //go:generate go run . types --out web`,
		Example: `  roomring types --out src                       # chess.ts, …
  roomring types --out src --check               # exit 1 if they are out of date
  roomring types --out Assets --lang csharp --game chess`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			chosen, err := chooseGames(games, game)
			language, known := typegen.Lookup(lang)
			if err == nil && !known {
				err = fmt.Errorf("--lang %s: choose one of %s", lang, typegen.Names())
			}
			if err != nil {
				return &usageError{cmd.CommandPath(), err}
			}
			t.command = cmd
			return t.run(cmd.Context(), chosen, language)
		},
	}
	f := cmd.Flags()
	f.StringVar(&t.out, "out", ".", "`FOLDER` to write to; it is made if it is not there")
	f.StringVar(&lang, "lang", "ts", "`LANGUAGE` to write: "+typegen.Names())
	f.StringVar(&game, "game", "", "`NAME` of the one game to write; none: all")
	f.BoolVar(&t.check, "check", false, "write nothing, and exit 1 if a file is out of date")
	return cmd
}

func chooseGames(games *core.Games, name string) (chosen []*room.Rules, err error) {
	var all []string
	for rules := range games.All() {
		all = append(all, rules.Spec().Name)
		if name == "" || name == rules.Spec().Name {
			chosen = append(chosen, rules)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("--game %s: this program has %s", name, strings.Join(all, ", "))
	}
	return chosen, nil
}

// typesWriter carries out the command.
type typesWriter struct {
	out     string
	check   bool
	command *cobra.Command
}

// goListTime bounds the wait for the go command.
const goListTime = time.Minute

func (t *typesWriter) run(ctx context.Context, games []*room.Rules, language typegen.Language) error {
	var all []*schema.Game
	for _, rules := range games {
		g, err := schema.Of(rules)
		if err != nil {
			return err
		}
		all = append(all, g)
	}
	src := new(typegen.Source)
	if language.Comments {
		ctx, cancel := context.WithTimeout(ctx, goListTime)
		defer cancel()
		var err error
		if src, err = typegen.ReadSource(ctx, all); err != nil && t.check {
			return fmt.Errorf("the files cannot be checked without the Go source of the types, run this in the program's module: %w", err)
		} else if err != nil {
			fmt.Fprintf(t.command.ErrOrStderr(), "roomring: comments are missing, run this in the program's module: %s\n", printable(oneLine(err)))
		}
	}
	files, err := t.compare(all, language, src)
	if err != nil || t.check {
		return errors.Join(err, t.stale(files))
	}
	return t.write(files)
}

// file is one that is not as it should be.
type typesFile struct {
	path    string
	content []byte
}

// compare makes the files, and returns those that are missing or differ. It refuses to replace what somebody has written by hand.
func (t *typesWriter) compare(games []*schema.Game, language typegen.Language, src *typegen.Source) (stale []typesFile, err error) {
	for _, g := range games {
		name, content, err := language.File(g, src)
		if err != nil {
			return nil, fmt.Errorf("game %s: %w", g.Name, err)
		}
		path := filepath.Join(t.out, name)
		old, err := os.ReadFile(path)
		switch {
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return nil, err
		case err == nil && !typegen.Generated(old):
			return nil, fmt.Errorf("%s was not written by this command: move it away, or choose another --out", path)
		case err != nil || !bytes.Equal(bytes.ReplaceAll(old, []byte("\r\n"), []byte("\n")), content): // Git may have changed the ends of lines
			stale = append(stale, typesFile{path, content})
		}
	}
	return stale, nil
}

func (t *typesWriter) stale(files []typesFile) error {
	if len(files) == 0 {
		return nil
	}
	var names []string
	for _, f := range files {
		names = append(names, f.path)
	}
	return fmt.Errorf("out of date: %s: run this command without --check", strings.Join(names, ", "))
}

func (t *typesWriter) write(files []typesFile) error {
	if err := os.MkdirAll(t.out, 0o777); err != nil {
		return err
	}
	for _, f := range files {
		if err := os.WriteFile(f.path, f.content, 0o666); err != nil {
			return err
		}
		fmt.Fprintf(t.command.OutOrStdout(), "wrote %s\n", f.path)
	}
	return nil
}
