// Command site writes the documentation as a web site into a folder, which its argument names.
package main

import (
	"fmt"
	"os"

	"github.com/roomring/roomring/docs"
	"github.com/roomring/roomring/internal/docsite"
)

func main() {
	dir := "site"
	if len(os.Args) > 1 {
		dir = os.Args[1]
	}
	site, err := docsite.Build(docs.Pages)
	if err == nil {
		err = site.Write(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "site:", err)
		os.Exit(1)
	}
	fmt.Printf("site: %d files in %s\n", len(site), dir)
}
