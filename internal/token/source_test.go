package token_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/token"
)

// desk hands out numbered tokens and can be told to refuse.
type desk struct {
	mu    sync.Mutex
	asked int
	life  time.Duration
	err   error
	empty bool
	slow  time.Duration
}

func (d *desk) fetch(context.Context) (string, time.Duration, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	time.Sleep(d.slow)
	d.asked++
	if d.err != nil {
		return "", 0, d.err
	}
	if d.empty {
		return "", d.life, nil
	}
	return "t" + strconv.Itoa(d.asked), d.life, nil
}

func want(t *testing.T, s *token.Source, text string) {
	t.Helper()
	got, err := s.Token(t.Context())
	if err != nil || got != text {
		t.Fatalf("got %q, %v; want %q", got, err, text)
	}
}

func TestLife(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		life  time.Duration
		lasts time.Duration
	}{
		"the platform does not say": {0, 2*time.Hour - 5*time.Minute},
		"as usual":                  {time.Hour, 55 * time.Minute},
		"short":                     {4 * time.Minute, 2 * time.Minute},
		"longer than believed":      {48 * time.Hour, 2*time.Hour - 5*time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := &desk{life: c.life}
				s := token.New(d.fetch, token.Options{Op: "test: get token"})
				want(t, s, "t1")
				time.Sleep(c.lasts - time.Second)
				want(t, s, "t1")
				time.Sleep(2 * time.Second)
				want(t, s, "t2")
			})
		})
	}
}

func TestOneRequestForMany(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &desk{slow: time.Second}
		s := token.New(d.fetch, token.Options{})
		first, leave := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() {
			if _, err := s.Token(first); !errors.Is(err, context.Canceled) {
				t.Errorf("the first one got %v", err)
			}
		})
		synctest.Wait()
		for range 20 {
			group.Go(func() {
				if got, err := s.Token(t.Context()); got != "t1" || err != nil {
					t.Errorf("got %q, %v", got, err)
				}
			})
		}
		synctest.Wait()
		leave() // must not take the others' token away
		group.Wait()
		if d.asked != 1 {
			t.Errorf("%d requests", d.asked)
		}
	})
}

func TestDrop(t *testing.T) {
	t.Parallel()
	d := &desk{}
	s := token.New(d.fetch, token.Options{})
	want(t, s, "t1")
	s.Drop("t1")
	want(t, s, "t2")
	s.Drop("t1") // late news about an old one
	want(t, s, "t2")
}

func TestRefusedSecret(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &desk{err: &bridge.Error{Kind: bridge.KindUnauthenticated}}
		s := token.New(d.fetch, token.Options{RefusedFor: time.Minute})
		for range 5 {
			if _, err := s.Token(t.Context()); bridge.KindOf(err) != bridge.KindUnauthenticated {
				t.Fatal(err)
			}
		}
		if d.asked != 1 {
			t.Fatalf("a refused secret was tried %d times", d.asked)
		}
		d.err = nil
		time.Sleep(time.Minute)
		want(t, s, "t2")
	})
}

func TestBusyPlatform(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &desk{err: &bridge.Error{Kind: bridge.KindRateLimited, RetryAfter: 10 * time.Second}}
		s := token.New(d.fetch, token.Options{})
		for range 3 {
			if _, err := s.Token(t.Context()); bridge.KindOf(err) != bridge.KindRateLimited {
				t.Fatal(err)
			}
		}
		d.err = &bridge.Error{Kind: bridge.KindUnavailable}
		time.Sleep(10 * time.Second)
		for range 2 { // a passing trouble is not remembered
			if _, err := s.Token(t.Context()); bridge.KindOf(err) != bridge.KindUnavailable {
				t.Fatal(err)
			}
		}
		if d.asked != 3 {
			t.Errorf("asked %d times", d.asked)
		}
	})
}

// TestNoDoubt: a lost request for a token does not make a message doubtful that
// was never sent.
func TestNoDoubt(t *testing.T) {
	t.Parallel()
	s := token.New((&desk{err: &bridge.Error{Kind: bridge.KindUnavailable, Uncertain: true}}).fetch, token.Options{})
	_, err := s.Token(t.Context())
	var e *bridge.Error
	if !errors.As(err, &e) || e.Kind != bridge.KindUnavailable || e.Uncertain {
		t.Fatalf("%+v", err)
	}
}

func TestNoToken(t *testing.T) {
	t.Parallel()
	s := token.New((&desk{empty: true}).fetch, token.Options{Op: "test: get token"})
	_, err := s.Token(t.Context())
	var e *bridge.Error
	if !errors.As(err, &e) || e.Kind != bridge.KindUnavailable || e.Op != "test: get token" {
		t.Fatal(err)
	}
}
