package app

import (
	"context"
	"log/slog"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/engine"
	"switchboard/internal/metrics"
	"switchboard/internal/store"
)

// meter holds the metrics of the house.
type meter struct {
	metrics.Registry

	received, duplicates, missed *metrics.Counter
	answered, failed, limited    *metrics.Counter
	calls, agentFailures, deaths *metrics.Counter
	sent                         *metrics.Counter
	answer, firstText            *metrics.Histogram
}

// newMeter makes the metrics. What somebody else counts is looked up when it is
// asked for.
func (a *App) newMeter() *meter {
	m := &meter{}
	m.received = m.Counter("switchboard_messages_received_total", "Messages accepted and stored.", "bot")
	m.duplicates = m.Counter("switchboard_messages_duplicate_total", "Messages that platforms delivered again.", "bot")
	m.missed = m.Counter("switchboard_messages_missed_total", "Messages found by looking for what was missed.", "bot")
	m.answered = m.Counter("switchboard_messages_answered_total", "Answers delivered in full.", "bot")
	m.failed = m.Counter("switchboard_messages_failed_total", "Messages given up, with an apology where possible.", "bot", "kind")
	m.limited = m.Counter("switchboard_messages_limited_total", "Questions refused because a person is over a limit.", "bot")
	m.sent = m.Counter("switchboard_sends_total", "Messages the admin sent; kind is empty unless it failed.", "bot", "kind")
	m.calls = m.Counter("switchboard_platform_calls_total", "Calls that count against a platform's budget.", "bot", "api")
	m.agentFailures = m.Counter("switchboard_agent_failures_total", "Questions that an agent failed to answer.", "agent", "kind")
	m.deaths = m.Counter("switchboard_part_deaths_total", "Parts of the program that died and were started again.", "part")
	seconds := []float64{0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300}
	m.answer = m.Histogram("switchboard_agent_answer_seconds", "Time from the question to the end of an agent's answer.", seconds, "agent")
	m.firstText = m.Histogram("switchboard_agent_first_text_seconds", "Time from the question to an agent's first text.", seconds, "agent")
	m.Collect("switchboard_requests_refused_total", "Webhook requests turned away.", "counter", nil, func(set func(float64, ...string)) {
		set(float64(a.door.Refused()))
	})
	m.Collect("switchboard_journal_dropped_total", "Journal entries lost because the store was too slow.", "counter", nil, func(set func(float64, ...string)) {
		set(float64(a.journal.Dropped()))
	})
	m.Collect("switchboard_warnings", "Warnings standing now.", "gauge", []string{"code", "severity"}, a.countWarnings)
	m.Collect("switchboard_start_time_seconds", "When the program was started, in seconds since 1970.", "gauge", []string{"version"}, func(set func(float64, ...string)) {
		set(float64(a.since.UnixMilli())/1000, a.opt.Version)
	})
	return m
}

func (a *App) countWarnings(set func(float64, ...string)) {
	counts := map[[2]string]float64{}
	for _, w := range a.health.List() {
		counts[[2]string{string(w.Code), string(w.Severity)}]++
	}
	for key, n := range counts {
		set(n, key[0], key[1])
	}
}

// env is what a bot is lent. What it spends is its account's, if it has one.
func (a *App) env(bot, account string) bridge.Env {
	spend := func(m bridge.Meter) {
		if account != "" {
			a.ledger.Count(account, bot, m)
		}
	}
	return bridge.Env{
		Log: a.log.With(slog.String("bot", bot)),
		Count: func(api string) {
			a.meter.calls.Add(1, bot, api)
			spend(bridge.MeterCalls)
		},
		Pushed:   func() { spend(bridge.MeterPushes) },
		Callback: func() string { return a.callback(bot) },
		Notes:    notes{a.store, bot},
	}
}

// notes are the notes of one bot.
type notes struct {
	store *store.Store
	bot   string
}

// Note implements bridge.Notes.
func (n notes) Note(ctx context.Context, name string) (string, error) {
	return n.store.Note(ctx, n.bot, name)
}

// Keep implements bridge.Notes.
func (n notes) Keep(ctx context.Context, name, note string) error {
	return n.store.KeepNote(ctx, n.bot, name, note)
}

// record counts a journal entry and keeps it.
func (a *App) record(e bridge.Entry) {
	a.meter.record(e)
	a.journal.Record(e)
}

func (m *meter) record(e bridge.Entry) {
	switch e.Kind { //nolint:exhaustive // the others are steps in between
	case bridge.EntryReceived:
		m.received.Add(1, e.Bot)
	case bridge.EntryDuplicate:
		m.duplicates.Add(1, e.Bot)
	case bridge.EntryDelivered:
		if e.Error == "" {
			m.answered.Add(1, e.Bot)
		}
	case bridge.EntryDiscarded:
		m.failed.Add(1, e.Bot, string(e.Error))
	case bridge.EntrySent:
		m.sent.Add(1, e.Bot, string(e.Error))
	case bridge.EntryIgnored:
		if e.Error == bridge.KindQuota {
			m.limited.Add(1, e.Bot)
		}
	}
}

func (m *meter) observe(o engine.Outcome) {
	if o.Agent == "" {
		return
	}
	if o.FirstText > 0 {
		m.firstText.Observe(o.FirstText.Seconds(), o.Agent)
	}
	if o.Err != nil {
		m.agentFailures.Add(1, o.Agent, string(bridge.KindOf(o.Err)))
		return
	}
	m.answer.Observe(o.Took.Round(time.Millisecond).Seconds(), o.Agent)
}
