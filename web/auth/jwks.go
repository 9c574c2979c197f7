package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/roomring/roomring/room/clock"
)

// JWKSOptions say where keys are fetched from and how often.
type JWKSOptions struct {
	URL string // https, or http on loopback
	// Interval between fetches; 0 means 15 min.
	Interval time.Duration
	// MinGap is the time between fetches that tokens cause which name unknown keys or fit no key, however many there are. A few
	// such fetches may come sooner. 0 means 30 s.
	MinGap time.Duration
	// Settle is how long a token may be ahead of the publication of its key. A client is told to retry until a set without the key has
	// been fetched so long after the key was first named. 0 means 5 s.
	Settle time.Duration
	// Timeout of one fetch; 0 means 10 s.
	Timeout time.Duration
	// MaxBytes of an answer; 0 means 256 KiB.
	MaxBytes int64
	// Client fetches; nil means one that follows no redirect.
	Client *http.Client
	Log    *slog.Logger // nil: nothing is logged
}

// JWKS are the keys behind a URL. The last good set is used while no newer one can be fetched.
//
// One goroutine, Run, fetches. The others use the set that it has, and ask it when a token names an unknown key or does not fit the key
// that it names. It may be used by many goroutines.
type JWKS struct {
	opts      JWKSOptions
	set       atomic.Pointer[Keys]
	questions chan question // unbuffered: Run answers each

	// Of the goroutine that runs Run.
	limiter *rate.Limiter        // of fetches that tokens cause
	fetched time.Time            // when the fetch of the last set began
	tried   time.Time            // when the last fetch began
	missing map[string]time.Time // when unknown keys were first named, by question.name
	backoff clock.Backoff        // until the first set has come
}

// question asks whether there is a key by now.
type question struct {
	id      string
	not     *Keys     // the set whose key of the id does not fit; nil: any key will do
	certain chan bool // the answer: whether that is certain by now; buffered
}

func (q *question) name() string {
	if q.not != nil {
		return "another " + q.id
	}
	return q.id
}

const (
	maxMissing  = 100 // unknown keys that are remembered; of more it is never certain that there are none
	fetchesSoon = 5   // at once, for tokens that name unknown keys
)

// NewJWKS checks the options. Nothing is fetched before Run.
func NewJWKS(opts JWKSOptions) (*JWKS, error) {
	if err := checkKeyURL(opts.URL); err != nil {
		return nil, err
	}
	opts.Interval = cmp.Or(opts.Interval, 15*time.Minute)
	opts.MinGap = cmp.Or(opts.MinGap, 30*time.Second)
	opts.Settle = cmp.Or(opts.Settle, 5*time.Second)
	opts.Timeout = cmp.Or(opts.Timeout, 10*time.Second)
	opts.MaxBytes = cmp.Or(opts.MaxBytes, 256<<10)
	opts.Log = cmp.Or(opts.Log, slog.New(slog.DiscardHandler))
	if opts.Client == nil {
		opts.Client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	return &JWKS{
		opts: opts, questions: make(chan question), missing: map[string]time.Time{}, backoff: clock.Backoff{Min: 2 * time.Second, Max: opts.Interval},
		limiter: rate.NewLimiter(rate.Every(opts.MinGap), fetchesSoon),
	}, nil
}

// checkKeyURL insists on https: whoever can change the keys on their way can pose as any player.
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

// Find returns the keys of an id. For an unknown id it may wait for a fetch of a newer set, until ctx ends. The error is ErrNoKeys while
// the key may still be published.
func (j *JWKS) Find(ctx context.Context, id string) ([]Key, error) {
	if found := j.known(id); len(found) > 0 {
		return found, nil
	}
	if !j.ask(ctx, question{id, nil, make(chan bool, 1)}) {
		return nil, ErrNoKeys
	}
	return j.known(id), nil
}

// Renew is for a token that fits none of the keys of an id, which may have been replaced by others of that id. It returns the keys of a
// newer set, if any, for which it may wait for a fetch. The error, also beside keys, is ErrNoKeys while others may still be published.
func (j *JWKS) Renew(ctx context.Context, id string) (keys []Key, err error) {
	old := j.set.Load()
	if old == nil {
		return nil, ErrNoKeys
	}
	if !j.ask(ctx, question{id, old, make(chan bool, 1)}) {
		err = ErrNoKeys
	}
	if j.set.Load() != old {
		keys = j.known(id)
	}
	return keys, err
}

// ask reports whether it is certain that there is such a key, or that there is none.
func (j *JWKS) ask(ctx context.Context, q question) (certain bool) {
	select {
	case j.questions <- q:
	case <-ctx.Done():
		return false
	}
	select {
	case certain = <-q.certain:
	case <-ctx.Done():
	}
	return certain
}

func (j *JWKS) known(id string) []Key {
	if set := j.set.Load(); set != nil {
		return matching(set.keys, id)
	}
	return nil
}

// Run fetches at once, and then every Interval until ctx ends. A first fetch that fails is retried sooner, with backoff from 2 s up to
// Interval. Find answers for unknown keys only while it runs.
func (j *JWKS) Run(ctx context.Context) {
	timer := time.NewTimer(j.fetch(ctx))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			timer.Reset(j.fetch(ctx))
		case q := <-j.questions:
			q.certain <- j.answer(ctx, q)
		}
	}
}

// answer reports whether it is certain by now that there is such a key, or that there is none. It fetches where that may help, within
// the limit. Of a key that replaces another it can only be certain that there is none: the asker tries the keys that there are.
func (j *JWKS) answer(ctx context.Context, q question) bool {
	found := func() bool { return q.not == nil && len(j.known(q.id)) > 0 }
	if found() {
		return true
	}
	if j.set.Load() == nil {
		return false // Run retries the first fetch
	}
	first, named := j.missing[q.name()]
	if named && q.not != nil && time.Since(first) > j.opts.Interval {
		named = false // it was another replacement then
	}
	if !named {
		first = time.Now()
		j.remember(q.name(), first)
	}
	settled := first.Add(j.opts.Settle)
	gap := j.opts.Settle / 2
	if !j.fetched.Before(settled) {
		gap = j.opts.MinGap // its time to be published is over, but it may still come
	}
	if (!named || time.Since(j.tried) >= gap) && j.limiter.Allow() {
		j.fetch(ctx)
	}
	return found() || !j.fetched.Before(settled)
}

// remember notes when an unknown key was named. To make room it forgets keys of which it was certain that there are none.
func (j *JWKS) remember(id string, at time.Time) {
	if len(j.missing) >= maxMissing {
		maps.DeleteFunc(j.missing, func(_ string, first time.Time) bool { return !j.fetched.Before(first.Add(j.opts.Settle)) })
	}
	if _, again := j.missing[id]; again || len(j.missing) < maxMissing {
		j.missing[id] = at
	}
}

// fetch gets the set and returns the time until the next fetch.
func (j *JWKS) fetch(ctx context.Context) time.Duration {
	j.tried = time.Now()
	set, err := j.get(ctx)
	if err != nil {
		if inURL, ok := errors.AsType[*url.Error](err); ok {
			err = inURL.Err // the address may hold a secret in its query
		}
		j.opts.Log.Warn("token keys could not be fetched; the last good ones stay", "err", err)
		if j.set.Load() == nil {
			return j.backoff.Next()
		}
		return j.opts.Interval
	}
	j.set.Store(set)
	j.fetched = j.tried
	maps.DeleteFunc(j.missing, func(id string, _ time.Time) bool { return len(j.known(id)) > 0 })
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

// publicKeys drops secrets from a set: a key that anybody can fetch must not make tokens.
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
