// Salvo is a server for one game: its rules are in game.go, its table is in pages.
package main

import (
	"embed"
	"io/fs"

	"github.com/roomring/roomring"
)

//go:generate go run . types --out pages/types

//go:embed pages
var files embed.FS

func main() {
	pages, err := fs.Sub(files, "pages")
	if err != nil {
		panic(err) // only a malformed name
	}
	roomring.Pages(pages).Main(rules)
}
