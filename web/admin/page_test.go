package admin_test

import (
	"strings"
	"testing"

	"github.com/roomring/roomring/web/admin"
	"github.com/roomring/roomring/web/internal/webtest"
)

func TestTheAdminPageNeedsNoTokenAndIsUnderAStrictPolicy(t *testing.T) {
	a := webtest.StartAdmin(t, func(o *admin.Options) { o.Token = "open sesame" })
	files := webtest.Loads(a, "/admin/")
	if len(files) < 5 {
		t.Errorf("the page loads only %d files", len(files))
	}
	policy := files["/admin/"].Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "script-src 'self'; style-src 'self';") || !strings.Contains(policy, "connect-src 'self';") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q", policy)
	}
	a.Refused(404, "", "GET", "/assets/admin.html", "")
	for _, path := range []string{"/admin", "/admin/v1/nodes", "/assets/../metrics", "/assets/..%2Fmetrics", "//admin/", "/admin//"} {
		if got := a.Ask("GET", path, ""); got.StatusCode != 401 && got.StatusCode != 404 {
			t.Errorf("%s without the token: %d", path, got.StatusCode)
		}
	}
	a.Want(421, "GET", "/admin/", "", "Host: evil.example")
	webtest.StartAPI(t, nil).Refused(404, "", "GET", "/admin/", "")
}
