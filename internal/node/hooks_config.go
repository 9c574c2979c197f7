package node

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web/hook"
)

// webhook is one target as it is configured.
type webhook struct {
	Name       string   `yaml:"name"`
	URL        string   `yaml:"url"`
	SecretFile string   `yaml:"secret-file"`
	Events     []string `yaml:"events"`
}

// The names of targets that have none of their own.
const (
	flagTarget    = "webhook" // that of --webhook
	programTarget = "program" // the program around the node
)

var targetName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// validateHooks checks what can be checked without reading files.
func (c *Config) validateHooks() error {
	switch {
	case c.Webhook == "" && c.WebhookSecretFile != "":
		return errors.New("--webhook-secret-file is the secret of --webhook: add it, or name the file in --webhooks")
	case c.Webhook != "" && c.WebhookSecretFile == "":
		return errors.New("--webhook needs --webhook-secret-file: receivers tell by the signature that an event is from this server")
	}
	if c.Webhook != "" {
		if _, err := hook.ParseURL(c.Webhook); err != nil {
			return fmt.Errorf("--webhook: %w", err)
		}
	}
	if _, err := eventKinds(c.WebhookEvents); err != nil {
		return fmt.Errorf("--webhook-events: %w", err)
	}
	return nil
}

// eventKinds parses the names of kinds.
func eventKinds(names []string) (kinds []record.EventKind, err error) {
	for _, name := range names {
		kind := record.EventKind(strings.TrimSpace(name))
		if !slices.Contains(record.EventKinds, kind) {
			return nil, fmt.Errorf("%q is no kind of event: choose from %s", name, kindList())
		}
		if !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	if len(kinds) == 0 {
		return nil, fmt.Errorf("name at least one kind of event: %s", kindList())
	}
	return kinds, nil
}

func kindList() string {
	var names []string
	for _, k := range record.EventKinds {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

// webhooks returns the targets that are configured.
func (c *Config) webhooks() (all []webhook, err error) {
	if c.Webhook != "" {
		all = append(all, webhook{flagTarget, c.Webhook, c.WebhookSecretFile, c.WebhookEvents})
	}
	if c.WebhooksFile == "" {
		return all, nil
	}
	text, err := os.ReadFile(c.WebhooksFile)
	if err != nil {
		return nil, fmt.Errorf("--webhooks: %w", err)
	}
	var more []webhook
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&more); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("--webhooks %s: it is a list in YAML of name, url, secret-file and events: %s", c.WebhooksFile, strings.Join(strings.Fields(err.Error()), " "))
	}
	for _, h := range more {
		taken := func(o webhook) bool { return o.Name == h.Name }
		switch {
		case !targetName.MatchString(h.Name) || h.Name == flagTarget || h.Name == programTarget:
			return nil, fmt.Errorf("--webhooks %s: %q is no name: use a-z, 0-9 and -, up to 32, but not %q or %q", c.WebhooksFile, h.Name, flagTarget, programTarget)
		case slices.ContainsFunc(all, taken):
			return nil, fmt.Errorf("--webhooks %s: two have the name %s", c.WebhooksFile, h.Name)
		case h.SecretFile == "":
			return nil, fmt.Errorf("--webhooks %s: %s needs a secret-file", c.WebhooksFile, h.Name)
		}
		all = append(all, h)
	}
	return all, nil
}

// target is somebody who is told events.
type target struct {
	persist.Subscriber
	hook *hook.Target // nil: it is the program
}

// readHooks reads the secrets of webhooks and makes their targets.
func (n *Node) readHooks() error {
	configured, err := n.cfg.webhooks()
	if err != nil {
		return err
	}
	for _, h := range configured {
		kinds, err := eventKinds(h.Events)
		if err != nil {
			return fmt.Errorf("webhook %s: %w", h.Name, err)
		}
		text, err := os.ReadFile(h.SecretFile)
		if err != nil {
			return fmt.Errorf("webhook %s: its secret: %w", h.Name, err)
		}
		secrets, err := hook.ParseSecrets(string(text))
		if err != nil {
			return fmt.Errorf("webhook %s: %s: %w", h.Name, h.SecretFile, err)
		}
		to, err := hook.New(hook.Options{URL: h.URL, Secrets: secrets, AllowPrivate: n.cfg.WebhookAllowPrivate, Parallel: n.cfg.WebhookParallel})
		if err != nil {
			return fmt.Errorf("webhook %s: %w", h.Name, err)
		}
		n.targets = append(n.targets, target{persist.Subscriber{Target: h.Name, Kinds: kinds}, to})
	}
	if n.onEvent != nil {
		n.targets = append(n.targets, target{Subscriber: persist.Subscriber{Target: programTarget, Kinds: n.eventKinds}})
	}
	return nil
}

// subscribers are the targets as the store knows them.
func (n *Node) subscribers() (all []persist.Subscriber) {
	for _, t := range n.targets {
		all = append(all, t.Subscriber)
	}
	return all
}
