package api

import (
	"strings"

	"github.com/roomring/roomring/web/internal/assets"
)

// Routes are the method and path of all that a server serves, as docs/openapi.yaml writes them.
func Routes() (out []string) {
	for _, rt := range (&Server{pages: new(assets.Site)}).routes() {
		out = append(out, rt.Method+" "+strings.ReplaceAll(rt.Path, "{$}", ""))
	}
	return out
}
