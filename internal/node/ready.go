package node

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
)

// Ready tells programs that started this one where it is. The first log line and --ready-file both say it.
type Ready struct {
	Node    string `json:"node"`
	Version string `json:"version"`
	PID     int    `json:"pid"`
	Listen  string `json:"listen"`
	Admin   string `json:"admin_listen"`
	Peer    string `json:"peer_listen,omitempty"`
	Gossip  string `json:"gossip_listen,omitempty"`
	URL     string `json:"url"`       // for programs on this machine
	AdminAt string `json:"admin_url"` // likewise
}

func newReady(cfg *Config, ends *endpoints) Ready {
	r := Ready{Node: cfg.nodeName(), Version: Version(), PID: os.Getpid(), Gossip: ends.gossip}
	if ends.public != nil {
		r.Listen = ends.public.Addr().String()
		r.URL = "http://" + Dialable(r.Listen)
	}
	if ends.admin != nil {
		r.Admin = ends.admin.Addr().String()
		r.AdminAt = cfg.AdminURL(r.Admin)
	}
	if ends.peer != nil {
		r.Peer = ends.peer.Addr().String()
	}
	return r
}

// log writes the line that must be a server's first.
func (r Ready) log(log *slog.Logger) {
	var about []any
	if r.Listen != "" {
		about = append(about, "url", r.URL, "listen", r.Listen)
	}
	if r.Admin != "" {
		about = append(about, "admin_listen", r.Admin)
	}
	if r.Peer != "" {
		about = append(about, "peer_listen", r.Peer, "gossip_listen", r.Gossip)
	}
	log.Info("listening", append(about, "node", r.Node, "version", r.Version, "pid", r.PID)...)
}

// write puts r where --ready-file says, whole or not at all.
func (r Ready) write(path string) error {
	if path == "" {
		return nil
	}
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("--ready-file: %w", err)
	}
	defer func() { _ = os.Remove(temp.Name()) }() // gone already when all went well
	_, err = temp.Write(append(text, '\n'))
	if closed := temp.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("--ready-file: %w", err)
	}
	return nil
}

// remove takes the file away, so that nobody waits for a server that has gone.
func (r Ready) remove(path string) {
	if path != "" {
		_ = os.Remove(path)
	}
}
