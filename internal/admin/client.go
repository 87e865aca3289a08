package admin

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"time"

	"switchboard/internal/bridge"
)

// How long an answer may take.
const (
	showPatience   = 3 * time.Second
	askPatience    = 30 * time.Second
	bundlePatience = 5 * time.Minute
)

const maxAnswer = 32 << 20

// Show asks the program that listens at an address to bring its window to the
// front. An error of KindUnsupported means that it has none.
func Show(ctx context.Context, address string, token bridge.Secret) error {
	const op = "admin: show"
	ctx, cancel := context.WithTimeout(ctx, showPatience)
	defer cancel()
	resp, err := ask(ctx, op, http.MethodPost, "http://"+address+"/api/v1/show", token, nil, nil)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusNoContent:
		return nil
	case http.StatusConflict:
		return &bridge.Error{Kind: bridge.KindUnsupported, Op: op}
	default:
		return &bridge.Error{Kind: bridge.KindUnavailable, Op: op, Code: resp.Status}
	}
}

// Ask sends a request to the program that listens at an address, and returns its
// answer. The header may be nil; a ctx without a deadline gets one. An error of
// KindUnavailable means that there is no program.
func Ask(ctx context.Context, address string, token bridge.Secret, method, path string, body []byte, header http.Header) (status int, answer []byte, err error) {
	const op = "admin: ask"
	if _, has := ctx.Deadline(); !has {
		patient, cancel := context.WithTimeout(ctx, askPatience)
		defer cancel()
		ctx = patient
	}
	resp, err := ask(ctx, op, method, "http://"+address+path, token, body, header)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }() // was only read
	if answer, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer)); err != nil {
		return 0, nil, &bridge.Error{Kind: bridge.KindUnavailable, Op: op, Err: err}
	}
	return resp.StatusCode, answer, nil
}

// Diagnostics fetches the diagnostics of the program that listens at an address.
func Diagnostics(ctx context.Context, address string, token bridge.Secret, w io.Writer) error {
	const op = "admin: diagnostics"
	ctx, cancel := context.WithTimeout(ctx, bundlePatience)
	defer cancel()
	resp, err := ask(ctx, op, http.MethodGet, "http://"+address+"/api/v1/diagnostics", token, nil, nil)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // was only read
	switch resp.StatusCode {
	case http.StatusOK:
		if _, err := io.Copy(w, resp.Body); err != nil {
			return &bridge.Error{Kind: bridge.KindUnavailable, Op: op, Err: err}
		}
		return nil
	case http.StatusConflict: // the words are those of the bundle
		return &bridge.Error{Kind: bridge.KindBlocked, Op: "logs: bundle", Code: "found"}
	default:
		return &bridge.Error{Kind: bridge.KindUnavailable, Op: op, Code: resp.Status}
	}
}

func ask(ctx context.Context, op, method, url string, token bridge.Secret, body []byte, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	maps.Copy(req.Header, header)
	req.Header.Set("Authorization", "Bearer "+token.Reveal())
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no proxy: it is this machine
	resp, err := client.Do(req)
	if err != nil {
		return nil, &bridge.Error{Kind: bridge.KindUnavailable, Op: op, Err: err}
	}
	return resp, nil
}
