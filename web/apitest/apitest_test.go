package apitest_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/roomring/roomring/web/apitest"
)

// TestCheckFindsFault checks the checker.
func TestCheckFindsFault(t *testing.T) {
	desc := apitest.Load(t)
	jsonType := http.Header{"Content-Type": {"application/json"}}
	problem := http.Header{"Content-Type": {"application/problem+json"}}
	for _, test := range []struct {
		name, method, path, body string
		status                   int
		header                   http.Header
		answer                   string
		ok                       bool
	}{
		{"as described", "GET", "/livez", "", 200, jsonType, `{"status":"live"}`, true},
		{"another member", "GET", "/livez", "", 200, jsonType, `{"status":"live","x":1}`, false},
		{"another value", "GET", "/livez", "", 200, jsonType, `{"status":"dead"}`, false},
		{"another status", "GET", "/livez", "", 201, jsonType, `{"status":"live"}`, false},
		{"another type", "GET", "/livez", "", 200, http.Header{"Content-Type": {"text/plain"}}, "live", false},
		{"a failure", "GET", "/livez", "", 500, problem, `{"type":"urn:roomring:problem:internal","title":"","status":500}`, false},
		{"no problem document", "GET", "/livez", "", 503, jsonType, `{}`, false},
		{"a bad request taken", "POST", "/v1/guest", `{"name":1}`, 201, jsonType, `{"token":"t","player":"p","name":"n"}`, false},
		{"a bad request refused", "POST", "/v1/guest", `{"name":1}`, 400, problem, `{"type":"urn:roomring:problem:x","title":"","status":400}`, true},
		{"not described, taken", "GET", "/v9", "", 200, jsonType, `{}`, false},
		{"not described, refused", "GET", "/v9", "", 404, problem, `{}`, true},
	} {
		r := httptest.NewRequest(test.method, test.path, nil)
		if test.body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		err := desc.Check(r, []byte(test.body), test.status, test.header, []byte(test.answer))
		if (err == nil) != test.ok {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}
