package admin

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"switchboard/internal/bridge"
)

const askPatience = 3 * time.Second

// Show asks the program that listens at an address to bring its window to the
// front. An error of KindUnsupported means that it has none.
func Show(ctx context.Context, address string, token bridge.Secret) error {
	const op = "admin: show"
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/api/v1/show", nil)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	req.Header.Set("Authorization", "Bearer "+token.Reveal())
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no proxy: it is this machine
	resp, err := client.Do(req)
	if err != nil {
		return &bridge.Error{Kind: bridge.KindUnavailable, Op: op, Err: err}
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
