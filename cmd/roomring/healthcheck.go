package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func newHealthcheck() *cobra.Command {
	var base string
	var timeout time.Duration
	s := newSettings()
	cmd := &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask a running server whether it is ready",
		Long: `Healthcheck asks GET /readyz of the server on this machine and exits 0 when it is ready, 1 with
the reason when it is not. It finds the server by the same --listen, --ready-file, ROOMRING_… variables
and config file that the server was started with, or by --url.`,
		Example: `  roomring healthcheck
  roomring healthcheck --url http://10.0.0.5:7777
  HEALTHCHECK CMD ["roomring", "healthcheck"]     # in a container file`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.load(); err != nil {
				return &usageError{cmd.CommandPath(), err}
			}
			url, err := s.serverURL(base)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			return checkReady(ctx, url)
		},
	}
	s.lend(cmd, "listen", "ready-file", "config")
	cmd.Flags().StringVar(&base, "url", "", "`URL` of the server, when it is not found by its settings")
	cmd.Flags().DurationVar(&timeout, "timeout", 3*time.Second, "`time` to wait for an answer")
	return cmd
}

// serverURL finds the server on this machine: where it was said to be, where its ready file says
// it is, or where it was told to listen.
func (s *settings) serverURL(base string) (string, error) {
	if base != "" {
		return strings.TrimRight(base, "/"), nil
	}
	if text, err := os.ReadFile(s.ReadyFile); s.ReadyFile != "" && err == nil {
		var r ready
		if json.Unmarshal(text, &r) == nil && r.URL != "" {
			return r.URL, nil
		}
	}
	if _, port, _ := net.SplitHostPort(s.Listen); port == "0" {
		return "", fmt.Errorf("--listen %s does not say which port the server got: give its --ready-file (not there yet?) or --url", s.Listen)
	}
	return "http://" + dialable(s.Listen), nil
}

// checkReady is nil when the server at base answers that it is ready.
func checkReady(ctx context.Context, base string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/readyz", nil)
	if err != nil {
		return fmt.Errorf("--url: %w", err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("not reachable: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode == http.StatusOK {
		return nil
	}
	body, _ := io.ReadAll(io.LimitReader(res.Body, 4<<10)) // the status alone says enough
	return fmt.Errorf("not ready: %s %s", res.Status, problemDetail(body))
}

// problemDetail is what an RFC 9457 document says to people, or the body as it is.
func problemDetail(body []byte) string {
	var problem struct{ Title, Detail string }
	if json.Unmarshal(body, &problem) != nil {
		return string(body)
	}
	if problem.Detail != "" {
		return problem.Detail
	}
	return problem.Title
}
