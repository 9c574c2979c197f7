package admin

import (
	"strings"

	"github.com/roomring/roomring/web/internal/assets"
	"github.com/roomring/roomring/web/metrics"
)

// Routes are the method and path of all that is served, as docs/openapi.yaml writes them.
func Routes() (out []string) {
	for _, rt := range (&handler{opts: Options{Metrics: metrics.New()}, pages: new(assets.Site)}).routes() {
		out = append(out, rt.Method+" "+strings.ReplaceAll(rt.Path, "{$}", ""))
	}
	return out
}
