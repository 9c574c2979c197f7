package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/roomring/roomring/internal/node"
	"github.com/roomring/roomring/room/core"
)

func newServe(games *core.Games, p Program) *cobra.Command {
	s := newSettings()
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run a server",
		Long: `Serve runs one node: rooms, the WebSocket endpoint, the HTTP API and, on an address of its own,
the admin API. Without flags it listens on port 7777, lets guests in, and keeps everything in
./roomring-data. SIGTERM or SIGINT stops it. A node of a cluster then gives its live rooms to the other nodes; a single
node keeps them for its next start.

Every flag is also a variable (--max-rooms is ROOMRING_MAX_ROOMS) and a key of the --config file
(max-rooms: 500). A flag overrides a variable, which overrides the file, which overrides the default.`,
		Example: `  roomring serve
  roomring serve --listen 127.0.0.1:0 --ready-file /run/roomring.json
  roomring serve --store postgres://roomring@db/roomring --auth-key-file /etc/roomring/key
  roomring serve --public-url https://play.example.com --trusted-proxies 10.0.0.0/8
  ROOMRING_LOG_FORMAT=json roomring serve --config /etc/roomring.yaml`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.load(); err != nil {
				return &usageError{cmd.CommandPath(), err}
			}
			ctx, cancel := untilSignal(cmd.Context())
			defer cancel()
			log := newLogger(cmd.ErrOrStderr(), s.LogFormat, s.LogLevel)
			traces, end, err := startTracing(ctx, &s.Config, log)
			if err != nil {
				return &usageError{cmd.CommandPath(), err}
			}
			defer end()
			return serve(ctx, node.Options{Config: &s.Config, Games: games, Pages: p.Pages, Log: log, Tracing: traces})
		},
	}
	s.addTo(cmd)
	cmd.SetUsageFunc(s.usage)
	return cmd
}

// usage prints the flags under their headings.
func (s *settings) usage(cmd *cobra.Command) error {
	var b strings.Builder
	b.WriteString("Usage:\n  " + cmd.UseLine() + "\n\nExamples:\n" + cmd.Example + "\n")
	for _, g := range s.groups {
		b.WriteString("\n" + g.title + ":\n" + g.FlagUsages())
	}
	_, err := io.WriteString(cmd.OutOrStdout(), b.String())
	return err
}

// untilSignal returns a context that ends at the first SIGINT or SIGTERM. A second signal kills the process as usual.
func untilSignal(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := signal.NotifyContext(parent, syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, cancel)
	return ctx, cancel
}

// serve runs a node until ctx ends. It returns an error if the node cannot start, or can no longer serve.
func serve(ctx context.Context, opts node.Options) error {
	n, err := node.Open(ctx, opts)
	if errors.Is(err, context.Canceled) {
		return nil // a signal came while the node started
	}
	if err != nil {
		return err
	}
	defer reloadOnHangup(n)()
	return n.Run(ctx)
}

// reloadOnHangup reads the cluster's secrets again at each SIGHUP, until the returned function is called.
func reloadOnHangup(n *node.Node) (stop func()) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range hangups {
			n.Reload()
		}
	}()
	return func() { signal.Stop(hangups); close(hangups); <-done }
}
