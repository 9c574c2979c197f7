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
)

// JWKSOptions say where keys are fetched from and how often.
type JWKSOptions struct {
	URL string // https, or http on loopback
	// Interval between fetches; 0 means 15 min.
	Interval time.Duration
	// MinGap is the time between fetches for tokens that name unknown keys, or whose signatures no key fits, sustained, however many there are; a few go
	// sooner. 0 means 30 s.
	// A first fetch that failed is tried again after 1 s, and then after twice the time before, up to Interval.
	MinGap time.Duration
	// Settle is how long a token may be ahead of the publication of its key. Until a set that was fetched so long after the
	// key was first named has come without it, the answer is to retry. 0 means 5 s.
	Settle time.Duration
	// Timeout of one fetch; 0 means 10 s.
	Timeout time.Duration
	// MaxBytes of an answer; 0 means 256 KiB.
	MaxBytes int64
	// Client fetches; nil means one that follows no redirect.
	Client *http.Client
	Log    *slog.Logger // nil: nothing is logged
}

// JWKS are the keys behind a URL. The last good set is kept for as long as newer ones cannot be had.
// One goroutine, Run, fetches; the others read what it has, and ask it for more when a token names an unknown key or does not fit
// the one it names.
type JWKS struct {
	opts JWKSOptions
	set  atomic.Pointer[Keys]
	asks chan unknownKey // unbuffered: each is answered by Run

	// Of the goroutine that runs Run.
	limiter *rate.Limiter        // of fetches that tokens ask for
	fetched time.Time            // when the last set that came was asked for
	tried   time.Time            // when one was last asked for
	missing map[string]time.Time // when a key that is not known was first named, by unknownKey.name
}

// unknownKey is a question whether there is such a key by now; the answer says whether that can be told.
type unknownKey struct {
	id    string
	but   *Keys     // not in this set, whose key of the id does not fit; nil: in any
	tells chan bool // buffered
}

func (q *unknownKey) name() string {
	if q.but != nil {
		return "another " + q.id
	}
	return q.id
}

const (
	maxMissing  = 100 // keys that were named and are not known; of more nobody can tell
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
		opts: opts, asks: make(chan unknownKey), missing: map[string]time.Time{},
		limiter: rate.NewLimiter(rate.Every(opts.MinGap), fetchesSoon),
	}, nil
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

// Find returns the keys of an id. For an unknown one it asks whether a newer set has it, which may take a fetch, and waits
// until ctx ends. The error is ErrNoKeys for as long as the key may still be published.
func (j *JWKS) Find(ctx context.Context, id string) ([]Key, error) {
	if found := j.known(id); len(found) > 0 {
		return found, nil
	}
	if !j.ask(ctx, unknownKey{id, nil, make(chan bool, 1)}) {
		return nil, ErrNoKeys
	}
	return j.known(id), nil
}

// Renew is for a token whose signature none of an id's keys fit: they may have been replaced under that id. It returns the keys of a
// newer set, which may take a fetch, or none. The error, also beside keys, is ErrNoKeys for as long as others may still be published.
func (j *JWKS) Renew(ctx context.Context, id string) (keys []Key, err error) {
	old := j.set.Load()
	if old == nil {
		return nil, ErrNoKeys
	}
	if !j.ask(ctx, unknownKey{id, old, make(chan bool, 1)}) {
		err = ErrNoKeys
	}
	if j.set.Load() != old {
		keys = j.known(id)
	}
	return keys, err
}

// ask reports whether it can be told if there is such a key.
func (j *JWKS) ask(ctx context.Context, q unknownKey) (certain bool) {
	select {
	case j.asks <- q:
	case <-ctx.Done():
		return false
	}
	select {
	case certain = <-q.tells:
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

// Run fetches at once and then until ctx ends. It must run for Find to answer for unknown keys.
func (j *JWKS) Run(ctx context.Context) {
	wait := j.fetch(ctx, time.Second)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			wait = j.fetch(ctx, wait)
			timer.Reset(wait)
		case q := <-j.asks:
			q.tells <- j.tells(ctx, q)
		}
	}
}

// tells reports whether it is certain by now that there is such a key, or that there is none. It fetches where that may
// help, within the limit. Of a key in another's place it is certain only that there is none: the asker tries what there is.
func (j *JWKS) tells(ctx context.Context, q unknownKey) bool {
	found := func() bool { return q.but == nil && len(j.known(q.id)) > 0 }
	if found() {
		return true
	}
	if j.set.Load() == nil {
		return false // the next try has its time
	}
	first, named := j.missing[q.name()]
	if named && q.but != nil && time.Since(first) > j.opts.Interval {
		named = false // what was told of a key that was replaced then says nothing of one that is now
	}
	if !named {
		first = time.Now()
		j.remember(q.name(), first)
	}
	settled := first.Add(j.opts.Settle)
	gap := j.opts.Settle / 2
	if !j.fetched.Before(settled) {
		gap = j.opts.MinGap // it has had its time, and may come later all the same
	}
	if (!named || time.Since(j.tried) >= gap) && j.limiter.Allow() {
		j.fetch(ctx, 0)
	}
	return found() || !j.fetched.Before(settled)
}

// remember notes that a key was named. To make room it forgets those of which there has been certainty.
func (j *JWKS) remember(id string, at time.Time) {
	if len(j.missing) >= maxMissing {
		maps.DeleteFunc(j.missing, func(_ string, first time.Time) bool { return !j.fetched.Before(first.Add(j.opts.Settle)) })
	}
	if _, again := j.missing[id]; again || len(j.missing) < maxMissing {
		j.missing[id] = at
	}
}

// fetch gets the set and returns the time until the next: the interval, or after a failure twice the last wait.
func (j *JWKS) fetch(ctx context.Context, wait time.Duration) time.Duration {
	j.tried = time.Now()
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
