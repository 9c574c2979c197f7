package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
)

// Operate runs `roomring admin` against the server in this process.
func (s *Server) Operate(args ...string) (code int, out, errs string) {
	var stdout, stderr bytes.Buffer
	code = Run(append([]string{"admin", "--admin", s.AdminAt}, args...), &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

// OperateUntil runs `roomring admin` until it succeeds with all words in its output, which it returns: a busy
// machine may cut a link for a moment.
func (s *Server) OperateUntil(ctx context.Context, words []string, args ...string) (out string) {
	s.T.Helper()
	var code int
	var errs string
	for code, out, errs = s.Operate(args...); code != ExitOK || !Mentions(out, words...); code, out, errs = s.Operate(args...) {
		if ctx.Err() != nil {
			s.T.Fatalf("admin %v: exit %d, want %q in\n%s%s", args, code, words, out, errs)
		}
	}
	return out
}

// Metric adds up one metric of /metrics over its labels, if the name has none; 0 if it is not there.
func (s *Server) Metric(name string) (sum float64) {
	s.T.Helper()
	var text []byte
	if code := s.AtAdmin("GET", "/metrics", nil, &text); code != http.StatusOK {
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
