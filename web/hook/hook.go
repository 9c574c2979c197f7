// Package hook sends events to other servers as webhooks: JSON by POST, signed by the rules of https://www.standardwebhooks.com.
package hook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"code.dny.dev/ssrf"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/roomring/roomring/room/record"
)

// Options make a Target. URL and Secrets are needed.
type Options struct {
	URL     string   // see ParseURL
	Secrets []string // see ParseSecrets
	// AllowPrivate lets the host be at an address that is not of the public internet: loopback, link-local, private. Otherwise the
	// connection is refused after the name was looked up, so a name that points elsewhere later is caught too.
	AllowPrivate bool
	Parallel     int   // connections that are kept for the next event; 0 means 16
	MaxAnswer    int64 // bytes of an answer that are read, and thrown away; 0 means 64 KiB
}

// Target is one receiver. Any goroutine may use it.
type Target struct {
	url     *url.URL
	signers []*standardwebhooks.Webhook
	client  *http.Client
	most    int64
}

// New makes a target. The error says what is wrong and repeats nothing secret.
func New(o Options) (*Target, error) {
	u, err := ParseURL(o.URL)
	if err != nil {
		return nil, err
	}
	t := &Target{url: u, most: o.MaxAnswer}
	if t.most <= 0 {
		t.most = 64 << 10
	}
	if len(o.Secrets) == 0 {
		return nil, errors.New("a webhook needs a secret to sign with")
	}
	for _, secret := range o.Secrets {
		signer, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			return nil, errBadSecret
		}
		t.signers = append(t.signers, signer)
	}
	dialer := &net.Dialer{}
	if !o.AllowPrivate {
		dialer.Control = ssrf.New(ssrf.WithAnyPort()).Safe
	}
	if o.Parallel <= 0 {
		o.Parallel = 16
	}
	t.client = &http.Client{
		// An answer that leads elsewhere would lead past the operator's choice, and a POST that is redirected may lose its body.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{ // without a proxy from the environment: it would dial what is refused here
			DialContext: dialer.DialContext, ForceAttemptHTTP2: true, DisableCompression: true,
			MaxIdleConnsPerHost: o.Parallel, IdleConnTimeout: 90 * time.Second, MaxResponseHeaderBytes: 64 << 10,
		},
	}
	return t, nil
}

// ParseURL parses a target's URL: http or https, with a host. The error does not repeat it, because it may hold a password.
func ParseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("give an http or https URL with a host, such as https://example.com/hooks")
	case u.Fragment != "":
		return nil, errors.New("give a URL without a fragment (#…)")
	}
	return u, nil
}

// String is the target's URL without what may be secret in it: user, password and query.
func (t *Target) String() string {
	bare := url.URL{Scheme: t.url.Scheme, Host: t.url.Host, Path: t.url.Path}
	return bare.String()
}

// Plain reports whether events travel unencrypted.
func (t *Target) Plain() bool { return t.url.Scheme == "http" }

// Close closes idle connections.
func (t *Target) Close() { t.client.CloseIdleConnections() }

// Body is the JSON of an event as targets receive it.
func Body(e record.Event) ([]byte, error) {
	return json.Marshal(struct {
		Type      record.EventKind `json:"type"`
		Timestamp time.Time        `json:"timestamp"`
		Data      record.Event     `json:"data"`
	}{e.Kind, e.At, e})
}

// Send posts an event. It blocks until the target has answered or ctx ends. Only an answer of 2xx is success. The error says what to
// look at; it repeats nothing of the answer's body, nor of the URL.
func (t *Target) Send(ctx context.Context, e record.Event) error {
	body, err := Body(e)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url.String(), bytes.NewReader(body))
	if err != nil {
		return errors.New("its URL cannot be requested")
	}
	now := time.Now()
	signature, err := t.sign(e.ID, now, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "roomring")
	req.Header.Set(standardwebhooks.HeaderWebhookID, e.ID)
	req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	req.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	res, err := t.client.Do(req)
	if err != nil {
		return plainError(err)
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, t.most) // the connection can be used again if that was all
	switch code := res.StatusCode; {
	case code >= 200 && code < 300:
		return nil
	case code >= 300 && code < 400:
		return fmt.Errorf("answered %d: redirects are not followed, configure the URL that it leads to", code)
	default:
		return fmt.Errorf("answered %d", code)
	}
}

// sign signs with every secret, so that a receiver can change from one to the next.
func (t *Target) sign(id string, at time.Time, body []byte) (string, error) {
	var all []string
	for _, s := range t.signers {
		one, err := s.Sign(id, at, body)
		if err != nil {
			return "", errors.New("the event cannot be signed")
		}
		all = append(all, one)
	}
	return strings.Join(all, " "), nil
}

// plainError is why a request failed, without the URL that the standard library puts before it.
func plainError(err error) error {
	if of, ok := errors.AsType[*url.Error](err); ok {
		err = of.Err
	}
	switch {
	case errors.Is(err, ssrf.ErrProhibitedIP):
		return errors.New("its host is at a private address, which is refused: --webhook-allow-private allows it")
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("did not answer in time")
	}
	return err
}
