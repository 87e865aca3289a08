package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"switchboard/internal/admin"
	"switchboard/internal/bridge"
	"switchboard/internal/metrics"
	"switchboard/internal/settings"
)

const tokenFile = "admin.token"

func (a *App) addressFile() string { return addressFile(a.opt.Data) }

// addressFile holds the address of the running program's admin listener, for a
// second start.
func addressFile(data string) string { return filepath.Join(data, "admin.address") }

// runAdmin opens the admin listener and serves it.
func (a *App) runAdmin(ctx context.Context) error {
	token, err := adminToken(ctx, a.opt, a.settings)
	if err != nil {
		return err
	}
	a.opt.Redactor.Know(token)
	l, err := a.listenOn(ctx, partAdmin, a.settings.Server.Admin)
	if err != nil {
		return err
	}
	server := admin.New(admin.Options{
		Token: token, Loopback: settings.IsLoopback(l.Addr().String()), Log: a.log,
		Health: func() any { return a.reportHealth() }, Ready: a.isReady, Metrics: a.writeMetrics, MetricsType: metrics.ContentType, Status: a.status, Show: a.showWindow, Diagnostics: a.diagnose,
		API: a.api(),
	})
	if err := replaceFile(a.addressFile(), []byte(l.Addr().String())); err != nil {
		a.log.LogAttrs(ctx, slog.LevelWarn, "a second start will not find this one", slog.Any("error", err))
	}
	a.log.LogAttrs(ctx, slog.LevelInfo, "the admin listener is open", slog.String("listen", l.Addr().String()))
	return server.Serve(ctx, l)
}

// adminToken returns the token of the administration: the one the admin chose,
// or the one in the data directory, which is made when it is missing.
func adminToken(ctx context.Context, opt Options, s settings.Settings) (bridge.Secret, error) {
	if ref, chosen := s.Secrets[settings.AdminToken]; chosen {
		return openVault(opt).Get(ctx, ref, settings.AdminToken)
	}
	path := filepath.Join(opt.Data, tokenFile)
	text, err := os.ReadFile(path) //nolint:gosec // in the data directory
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return bridge.Secret{}, fmt.Errorf("app: admin token: %w", err)
	}
	if token := strings.TrimSpace(string(text)); token != "" {
		if err := os.Chmod(path, 0o600); err != nil {
			return bridge.Secret{}, fmt.Errorf("app: admin token: %w", err)
		}
		return bridge.NewSecret(token), nil
	}
	token := rand.Text()
	if err := replaceFile(path, []byte(token+"\n")); err != nil {
		return bridge.Secret{}, fmt.Errorf("app: admin token: %w", err)
	}
	return bridge.NewSecret(token), nil
}

// OnShow sets what brings the window to the front when the program is started a
// second time.
func (a *App) OnShow(show func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.show = show
}

func (a *App) showWindow() bool {
	a.mu.RLock()
	show := a.show
	a.mu.RUnlock()
	if show == nil {
		return false
	}
	show()
	return true
}

// ShowRunning asks the program that uses the data directory to bring its window
// to the front. An error of KindUnsupported means that it has none.
func ShowRunning(ctx context.Context, opt Options) error {
	opt = opt.filled()
	address, token, err := running(ctx, opt)
	if err != nil {
		return err
	}
	if err := admin.Show(ctx, address, token); err != nil {
		return fmt.Errorf("app: show: %w", err)
	}
	return nil
}

func (a *App) isReady() bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.ready
}

// writeMetrics writes what was counted, and how the house stands at the moment.
func (a *App) writeMetrics(ctx context.Context, w io.Writer) error {
	if err := a.meter.Write(w); err != nil {
		return err
	}
	o, err := a.Overview(ctx)
	if err != nil {
		return err
	}
	var now metrics.Registry
	now.Collect("switchboard_messages_waiting", "Accepted questions that wait for their turn.", "gauge", []string{"agent"}, func(set func(float64, ...string)) {
		for _, g := range o.Agents {
			set(float64(g.Waiting), g.ID)
		}
	})
	now.Collect("switchboard_messages_running", "Questions being answered.", "gauge", []string{"agent"}, func(set func(float64, ...string)) {
		for _, g := range o.Agents {
			set(float64(g.Running), g.ID)
		}
	})
	now.Collect("switchboard_bot_state", "1 for the state each bot is in.", "gauge", []string{"bot", "platform", "state"}, func(set func(float64, ...string)) {
		for _, b := range o.Bots {
			set(1, b.ID, string(b.Platform), string(b.State))
		}
	})
	collectBudgets(&now, o.Budgets)
	return now.Write(w)
}

// What /healthz and /api/v1/status show. Errors are named by their kind: their
// words are for the log.
type (
	healthReport struct {
		Status   string          `json:"status"` // ok or attention
		Version  string          `json:"version"`
		Warnings []warningReport `json:"warnings"`
	}
	warningReport struct {
		Code     string    `json:"code"`
		Severity string    `json:"severity"`
		Affects  string    `json:"affects,omitempty"`
		Since    time.Time `json:"since"`
	}
	statusReport struct {
		healthReport

		Since     time.Time      `json:"since"`
		Ready     bool           `json:"ready"`
		Paused    bool           `json:"paused"`
		Demo      bool           `json:"demo"`
		Listen    string         `json:"listen"`
		PublicURL string         `json:"public_url,omitempty"`
		Received  int            `json:"received_today"`
		Answered  int            `json:"answered_today"`
		Failed    int            `json:"failed_today"`
		Bots      []botReport    `json:"bots"`
		Agents    []agentReport  `json:"agents"`
		Budgets   []budgetReport `json:"budgets"`
	}
	botReport struct {
		ID          string    `json:"id"`
		Platform    string    `json:"platform"`
		Mode        string    `json:"mode"`
		Agent       string    `json:"agent"`
		State       string    `json:"state"`
		Callback    string    `json:"callback,omitempty"`
		Received    int       `json:"received_today"`
		Answered    int       `json:"answered_today"`
		Failed      int       `json:"failed_today"`
		LastMessage time.Time `json:"last_message,omitzero"`
		Error       string    `json:"error,omitempty"`
	}
	agentReport struct {
		ID         string    `json:"id"`
		Kind       string    `json:"kind"`
		Version    string    `json:"version,omitempty"` // of its server
		Running    int       `json:"running"`
		Limit      int       `json:"limit"`
		Waiting    int       `json:"waiting"`
		LastAnswer time.Time `json:"last_answer,omitzero"`
		FirstText  float64   `json:"first_text_seconds,omitempty"`
		Error      string    `json:"error,omitempty"`
	}
)

func (a *App) reportHealth() healthReport {
	r := healthReport{Status: "ok", Version: a.opt.Version, Warnings: []warningReport{}}
	for _, h := range a.health.List() {
		r.Status = "attention"
		r.Warnings = append(r.Warnings, warningReport{string(h.Code), string(h.Severity), h.Affects, h.Since})
	}
	return r
}

func (a *App) status(ctx context.Context) (any, error) {
	o, err := a.Overview(ctx)
	if err != nil {
		return nil, err
	}
	r := statusReport{
		healthReport: a.reportHealth(), Since: o.Since, Ready: a.isReady(), Paused: o.Paused, Demo: o.Demo, Listen: o.Listen, PublicURL: o.PublicURL,
		Received: o.Received, Answered: o.Answered, Failed: o.Failed, Bots: []botReport{}, Agents: []agentReport{}, Budgets: budgetReports(o.Budgets),
	}
	for _, b := range o.Bots {
		r.Bots = append(r.Bots, botReport{
			b.ID, string(b.Platform), string(b.Mode), b.Agent, string(b.State), b.Callback,
			b.Received, b.Answered, b.Failed, b.LastMessage, string(bridge.KindOf(b.Err)),
		})
	}
	for _, g := range o.Agents {
		r.Agents = append(r.Agents, agentReport{
			g.ID, g.Kind, g.Version, g.Running, g.Limit, g.Waiting, g.LastAnswer, g.Latency.Seconds(), string(bridge.KindOf(g.Err)),
		})
	}
	return r, nil
}
