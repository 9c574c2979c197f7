package node

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
)

// Ready tells the program that started this one where to reach it. The first log line and --ready-file contain it.
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

func newReady(cfg *Config, listeners *listeners) Ready {
	r := Ready{Node: cfg.Name(), Version: Version(), PID: os.Getpid(), Gossip: listeners.gossip}
	if listeners.public != nil {
		r.Listen = listeners.public.Addr().String()
		r.URL = "http://" + Dialable(r.Listen)
	}
	if listeners.admin != nil {
		r.Admin = listeners.admin.Addr().String()
		r.AdminAt = cfg.AdminURL(r.Admin)
	}
	if listeners.peer != nil {
		r.Peer = listeners.peer.Addr().String()
	}
	return r
}

// log writes the line that must come first in a server's log.
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

// write writes r to the --ready-file, whole or not at all.
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
	defer func() { _ = os.Remove(temp.Name()) }() // after success the file has its final name already
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

// remove deletes the file, so that nobody connects to a server that has stopped.
func (r Ready) remove(path string) {
	if path != "" {
		_ = os.Remove(path)
	}
}
