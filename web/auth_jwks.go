package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"
)

// JWKSOptions say where keys are fetched from and how often.
type JWKSOptions struct {
	URL string // https, or http on loopback
	// Interval between fetches; 0 means 15 min.
	Interval time.Duration
	// MinGap is the least time between two fetches, however many tokens name unknown keys; 0 means 30 s.
	// A first fetch that failed is tried again after 1 s, and then after twice the time before, up to Interval.
	MinGap time.Duration
	// Timeout of one fetch; 0 means 10 s.
	Timeout time.Duration
	// MaxBytes of an answer; 0 means 256 KiB.
	MaxBytes int64
	// Client fetches; nil means one that follows no redirect.
	Client *http.Client
	Log    *slog.Logger // nil: nothing is logged
}

// JWKS are the keys behind a URL. The last good set is kept for as long as newer ones cannot be had.
// One goroutine, Run, fetches; the others read what it has, and ask it for more when a token names an unknown key.
type JWKS struct {
	opts JWKSOptions
	set  atomic.Pointer[Keys]
	asks chan chan struct{} // unbuffered: each is answered by Run, which closes it
}

// NewJWKS checks the options. Nothing is fetched before Run.
func NewJWKS(opts JWKSOptions) (*JWKS, error) {
	if err := checkKeyURL(opts.URL); err != nil {
		return nil, err
	}
	setDefault(&opts.Interval, 15*time.Minute)
	setDefault(&opts.MinGap, 30*time.Second)
	setDefault(&opts.Timeout, 10*time.Second)
	setDefault(&opts.MaxBytes, 256<<10)
	setDefault(&opts.Log, slog.New(slog.DiscardHandler))
	setDefault(&opts.Client, &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}})
	return &JWKS{opts: opts, asks: make(chan chan struct{})}, nil
}

func setDefault[T comparable](to *T, value T) {
	var zero T
	if *to == zero {
		*to = value
	}
}

// checkKeyURL insists on https: whoever can change the keys on their way can be any player.
func checkKeyURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return errors.New("the JWKS address is no absolute URL")
	}
	ip := net.ParseIP(u.Hostname())
	local := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	if u.Scheme == "https" || u.Scheme == "http" && local {
		return nil
	}
	return errors.New("the JWKS address must be https (or http on loopback)")
}

// Find returns the keys of an id. For an unknown id it asks for a fetch and waits for it, until ctx ends.
func (j *JWKS) Find(ctx context.Context, id string) ([]Key, error) {
	if found := j.known(id); len(found) > 0 {
		return found, nil
	}
	answer := make(chan struct{})
	select {
	case j.asks <- answer:
	case <-ctx.Done():
		return nil, ErrNoKeys
	}
	select {
	case <-answer:
	case <-ctx.Done():
		return nil, ErrNoKeys
	}
	if j.set.Load() == nil {
		return nil, ErrNoKeys
	}
	return j.known(id), nil
}

func (j *JWKS) known(id string) []Key {
	if set := j.set.Load(); set != nil {
		return matching(set.keys, id)
	}
	return nil
}

// Run fetches at once and then until ctx ends. It must run for Find to answer for unknown keys.
func (j *JWKS) Run(ctx context.Context) {
	wait := j.fetch(ctx, time.Second)
	last := time.Now()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		var answer chan struct{}
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case answer = <-j.asks:
		}
		if answer == nil || time.Since(last) >= j.opts.MinGap {
			wait = j.fetch(ctx, wait)
			last = time.Now()
			timer.Reset(wait)
		}
		if answer != nil {
			close(answer)
		}
	}
}

// fetch gets the set and returns the time until the next: the interval, or after a failure twice the last wait.
func (j *JWKS) fetch(ctx context.Context, wait time.Duration) time.Duration {
	set, err := j.get(ctx)
	if err != nil {
		if inURL, ok := errors.AsType[*url.Error](err); ok {
			err = inURL.Err // the address may hold a secret in its query
		}
		j.opts.Log.Warn("token keys could not be fetched; the last good ones stay", "err", err)
		if j.set.Load() == nil {
			return min(2*wait, j.opts.Interval)
		}
		return j.opts.Interval
	}
	j.set.Store(set)
	return j.opts.Interval
}

func (j *JWKS) get(ctx context.Context) (*Keys, error) {
	ctx, cancel := context.WithTimeout(ctx, j.opts.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, j.opts.URL, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	resp, err := j.opts.Client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, j.opts.MaxBytes+1))
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > j.opts.MaxBytes {
		return nil, fmt.Errorf("the answer is longer than %d bytes", j.opts.MaxBytes)
	}
	return publicKeys(body)
}

// publicKeys drops secrets from a set: what anybody can fetch must not be good for making tokens.
func publicKeys(body []byte) (*Keys, error) {
	set, err := parseJWKs(body)
	if err != nil {
		return nil, err
	}
	var out Keys
	for _, k := range set.keys {
		if !k.canSign() {
			out.keys = append(out.keys, k)
		}
	}
	if len(out.keys) == 0 {
		return nil, errors.New("the set holds no public key")
	}
	return &out, nil
}
