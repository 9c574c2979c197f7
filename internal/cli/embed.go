package cli

import (
	"fmt"
	"maps"
	"slices"

	"github.com/roomring/roomring/internal/node"
)

// Defaults returns a node's configuration from the defaults and some settings, by the names of their flags. It reads no
// variables, and no file except --store-file. Change may change the configuration before it is checked. The error names the
// setting at fault.
func Defaults(values map[string]string, change func(*node.Config)) (*node.Config, error) {
	s := newSettings()
	for _, name := range slices.Sorted(maps.Keys(values)) {
		f := s.all.Lookup(name)
		switch {
		case f == nil:
			return nil, fmt.Errorf("%q is no setting: docs/CONFIG.md lists them%s", name, s.suggest(name))
		case name == "config" || name == "log-format" || name == "log-level":
			return nil, fmt.Errorf("--%s is for the command line", name)
		}
		if err := assign(f, values[name]); err != nil {
			return nil, fmt.Errorf("--%s: %w", name, err)
		}
	}
	change(&s.Config)
	if err := s.readStore(); err != nil {
		return nil, err
	}
	return &s.Config, s.Validate()
}
