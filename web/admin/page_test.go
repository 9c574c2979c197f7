package admin_test

import (
	"strings"
	"testing"

	"github.com/roomring/roomring/web/admin"
	"github.com/roomring/roomring/web/internal/webtest"
)

func TestTheAdminPageNeedsNoTokenAndIsUnderAStrictPolicy(t *testing.T) {
	a := webtest.StartAdmin(t, func(o *admin.Options) { o.Token = "open sesame" })
	inspector := "/admin/inspect/" + string(webtest.RoomID)
	files := webtest.Loads(a, "/admin/", inspector)
	if len(files) < 5 {
		t.Errorf("the page loads only %d files", len(files))
	}
	for _, page := range []string{"/admin/", inspector} {
		policy := files[page].Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "script-src 'self'; style-src 'self';") || !strings.Contains(policy, "connect-src 'self';") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", page, policy)
		}
	}
	a.Refused(404, "", "GET", "/assets/admin.html", "")
	for _, path := range []string{"/admin", "/admin/v1/nodes", "/assets/../metrics", "/assets/..%2Fmetrics", "//admin/", "/admin//", "/admin/inspect", "/admin/inspect/", "/admin/inspect/../v1/nodes", "/admin/inspect/..%2Fv1%2Fnodes", inspector + "/log"} {
		if got := a.Ask("GET", path, ""); got.StatusCode != 401 && got.StatusCode != 404 {
			t.Errorf("%s without the token: %d", path, got.StatusCode)
		}
	}
	a.Want(421, "GET", "/admin/", "", "Host: evil.example")
	for _, page := range []string{"/admin/", inspector} {
		webtest.StartAPI(t, nil).Refused(404, "", "GET", page, "")
	}
}
