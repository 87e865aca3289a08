package token

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"switchboard/internal/bridge"
)

// Fetch asks the platform for a token. It returns the time the token lasts, or
// zero when the platform did not say.
type Fetch func(context.Context) (token string, life time.Duration, err error)

// Options are the times of a Source. Zero values take the defaults.
type Options struct {
	// Op names the request in errors, for example "wecom: get token".
	Op string
	// Life is how long a token lasts at most, by default two hours.
	Life time.Duration
	// Margin is how long before its end a token is replaced, by default five
	// minutes and never more than half its life.
	Margin time.Duration
	// RefusedFor is how long a refused secret is not tried again, by default one
	// minute. It will not get better by itself, and platforms watch failed log-ins.
	RefusedFor time.Duration
}

// Source hands out the token of one account. Its methods may be called from
// several goroutines at once.
type Source struct {
	fetch  Fetch
	opts   Options
	flight singleflight.Group

	mu      sync.Mutex
	token   string
	renewAt time.Time
	refusal error
	retryAt time.Time
}

// New makes a Source; nothing is fetched before the first Token.
func New(fetch Fetch, opts Options) *Source {
	opts.Life = or(opts.Life, 2*time.Hour)
	opts.Margin = or(opts.Margin, 5*time.Minute)
	opts.RefusedFor = or(opts.RefusedFor, time.Minute)
	return &Source{fetch: fetch, opts: opts}
}

func or(value, standard time.Duration) time.Duration {
	if value > 0 {
		return value
	}
	return standard
}

// Token returns the token, fetching it when it is missing or about to end.
// However many ask at once, one request is made, and it outlives the one who
// happened to be first. An error that would be the same again is remembered: a
// refused secret for a while, a busy platform for as long as it said.
func (s *Source) Token(ctx context.Context) (string, error) {
	if token, err := s.cached(); token != "" || err != nil {
		return token, err
	}
	done := s.flight.DoChan("", func() (any, error) { return s.renew(context.WithoutCancel(ctx)) })
	select {
	case <-ctx.Done():
		return "", &bridge.Error{Kind: bridge.KindOf(ctx.Err()), Op: s.opts.Op, Err: ctx.Err()}
	case r := <-done:
		token, _ := r.Val.(string)
		return token, r.Err
	}
}

// Drop forgets a token that the platform refused, unless a newer one is there
// already.
func (s *Source) Drop(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token == token {
		s.token = ""
	}
}

func (s *Source) cached() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	switch {
	case s.token != "" && now.Before(s.renewAt):
		return s.token, nil
	case s.refusal != nil && now.Before(s.retryAt):
		return "", s.refusal
	default:
		return "", nil
	}
}

// certain takes the doubt out of an error: whatever became of the request for a
// token, the call that needs it was not made.
func certain(err error) error {
	var e *bridge.Error
	if !errors.As(err, &e) || !e.Uncertain {
		return err
	}
	sure := *e
	sure.Uncertain = false
	return &sure
}

func (s *Source) renew(ctx context.Context) (string, error) {
	if token, err := s.cached(); token != "" || err != nil {
		return token, err // fetched while we were on our way
	}
	token, life, err := s.fetch(ctx)
	if err == nil && token == "" {
		err = &bridge.Error{Kind: bridge.KindUnavailable, Op: s.opts.Op, Detail: "an answer without a token"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if err != nil {
		err = certain(err)
		wait := bridge.RetryAfter(err)
		if !bridge.KindOf(err).Retryable() {
			wait = max(wait, s.opts.RefusedFor)
		}
		s.refusal, s.retryAt = err, now.Add(wait)
		return "", err
	}
	if life <= 0 || life > s.opts.Life {
		life = s.opts.Life
	}
	s.token, s.renewAt, s.refusal = token, now.Add(life-min(s.opts.Margin, life/2)), nil
	return token, nil
}
