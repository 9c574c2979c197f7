//go:build unix

package torture

import (
	"os/exec"

	"github.com/roomring/roomring/persist/pgserver"
)

// newStoreServer starts a PostgreSQL of the run's own, on a host of its own if there are any.
func newStoreServer(w *wires) (storeServer, error) {
	var o pgserver.Options
	host := 0
	if w != nil {
		var err error
		if host, err = w.Add(); err != nil {
			return nil, err
		}
		o.Host = w.addr(host)
		o.Start = func(cmd *exec.Cmd) error { return w.Inside(host, cmd.Start) }
		o.Dial = w.reach
	}
	own, err := pgserver.New(o)
	if err != nil {
		return nil, err
	}
	url, err := own.NewDatabase()
	if err != nil {
		own.Remove()
		return nil, err
	}
	return &postgres{own, url, host}, nil
}

// postgres is a PostgreSQL of the run's own.
type postgres struct {
	own *pgserver.Server
	at  string
	on  int
}

func (p *postgres) url() string   { return p.at }
func (p *postgres) host() int     { return p.on }
func (p *postgres) stop() error   { return p.own.Stop() }
func (p *postgres) crash() error  { return p.own.Crash() }
func (p *postgres) kill() error   { return p.own.Kill() }
func (p *postgres) pause() error  { return p.own.Pause() }
func (p *postgres) resume() error { return p.own.Resume() }
func (p *postgres) remove()       { p.own.Remove() }

func (p *postgres) start() error {
	if p.own.Running() {
		return nil
	}
	return p.own.Start()
}
