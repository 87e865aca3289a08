package webcall

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"switchboard/internal/bridge"
)

const (
	// Timeout is how long a call takes at most, unless it says otherwise.
	Timeout = 10 * time.Second
	// Upload is how long a call with a file in it may take.
	Upload = 2 * time.Minute

	maxAnswer = 1 << 20
	maxWords  = 400  // bytes of foreign words in an error
	maxWait   = 3600 // seconds that anybody may ask for
)

var errAddress = errors.New("an address that cannot be called")

// Client makes the calls of one bot.
type Client struct {
	http *http.Client
	line *Line
}

// New makes a client.
func New() *Client {
	line := NewLine(func() *http.Transport {
		return &http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, TLSHandshakeTimeout: Timeout,
			ResponseHeaderTimeout: Upload, MaxIdleConnsPerHost: 32, IdleConnTimeout: 90 * time.Second,
		}
	})
	return &Client{&http.Client{Transport: line, CheckRedirect: Stay}, line}
}

// Stay follows no redirect: it would carry a token, or a person's answer, to
// somewhere else.
func Stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Close lets go of the connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Renew has the next call make a new connection, because those that are kept may be
// dead: this computer slept, or its network changed.
func (c *Client) Renew() { c.line.Renew() }

// Request is one call. Without a Method it is a GET.
type Request struct {
	// Op names the call in errors.
	Op, Method, URL string
	Header          http.Header
	Body            []byte
	// Type is the Content-Type of the body; empty means JSON.
	Type string
	// Secrets are to be taken out of errors; those in the URL as well.
	Secrets []string
	// Within is how long the call may take; 0 means Timeout.
	Within time.Duration
}

// Answer is what came back, from the platform or from something in between.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do makes a call and reads the whole answer. An error means that there is none:
// any status is an answer. After a call that was sent and got none, the next ones
// do not use a connection that was there before.
func (c *Client) Do(ctx context.Context, r Request) (Answer, error) {
	limited, cancel := context.WithTimeout(ctx, cmp.Or(r.Within, Timeout))
	defer cancel()
	resp, written, err := c.send(limited, r)
	if err != nil {
		if written && ctx.Err() == nil {
			c.Renew()
		}
		return Answer{}, lost(ctx, r, err, written)
	}
	return Read(ctx, r, resp)
}

// Read reads what a request was answered with, and closes it.
func Read(ctx context.Context, r Request, resp *http.Response) (Answer, error) {
	defer resp.Body.Close() //nolint:errcheck // nothing is lost with it
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return Answer{}, lost(ctx, r, err, true)
	}
	return Answer{resp.StatusCode, resp.Header, body}, nil
}

// Open makes a call that changes nothing, such as a download. The caller reads
// the body as long as ctx lasts, and closes it. A call that was given up before its
// time was over says nothing about the connections.
func (c *Client) Open(ctx context.Context, r Request) (*http.Response, error) {
	resp, written, err := c.send(ctx, r)
	if err != nil {
		if written && !errors.Is(ctx.Err(), context.Canceled) {
			c.Renew()
		}
		return nil, lost(ctx, r, err, false)
	}
	return resp, nil
}

// send sends a request. Once its header is written, nobody knows whether it was
// acted on.
func (c *Client) send(ctx context.Context, r Request) (resp *http.Response, written bool, err error) {
	var wrote atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { wrote.Store(true) }})
	req, err := http.NewRequestWithContext(traced, r.Method, r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return nil, false, errAddress
	}
	for key, values := range r.Header {
		req.Header[key] = values
	}
	req.Header.Set("Accept", "application/json")
	if len(r.Body) > 0 {
		req.Header.Set("Content-Type", "application/json")
		if r.Type != "" {
			req.Header.Set("Content-Type", r.Type)
		}
	}
	resp, err = c.http.Do(req)
	return resp, wrote.Load(), err
}

func lost(ctx context.Context, r Request, err error, written bool) error {
	switch {
	case errors.Is(err, errAddress):
		return &bridge.Error{Kind: bridge.KindInvalid, Op: r.Op, Err: errAddress}
	case ctx.Err() != nil:
		return Stopped(r.Op, ctx.Err(), written)
	}
	return &bridge.Error{Kind: bridge.KindUnavailable, Op: r.Op, Detail: Hide(words(err), r.Secrets...), Uncertain: written}
}

// Lost is the error of a call made otherwise, one that changes nothing and got no
// answer.
func Lost(ctx context.Context, op string, err error) error {
	return lost(ctx, Request{Op: op}, err, false)
}

// words are those of an error without the address, which may hold a token.
func words(err error) string {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	return err.Error()
}

// Stopped is the error of a call that the caller gave up.
func Stopped(op string, err error, written bool) error {
	return &bridge.Error{Kind: bridge.KindOf(err), Op: op, Err: err, Uncertain: written}
}

// JSON encodes without the HTML escapes, which would count against the limits of
// messages.
func JSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err //nolint:wrapcheck // named by the caller
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// Hide makes foreign words fit for an error: without our secrets, which the other
// side tends to quote, in the form of addresses as well; on one line; and short.
func Hide(words string, secrets ...string) string {
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		words = strings.ReplaceAll(words, secret, "•••")
		words = strings.ReplaceAll(words, url.QueryEscape(secret), "•••")
	}
	words = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(words, "\uFFFD"), blank), " ")
	return strings.ToValidUTF8(words[:min(len(words), maxWords)], "")
}

func blank(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

// RetryAfter is how long an answer asks to wait, or 0.
func RetryAfter(h http.Header) time.Duration {
	s, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || s <= 0 {
		return 0
	}
	return time.Duration(min(s, maxWait)) * time.Second
}
