package webcall_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"switchboard/internal/bridge"
	"switchboard/internal/webcall"
)

const secret = "s3cret/+="

func serve(t *testing.T, handle http.HandlerFunc) (*webcall.Client, string) {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	c := webcall.New()
	t.Cleanup(c.Close)
	return c, server.URL
}

func TestDo(t *testing.T) {
	t.Parallel()
	c, url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusTeapot)
		_, _ = fmt.Fprint(w, r.Method, " ", r.URL.Path, " ", r.Header.Get("Content-Type"), " ", r.Header.Get("X-Key"), " ", string(body))
	})
	for want, r := range map[string]webcall.Request{
		"GET /a   ":                     {URL: url + "/a"},
		"POST /b application/json k {}": {Method: http.MethodPost, URL: url + "/b", Body: []byte("{}"), Header: http.Header{"X-Key": {"k"}}},
		"PUT /c text/x  y":              {Method: http.MethodPut, URL: url + "/c", Body: []byte("y"), Type: "text/x"},
	} {
		if got, err := c.Do(t.Context(), r); err != nil || string(got.Body) != want || got.Status != http.StatusTeapot {
			t.Errorf("%+v: %d %q, %v", r, got.Status, got.Body, err)
		}
	}
}

// crowd makes two calls at the same time, so that two connections are kept, and
// returns where they came from.
func crowd(t *testing.T, c *webcall.Client, url string) []string {
	t.Helper()
	var both sync.WaitGroup
	from := make([]string, 2)
	for n := range from {
		both.Go(func() {
			got, err := c.Do(t.Context(), webcall.Request{URL: url + "/both"})
			if err != nil {
				t.Error(err)
			}
			from[n] = string(got.Body)
		})
	}
	both.Wait()
	return from
}

// deaf is a server whose connections die without a word: a call on one of those
// that are dead is never answered.
func deaf(t *testing.T) (c *webcall.Client, url string, heard <-chan struct{}, die func(connections []string)) {
	t.Helper()
	var mu sync.Mutex
	var dead []string
	there, asked := make(chan struct{}), make(chan struct{})
	c, url = serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		gone := slices.Contains(dead, r.RemoteAddr)
		mu.Unlock()
		if gone {
			select {
			case asked <- struct{}{}:
			case <-r.Context().Done():
			}
			<-r.Context().Done()
			return
		}
		if r.URL.Path == "/both" { // until the other one is there
			select {
			case there <- struct{}{}:
			case <-there:
			}
		}
		_, _ = io.WriteString(w, r.RemoteAddr)
	})
	return c, url, asked, func(connections []string) {
		mu.Lock()
		defer mu.Unlock()
		dead = connections
	}
}

// TestRenew: after a sleep nothing is sent on the connections from before.
func TestRenew(t *testing.T) {
	t.Parallel()
	c, url, _, die := deaf(t)
	before := crowd(t, c, url)
	if got, err := c.Do(t.Context(), webcall.Request{URL: url}); err != nil || !slices.Contains(before, string(got.Body)) {
		t.Errorf("a connection that is well was not used again: %s of %v, %v", got.Body, before, err)
	}
	die(before)
	c.Renew()
	if got, err := c.Do(t.Context(), webcall.Request{URL: url}); err != nil || slices.Contains(before, string(got.Body)) {
		t.Errorf("renewed: %s of %v, %v", got.Body, before, err)
	}
}

// TestRenewUnderWay: a call that is under way is not cut off, and what it leaves is
// not used again.
func TestRenewUnderWay(t *testing.T) {
	t.Parallel()
	there, goOn := make(chan struct{}), make(chan struct{})
	c, url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/long" {
			close(there)
			<-goOn
		}
		_, _ = io.WriteString(w, r.RemoteAddr)
	})
	old := make(chan string, 1)
	go func() {
		got, err := c.Do(t.Context(), webcall.Request{URL: url + "/long"})
		if err != nil {
			t.Error(err)
		}
		old <- string(got.Body)
	}()
	<-there
	c.Renew()
	first, err := c.Do(t.Context(), webcall.Request{URL: url})
	close(goOn)
	before := <-old
	for range 3 {
		next, again := c.Do(t.Context(), webcall.Request{URL: url})
		if err != nil || again != nil || string(next.Body) != string(first.Body) || string(next.Body) == before {
			t.Errorf("%s, not %s, and %s under way, %v, %v", next.Body, first.Body, before, err, again)
		}
	}
}

// TestDeadConnections: one call that waited in vain is enough to mistrust all
// connections of that time.
func TestDeadConnections(t *testing.T) {
	t.Parallel()
	c, url, _, die := deaf(t)
	before := crowd(t, c, url)
	die(before)
	if got, err := c.Do(t.Context(), webcall.Request{URL: url, Within: 50 * time.Millisecond}); bridge.KindOf(err) != bridge.KindUnavailable {
		t.Errorf("the dead connection: %s, %v", got.Body, err)
	}
	if got, err := c.Do(t.Context(), webcall.Request{URL: url}); err != nil || slices.Contains(before, string(got.Body)) {
		t.Errorf("the next call: %s of %v, %v", got.Body, before, err)
	}
}

// ended is a context that ends when a test says so.
type ended struct {
	context.Context //nolint:containedctx // of the test
	done            chan struct{}
	why             error
}

func (e ended) Done() <-chan struct{} { return e.done }

func (e ended) Err() error {
	select {
	case <-e.done:
		return e.why
	default:
		return nil
	}
}

// TestDeadDownload: a download that waited in vain is enough as well, but not one
// that nobody waits for any more.
func TestDeadDownload(t *testing.T) {
	t.Parallel()
	for _, why := range []error{context.Canceled, context.DeadlineExceeded} {
		c, url, heard, die := deaf(t)
		before := crowd(t, c, url)
		die(before)
		ctx := ended{t.Context(), make(chan struct{}), why}
		go func() {
			<-heard
			close(ctx.done)
		}()
		if _, err := c.Open(ctx, webcall.Request{URL: url}); bridge.KindOf(err) != bridge.KindOf(why) { //nolint:bodyclose // there is none
			t.Errorf("got %v", err)
		}
		die(nil)
		got, err := c.Do(t.Context(), webcall.Request{URL: url})
		if kept := slices.Contains(before, string(got.Body)); err != nil || kept != errors.Is(why, context.Canceled) {
			t.Errorf("%v: the next call: %s of %v, %v", why, got.Body, before, err)
		}
	}
}

// TestRenewCloses: the connections that are given up do not stay open.
func TestRenewCloses(t *testing.T) {
	t.Parallel()
	closed := make(chan struct{}, 8)
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateClosed {
			closed <- struct{}{}
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	c := webcall.New()
	for _, end := range []func(){c.Renew, c.Close} {
		if _, err := c.Do(t.Context(), webcall.Request{URL: server.URL}); err != nil {
			t.Fatal(err)
		}
		end()
		select {
		case <-closed:
		case <-time.After(10 * time.Second):
			t.Fatal("a connection stays open")
		}
	}
}

// TestNobodyThere: a call that was never sent says nothing about the connections
// that are kept.
func TestNobodyThere(t *testing.T) {
	t.Parallel()
	c, url := serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.RemoteAddr) })
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	before, err := c.Do(t.Context(), webcall.Request{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Do(t.Context(), webcall.Request{URL: gone.URL}); bridge.KindOf(err) != bridge.KindUnavailable {
		t.Error(err)
	}
	if after, err := c.Do(t.Context(), webcall.Request{URL: url}); err != nil || string(after.Body) != string(before.Body) {
		t.Errorf("%s, not %s, %v", after.Body, before.Body, err)
	}
}

// TestGivingUp: a caller who has no more time says nothing about the connections.
func TestGivingUp(t *testing.T) {
	t.Parallel()
	c, url, _, die := deaf(t)
	before := crowd(t, c, url)
	die(before[:1])
	for range 2 { // one of them on the dead connection
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		_, _ = c.Do(ctx, webcall.Request{URL: url})
		cancel()
	}
	if got, err := c.Do(t.Context(), webcall.Request{URL: url}); err != nil || string(got.Body) != before[1] {
		t.Errorf("%s, not %s, %v", got.Body, before[1], err)
	}
}

// TestNothingIsFollowed: a redirect is an answer like any other.
func TestNothingIsFollowed(t *testing.T) {
	t.Parallel()
	c, url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			t.Errorf("went to %s", r.URL.Path)
		}
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	if got, err := c.Do(t.Context(), webcall.Request{URL: url + "/"}); err != nil || got.Status != http.StatusTemporaryRedirect {
		t.Errorf("%d, %v", got.Status, err)
	}
}

// TestLost: a call without an answer is uncertain once its header was written.
func TestLost(t *testing.T) {
	t.Parallel()
	c, cut := serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	_, half := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		_, _ = fmt.Fprint(w, "half")
	})
	_, slow := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for name, test := range map[string]struct {
		url       string
		kind      bridge.Kind
		uncertain bool
	}{
		"cut off": {cut, bridge.KindUnavailable, true}, "half an answer": {half, bridge.KindUnavailable, true}, "given up": {slow, bridge.KindUnavailable, true},
		"nobody there": {closed.URL, bridge.KindUnavailable, false}, "no address": {"http://x\x00", bridge.KindInvalid, false},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		if name == "given up" {
			cancel()
			ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
		}
		_, err := c.Do(ctx, webcall.Request{Op: "x: call", URL: test.url + "/?token=" + secret, Secrets: []string{secret}})
		cancel()
		var e *bridge.Error
		if !errors.As(err, &e) || e.Kind != test.kind || e.Uncertain != test.uncertain || e.Op != "x: call" {
			t.Errorf("%s: %+v", name, err)
		}
		if strings.Contains(fmt.Sprintf("%v %+v", err, e), "s3cret") {
			t.Errorf("%s: the secret shows in %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, try := range map[string]func() error{
		"do":   func() error { _, err := c.Do(ctx, webcall.Request{URL: slow}); return err },
		"open": func() error { _, err := c.Open(ctx, webcall.Request{URL: slow}); return err }, //nolint:bodyclose // there is none
	} {
		if err := try(); bridge.KindOf(err) != bridge.KindCanceled || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOpen reads more than Do would.
func TestOpen(t *testing.T) {
	t.Parallel()
	const size = 2 << 20
	c, url := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, strings.Repeat("x", size)) })
	resp, err := c.Open(t.Context(), webcall.Request{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil || len(data) != size {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	if got, err := c.Do(t.Context(), webcall.Request{URL: url}); err != nil || len(got.Body) != size/2 {
		t.Errorf("%d bytes, %v", len(got.Body), err)
	}
}

func TestHide(t *testing.T) {
	t.Parallel()
	for words, want := range map[string]string{
		"bad " + secret + ".":                   "bad •••.",
		"/get?t=s3cret%2F%2B%3D&a=b":            "/get?t=•••&a=b",
		"two\nlines\t\x00 here":                 "two lines here",
		"broken \xff":                           "broken \uFFFD",
		strings.Repeat("y", 395) + secret + "z": strings.Repeat("y", 395) + "•",
	} {
		got := webcall.Hide(words, "", secret)
		if got != want || !utf8.ValidString(got) {
			t.Errorf("%q: %q", words, got)
		}
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	if got, err := webcall.JSON(map[string]string{"a": "<&>"}); err != nil || string(got) != `{"a":"<&>"}` {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := webcall.JSON(func() {}); err == nil {
		t.Error("a function was encoded")
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]time.Duration{
		"": 0, "5": 5 * time.Second, "-1": 0, "x": 0, "99999999": time.Hour, "Wed, 21 Oct 2026 07:28:00 GMT": 0,
	} {
		if got := webcall.RetryAfter(http.Header{"Retry-After": {value}}); got != want {
			t.Errorf("%q: %v", value, got)
		}
	}
}

// TestWithin: a call may take longer than others, or shorter.
func TestWithin(t *testing.T) {
	t.Parallel()
	c, slow := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	started := time.Now()
	_, err := c.Do(t.Context(), webcall.Request{URL: slow, Within: 50 * time.Millisecond})
	if bridge.KindOf(err) != bridge.KindUnavailable || time.Since(started) > webcall.Timeout/2 {
		t.Errorf("%v after %v", err, time.Since(started))
	}
}

// TestPublicOnly: a link others chose leads nowhere into our own network.
func TestPublicOnly(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "inside") }))
	defer server.Close()
	get := func(local bool, url string) error {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := webcall.NewPublic(local).Do(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		return err
	}
	if err := get(true, server.URL); err != nil {
		t.Error(err)
	}
	for _, url := range []string{
		server.URL, "http://169.254.169.254/latest", "http://10.0.0.1/", "http://[::1]/", "http://[::ffff:10.0.0.1]/", "http://0.0.0.0/",
		"http://100.100.100.200/latest/meta-data", "http://100.64.0.1/", "http://100.127.255.255/", "http://192.0.0.192/", "http://0.1.2.3/",
		"http://240.0.0.1/", "http://255.255.255.255/", "http://224.0.0.1/", "http://172.31.0.1/", "http://192.168.0.1/", "http://[fd00:ec2::254]/",
		"http://[::127.0.0.1]/", "http://[64:ff9b::a9fe:a9fe]/", "http://[64:ff9b:1::a00:1]/", "http://[2002:a00:1::]/", "http://[2001::1]/", "http://[fec0::1]/", "http://[fe80::1%25lo]/", "http://[ff02::1]/",
		"http://localhost/",
	} {
		if err := get(false, url); !errors.Is(err, webcall.ErrNotPublic) {
			t.Errorf("%s: %v", url, err)
		}
	}
	if err := get(true, "http://192.168.0.1/"); !errors.Is(err, webcall.ErrNotPublic) {
		t.Error(err)
	}
}

// TestPublic: what lies on the internet is not mistaken for our own network.
func TestPublic(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"1.1.1.1:443": true, "100.63.255.255:443": true, "100.128.0.0:443": true, "[2400:3200::1]:443": true, "198.18.0.7:443": true, "[64:ff9c::1]:443": true,
		"127.0.0.1:80": false, "[::1]:80": false, "nonsense": false, "": false,
	} {
		if got := webcall.IsPublic(address); got != want {
			t.Errorf("%s: %t", address, got)
		}
	}
}
