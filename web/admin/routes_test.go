package admin_test

import (
	"strings"
	"testing"

	"github.com/roomring/roomring/web/admin"
	"github.com/roomring/roomring/web/apitest"
)

func TestEveryRouteIsDescribedAndEveryDescriptionServed(t *testing.T) {
	apitest.CompareRoutes(t, admin.Routes(), func(path string) bool {
		return strings.HasPrefix(path, "/admin/") || strings.HasPrefix(path, "/debug/") || path == "/metrics" || path == "/readyz"
	})
}
