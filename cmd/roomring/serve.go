package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/roomring/roomring/room/core"
)

func newServe() *cobra.Command {
	s := newSettings()
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run a server",
		Long: `Serve runs one node: rooms, the WebSocket endpoint, the HTTP API and, on an address of its own,
the admin API. With no flags it listens on port 7777, lets guests in, and keeps everything in
./roomring-data. SIGTERM or SIGINT stops it: a node of a cluster gives its live rooms to the others; one by
itself keeps them for its next start.

Every flag is also a variable (--max-rooms is ROOMRING_MAX_ROOMS) and a key of the --config file
(max-rooms: 500). A flag outranks a variable, a variable the file, the file the default.`,
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
			games, err := builtin()
			if err != nil {
				return err
			}
			return serve(ctx, &s.Config, newLogger(cmd.ErrOrStderr(), s.LogFormat, s.LogLevel), games)
		},
	}
	s.lend(cmd)
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

// untilSignal ends its context at the first SIGINT or SIGTERM; a second one kills the process as usual.
func untilSignal(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := signal.NotifyContext(parent, syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, cancel)
	return ctx, cancel
}

// serve runs a node until ctx ends, or until it may serve no longer, which is an error.
func serve(ctx context.Context, cfg *Config, log *slog.Logger, games *core.Games) error {
	if err := checkGames(games); err != nil {
		return err
	}
	ends, err := listen(ctx, cfg)
	if err != nil {
		return err
	}
	defer ends.Close()
	at := newReady(cfg, ends)
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	announce := sync.OnceFunc(func() { at.log(log) })
	n, err := openNode(ctx, cfg, ends, slog.New(preceded{log.Handler(), announce}), games, fail)
	if err != nil && ctx.Err() != nil {
		log.Info("stopped before everything was up", "at", err)
		return failure(ctx)
	}
	if err != nil {
		return err
	}
	defer n.close(context.WithoutCancel(ctx))
	public, err := n.publicHandler()
	if err != nil {
		return err
	}
	admin, err := n.adminHandler()
	if err != nil {
		return err
	}
	announce()
	warnOfGames(log, games)
	if cfg.StoreExposed {
		log.Warn("the store's password stands on the command line, which everybody on this machine can read: give --store-file, or PGPASSFILE")
	}
	if !loopback(ends.admin.Addr()) && n.admins == nil {
		log.Warn("the admin listener can be reached from other machines and speaks plain HTTP, in which its token and hidden state can be read on the way: give --admin-cert-file and --admin-key-file, or listen on 127.0.0.1", "admin_listen", at.Admin)
	}
	if err := at.write(cfg.ReadyFile); err != nil {
		return err
	}
	defer at.remove(cfg.ReadyFile)
	defer n.reloadOnHangup()()
	answering, quiet := context.WithCancel(context.WithoutCancel(ctx)) // longer than ctx: a node that gives its rooms away still answers
	defer quiet()
	var wg sync.WaitGroup
	wg.Go(func() { n.join(ctx) })
	wg.Go(func() {
		<-ctx.Done()
		at.remove(cfg.ReadyFile)
		n.drain(context.WithoutCancel(ctx))
		quiet()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
		defer cancel()
		n.close(grace)
	})
	err = ends.serve(answering, n, public, admin)
	if err == nil {
		err = failure(ctx)
	}
	fail(err)
	wg.Wait()
	log.Info("stopped")
	return err
}

// failure is why a node that was not told to stop does so all the same.
func failure(ctx context.Context) error {
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
