package web

import (
	"embed"
	"io/fs"
)

// The pages and the SDK are built from sources in TypeScript beside them, and committed, so that building the server
// needs Go alone: scripts/pages and scripts/sdk make them.
//
//go:embed pages/dist sdk/dist/*.js sdk/dist/*.ts
var built embed.FS

// Pages are the built-in pages, of players and of the operator.
func Pages() fs.FS { return builtFolder("pages/dist") }

// SDK is what programs in JavaScript import.
func SDK() fs.FS { return builtFolder("sdk/dist") }

func builtFolder(name string) fs.FS {
	folder, err := fs.Sub(built, name)
	if err != nil {
		panic(err) // only a malformed name
	}
	return folder
}
