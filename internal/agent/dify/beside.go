package dify

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"switchboard/internal/bridge"
	"switchboard/internal/webcall"
)

const (
	opSuggest = "dify: suggest"
	opGreet   = "dify: greet"
	opFetch   = "dify: fetch file"
	maxFetch  = 20 << 20
)

// Suggest implements bridge.Suggester. The server asks a model for it.
func (a *Agent) Suggest(ctx context.Context, c bridge.Conversation, r bridge.Run) ([]string, error) {
	if r.Message == "" {
		return nil, &bridge.Error{Kind: bridge.KindUnsupported, Op: opSuggest, Detail: "the message is not known"}
	}
	p, err := a.parameters(ctx, opSuggest)
	if err != nil {
		return nil, err
	}
	if !p.After.Enabled {
		return nil, refused(opSuggest, "no_suggestions", "the app suggests nothing")
	}
	var list struct{ Data []string }
	query := url.Values{"user": {userOf(c)}}
	err = a.client.call(ctx, opSuggest, http.MethodGet, "/messages/"+url.PathEscape(r.Message)+"/suggested", query, nil, &list)
	return spoken(list.Data), err
}

// Greet implements bridge.Greeter.
func (a *Agent) Greet(ctx context.Context) (bridge.Greeting, error) {
	found, err := a.discover(ctx, false)
	if err != nil || !found.talks() {
		return bridge.Greeting{}, err
	}
	p, err := a.parameters(ctx, opGreet)
	return bridge.Greeting{Text: strings.TrimSpace(p.Opening), Questions: spoken(p.Questions)}, err
}

// spoken leaves out what is blank.
func spoken(questions []string) []string {
	var all []string
	for _, q := range questions {
		if q = strings.TrimSpace(q); q != "" {
			all = append(all, q)
		}
	}
	return all
}

// Fetch implements bridge.Fetcher. An address is a tool's or a model's word: one
// that is not the server's own must lead into the open.
func (a *Agent) Fetch(ctx context.Context, f bridge.FileAdded) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, uploadLimit, errTooLong)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.URL, nil)
	if err != nil || req.URL.Scheme != "http" && req.URL.Scheme != "https" {
		return nil, &bridge.Error{Kind: bridge.KindInvalid, Op: opFetch, Detail: "a link that cannot be opened"}
	}
	via := a.public
	if a.client.own(req.URL) {
		via = a.client.http
	}
	res, err := via.Do(req)
	switch {
	case errors.Is(err, webcall.ErrNotPublic):
		return nil, &bridge.Error{Kind: bridge.KindForbidden, Op: opFetch, Err: webcall.ErrNotPublic}
	case err != nil:
		return nil, a.client.broken(ctx, opFetch, err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return nil, &bridge.Error{Kind: bridge.KindExpired, Op: opFetch, Code: res.Status} // links are signed and live for minutes
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, maxFetch+1))
	switch {
	case err != nil:
		return nil, a.client.broken(ctx, opFetch, err)
	case len(data) > maxFetch:
		return nil, &bridge.Error{Kind: bridge.KindTooLarge, Op: opFetch}
	}
	return data, nil
}
