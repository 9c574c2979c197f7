package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/roomring/roomring/internal/node"
)

func newHealthcheck() *cobra.Command {
	var base string
	var timeout time.Duration
	s := newSettings()
	cmd := &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask a running server whether it is ready",
		Long: `Healthcheck sends GET /readyz to the server on this machine. It exits 0 if the server is ready, and 1 with the reason if
not. It finds the server by the same --listen, --ready-file, ROOMRING_… variables and config file that the server was
started with, or by --url. The public listener does not tell the reason, so healthcheck asks the admin listener: that of the
same settings, or --url.`,
		Example: `  roomring healthcheck
  roomring healthcheck --url http://10.0.0.5:7777
  HEALTHCHECK CMD ["roomring", "healthcheck"]     # in a container file`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.load(); err != nil {
				return &usageError{cmd.CommandPath(), err}
			}
			at, err := s.findServer(base)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			return s.checkReady(ctx, at)
		},
	}
	s.addTo(cmd, "listen", "admin-listen", "admin-token-file", "admin-cert-file", "admin-key-file", "ready-file", "config")
	cmd.Flags().StringVar(&base, "url", "", "`URL` of the server, or of its admin listener, if its settings do not tell it")
	cmd.Flags().DurationVar(&timeout, "timeout", 3*time.Second, "`time` to wait for an answer")
	return cmd
}

// serverURLs are the URLs of a server on this machine.
type serverURLs struct {
	url   string
	admin string // "": unknown
}

// findServer finds the server on this machine: where --url says it is, where its ready file says it is, or where it was told
// to listen.
func (s *settings) findServer(base string) (serverURLs, error) {
	if base != "" {
		return serverURLs{url: strings.TrimRight(base, "/")}, nil
	}
	if text, err := os.ReadFile(s.ReadyFile); s.ReadyFile != "" && err == nil {
		var r node.Ready
		if json.Unmarshal(text, &r) == nil && r.URL != "" {
			return serverURLs{r.URL, r.AdminAt}, nil
		}
	}
	if _, port, _ := net.SplitHostPort(s.Listen); port == "0" {
		return serverURLs{}, fmt.Errorf("--listen %s does not say which port the server got: give its --ready-file (not there yet?) or --url", s.Listen)
	}
	at := serverURLs{url: "http://" + node.Dialable(s.Listen)}
	if _, port, _ := net.SplitHostPort(s.AdminListen); port != "0" {
		at.admin = s.AdminURL(s.AdminListen)
	}
	return at, nil
}

// checkReady returns nil if the public listener says that the server is ready. Otherwise the error has the admin listener's
// reason.
func (s *settings) checkReady(ctx context.Context, at serverURLs) error {
	code, says, err := askReady(ctx, http.DefaultClient, at.url, "")
	switch {
	case err != nil:
		return fmt.Errorf("not reachable: %w", err)
	case code == http.StatusOK:
		return nil
	case at.admin == "":
		return fmt.Errorf("not ready: %s", says)
	}
	why, err := s.askWhy(ctx, at.admin)
	if err != nil {
		return fmt.Errorf("not ready: %s (asked at %s: %w)", says, at.admin, err)
	}
	return fmt.Errorf("not ready: %s", why)
}

// askWhy asks an admin listener why its node is not ready.
func (s *settings) askWhy(ctx context.Context, admin string) (string, error) {
	token, err := firstLine(s.AdminTokenFile)
	if err != nil {
		return "", fmt.Errorf("--admin-token-file: %w", err)
	}
	client, err := s.ownAdminHTTP()
	if err != nil {
		return "", err
	}
	code, says, err := askReady(ctx, client, admin, token)
	if err == nil && code != http.StatusServiceUnavailable {
		err = errors.New(says)
	}
	return says, err
}

// askReady asks one listener. It returns the status code, and the status with the text for people.
func askReady(ctx context.Context, client *http.Client, base, token string) (code int, says string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/readyz", nil)
	if err != nil {
		return 0, "", fmt.Errorf("--url: %w", err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = res.Body.Close() }()
	body, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10)) // the status alone says enough
	return res.StatusCode, res.Status + " " + problemDetail(body), nil
}

// problemDetail returns the text for people in an RFC 9457 document, or else the body.
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
