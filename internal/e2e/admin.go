package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
)

// RunAdmin runs `roomring admin` against the server in this process.
func (s *Server) RunAdmin(args ...string) (code int, out, errs string) {
	var stdout, stderr bytes.Buffer
	code = Run(append([]string{"admin", "--admin", s.AdminAt}, args...), &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

// RunAdminUntil runs `roomring admin` until it succeeds and its output has all the words. It returns the output. It tries again
// because a link may break for a moment on a busy machine. It fails the test when ctx ends.
func (s *Server) RunAdminUntil(ctx context.Context, words []string, args ...string) (out string) {
	s.T.Helper()
	var code int
	var errs string
	for code, out, errs = s.RunAdmin(args...); code != ExitOK || !Mentions(out, words...); code, out, errs = s.RunAdmin(args...) {
		if ctx.Err() != nil {
			s.T.Fatalf("admin %v: exit %d, want %q in\n%s%s", args, code, words, out, errs)
		}
	}
	return out
}

// Metric returns the value of a metric of /metrics, summed over all labels unless name contains labels. It returns 0 if the metric
// is missing.
func (s *Server) Metric(name string) (sum float64) {
	s.T.Helper()
	var text []byte
	if code := s.CallAdmin("GET", "/metrics", nil, &text); code != http.StatusOK {
		s.T.Fatalf("GET /metrics: %d", code)
	}
	for _, found := range regexp.MustCompile(fmt.Sprintf(`(?m)^%s(?:\{.*\})? (\S+)$`, regexp.QuoteMeta(name))).FindAllSubmatch(text, -1) {
		v, err := strconv.ParseFloat(string(found[1]), 64)
		if err != nil {
			s.T.Fatalf("%s: %v", name, err)
		}
		sum += v
	}
	return sum
}
