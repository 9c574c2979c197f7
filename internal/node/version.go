package node

import "runtime/debug"

// release is set by the linker in released binaries: -ldflags "-X github.com/roomring/roomring/internal/node.release=v1.2.3".
var release string

// Version returns the release or, in other builds, the module version or commit.
func Version() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return describe(info)
}

// describe names a build by module version or, failing that, by commit.
func describe(info *debug.BuildInfo) string {
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	commit, dirty := "devel", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = "devel-" + s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+changed"
		}
	}
	return commit + dirty
}
