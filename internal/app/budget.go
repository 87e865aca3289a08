package app

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/health"
	"switchboard/internal/metrics"
	"switchboard/internal/quota"
	"switchboard/internal/settings"
	"switchboard/internal/tunnel"
)

const (
	// budgetsKept is how often what was spent is written down. A crash forgets at
	// most that much.
	budgetsKept = 5 * time.Second
	// budgetsRead is how often is looked at what others spent, when we spend
	// nothing.
	budgetsRead = 12 * budgetsKept
)

// keyBase is the setting that leads a bot to another installation of its platform.
const keyBase = "base_url"

// account names the allowance a bot uses. A company has one on a platform for all
// its apps, and all bots of a platform are taken to be of one company, except
// that another installation grants an allowance of its own.
func account(c bridge.Connector, b *openBot) string {
	limits := b.mode.Capabilities
	if limits.MonthlyCalls <= 0 && limits.MonthlyPushes <= 0 {
		return ""
	}
	name := string(b.Platform)
	for _, f := range c.Form {
		if base := b.Settings[keyBase]; f.Key == keyBase && base != "" && base != f.Default {
			if u, err := url.Parse(base); err == nil {
				return name + "@" + u.Host
			}
		}
	}
	return name
}

// budgets returns how every allowance stands that is known of, by account.
func (a *App) budgets() []bridge.Budget {
	allowed := map[string]map[bridge.Meter]int{}
	grant := func(account string, m bridge.Meter, allowance int) {
		if account == "" || allowance <= 0 {
			return
		}
		if allowed[account] == nil {
			allowed[account] = map[bridge.Meter]int{}
		}
		allowed[account][m] = max(allowance, allowed[account][m])
	}
	a.mu.RLock()
	for _, b := range a.bots {
		grant(b.account, bridge.MeterCalls, b.limits.MonthlyCalls)
		grant(b.account, bridge.MeterPushes, b.limits.MonthlyPushes)
	}
	a.mu.RUnlock()
	if t := a.tunnel.Load(); t != nil && t.Status().Kind == tunnel.KindNgrok {
		allowed[settings.TunnelAccount] = map[bridge.Meter]int{bridge.MeterRequests: t.Status().Allowance()}
	}
	var all []bridge.Budget
	for account, meters := range allowed {
		for meter, allowance := range meters {
			all = append(all, a.budget(account, meter, allowance))
		}
	}
	slices.SortFunc(all, func(a, b bridge.Budget) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Meter, b.Meter))
	})
	return all
}

// budget says how one allowance stands. The admin's word counts for more than
// the free edition's.
func (a *App) budget(account string, m bridge.Meter, allowance int) bridge.Budget {
	platform, _, _ := strings.Cut(account, "@")
	if own, ok := a.settings.Budgets[platform][m]; ok {
		allowance = own
	}
	return a.ledger.Month(account, m, allowance)
}

// saves says that a bot's answers are to cost few calls.
func (a *App) saves(bot string) bool {
	a.mu.RLock()
	b := a.bots[bot]
	a.mu.RUnlock()
	return b != nil && b.account != "" && a.budget(b.account, bridge.MeterCalls, b.limits.MonthlyCalls).Short()
}

// restoreBudgets reads what was spent before a restart. If that fails it is read
// with what is spent next.
func (a *App) restoreBudgets(ctx context.Context) {
	if err := a.saveBudgets(ctx); err != nil {
		a.log.LogAttrs(ctx, slog.LevelWarn, "what was spent this month cannot be read", slog.Any("error", err))
	}
	a.warnOfBudgets()
}

// keepBudgets writes down what is spent until ctx ends, and then the rest.
func (a *App) keepBudgets(ctx context.Context) error {
	tick := time.NewTicker(budgetsKept)
	defer tick.Stop()
	for read := time.Now(); ; {
		fresh := false
		select {
		case <-ctx.Done():
			return a.saveBudgets(context.WithoutCancel(ctx))
		case <-tick.C:
			fresh = a.ledger.Changed()
		}
		if fresh || time.Since(read) >= budgetsRead {
			if err := a.saveBudgets(ctx); err != nil {
				return err
			}
			read = time.Now()
		}
		if a.warnOfBudgets() {
			a.journal.Tell(bridge.Change{Kind: bridge.ChangeOverview})
		}
	}
}

func (a *App) saveBudgets(ctx context.Context) error {
	all, err := a.store.Spend(ctx, a.ledger.Fresh(), quota.Since(time.Now()))
	if err != nil {
		a.ledger.Failed()
		return fmt.Errorf("app: budgets: %w", err)
	}
	a.ledger.Written(all)
	return nil
}

// warnOfBudgets keeps the warnings true to the allowances, and tells whether
// any of them changed.
func (a *App) warnOfBudgets() bool {
	changed := false
	for _, b := range a.budgets() {
		id := b.Account + " " + string(b.Meter)
		code, why := health.Code(""), ""
		switch {
		case b.Spent():
			code, why = health.BudgetSpent, "spent"
		case !b.RunsOut.IsZero():
			code, why = health.BudgetShort, "forecast"
		case b.Short():
			code, why = health.BudgetShort, "short"
		}
		for _, other := range []health.Code{health.BudgetShort, health.BudgetSpent} {
			if other != code {
				changed = a.health.Clear(other, id) || changed
			}
		}
		if code != "" {
			changed = a.health.Raise(budgetWarning(code, id, why, b)) || changed
		}
	}
	return changed
}

func budgetWarning(code health.Code, id, why string, b bridge.Budget) health.Warning {
	severity := bridge.SeverityWarning
	switch {
	case code == health.BudgetSpent:
		severity = bridge.SeverityError
	case b.Meter == bridge.MeterCalls: // which there is a way to save
		why = "calls_" + why
	}
	return health.Warning{Code: code, Severity: severity, Affects: id, Err: &bridge.Error{
		Kind: bridge.KindQuota, Op: "budget: count", Code: why, Args: map[string]string{
			"used": strconv.Itoa(b.Used), "allowance": strconv.Itoa(b.Allowance),
			"runs_out": b.RunsOut.Format(time.DateOnly), "renews": b.Renews.Format(time.DateOnly),
		},
	}}
}

// budgetReport is an allowance as /api/v1/status shows it.
type budgetReport struct {
	Account   string         `json:"account"`
	Meter     string         `json:"meter"`
	Allowance int            `json:"allowance"` // 0: unlimited or unknown
	Used      int            `json:"used"`
	ByBot     map[string]int `json:"by_bot"`
	Renews    time.Time      `json:"renews"`
	RunsOut   time.Time      `json:"runs_out,omitzero"`
}

func budgetReports(all []bridge.Budget) []budgetReport {
	reports := []budgetReport{}
	for _, b := range all {
		reports = append(reports, budgetReport{b.Account, string(b.Meter), b.Allowance, b.Used, b.ByBot, b.Renews, b.RunsOut})
	}
	return reports
}

// collectBudgets adds the allowances to the metrics. One that is unlimited or
// unknown has no second line, and one that lasts no third.
func collectBudgets(now *metrics.Registry, all []bridge.Budget) {
	gauge := func(name, help string, value func(bridge.Budget) (float64, bool)) {
		now.Collect(name, help, "gauge", []string{"account", "meter"}, func(set func(float64, ...string)) {
			for _, b := range all {
				if v, ok := value(b); ok {
					set(v, b.Account, string(b.Meter))
				}
			}
		})
	}
	gauge("switchboard_budget_used", "What is used of a monthly allowance since the month began.", func(b bridge.Budget) (float64, bool) {
		return float64(b.Used), true
	})
	gauge("switchboard_budget_allowance", "What a month has.", func(b bridge.Budget) (float64, bool) {
		return float64(b.Allowance), b.Allowance > 0
	})
	gauge("switchboard_budget_runs_out_time_seconds", "When the rest is used up at the pace of the last days, in seconds since 1970.", func(b bridge.Budget) (float64, bool) {
		return float64(b.RunsOut.Unix()), !b.RunsOut.IsZero()
	})
}
