package api_test

import (
	"strings"
	"testing"

	"github.com/roomring/roomring/web/api"
	"github.com/roomring/roomring/web/apitest"
)

func TestEveryRouteIsDescribedAndEveryDescriptionServed(t *testing.T) {
	apitest.CompareRoutes(t, api.Routes(), func(path string) bool {
		return !strings.HasPrefix(path, "/admin/") && !strings.HasPrefix(path, "/debug/") && path != "/metrics"
	})
}
