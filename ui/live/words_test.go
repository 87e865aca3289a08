package live_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/ui/live"
)

func TestAgo(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 14, 30, 0, 0, time.UTC)
	en, zh := live.Words{Lang: bridge.English}, live.Words{Lang: bridge.Chinese}
	tests := []struct {
		at     time.Time
		en, zh string
	}{
		{time.Time{}, "never", "从未"},
		{now.Add(5 * time.Second), "just now", "刚刚"}, // a clock that is ahead
		{now.Add(-3 * time.Second), "just now", "刚刚"},
		{now.Add(-42 * time.Second), "42 s ago", "42 秒前"},
		{now.Add(-59 * time.Minute), "59 min ago", "59 分钟前"},
		{now.Add(-3 * time.Hour), "11:30", "11:30"},
		{now.Add(-15 * time.Hour), "yesterday 23:30", "昨天 23:30"},
		{now.AddDate(0, 0, -10), "22 Feb", "2月22日"},
		{now.AddDate(-1, 0, 0), "2025-03-04", "2025-03-04"},
	}
	for _, tt := range tests {
		if diff := cmp.Diff([]string{tt.en, tt.zh}, []string{en.Ago(tt.at, now), zh.Ago(tt.at, now)}); diff != "" {
			t.Errorf("%v:\n%s", tt.at, diff)
		}
	}
}

func TestLong(t *testing.T) {
	t.Parallel()
	w := live.Words{Lang: bridge.English}
	for d, want := range map[time.Duration]string{0: "0 ms", 480 * time.Millisecond: "480 ms", 2140 * time.Millisecond: "2.1 s", 125 * time.Second: "2 min 5 s"} {
		if got := w.Long(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	w := live.Words{Lang: bridge.Chinese}
	got := []string{w.Platform("feishu"), w.Initial("wecom"), w.Platform("other"), w.Platforms([]bridge.Platform{"feishu", "dingtalk"}), w.Mode("longconn"), w.Mode("other")}
	if diff := cmp.Diff([]string{"飞书", "企", "other", "飞书、钉钉", "长连接", "other"}, got); diff != "" {
		t.Error(diff)
	}
	if got := (live.Words{Lang: bridge.English}).Initial(""); got != "?" {
		t.Errorf("got %q", got)
	}
}

// TestExplainNeverShowsKeys: a key instead of a sentence would be worse than
// saying little.
func TestExplainNeverShowsKeys(t *testing.T) {
	t.Parallel()
	for _, lang := range []bridge.Language{bridge.Chinese, bridge.English} {
		w := live.Words{Lang: lang}
		for _, k := range bridge.Kinds() {
			if got := w.Kind(k); got == "" || got == "error."+string(k) {
				t.Errorf("%s %s: %q", lang, k, got)
			}
		}
		if got := w.Explain(errors.New("sql: something internal")); got == "" || got == "sql: something internal" {
			t.Errorf("%s: shows the raw error", lang)
		}
	}
}

// TestEveryStateHasWords covers the keys that are put together from values.
func TestEveryStateHasWords(t *testing.T) {
	t.Parallel()
	var keys []string
	for _, k := range bridge.EntryKinds() {
		keys = append(keys, "step."+string(k))
	}
	for _, s := range []bridge.BotState{bridge.BotReady, bridge.BotWaiting, bridge.BotFailing, bridge.BotBroken, bridge.BotPaused} {
		keys = append(keys, "bot."+string(s))
	}
	for _, k := range []bridge.ActionKind{bridge.ActionButton, bridge.ActionMenu, bridge.ActionEntered, bridge.ActionJoined, bridge.ActionLeft, bridge.ActionRecalled, bridge.ActionReaction} {
		keys = append(keys, "talks.action."+string(k))
	}
	for _, p := range []string{live.PageOverview, live.PageTalks, live.PagePeople, live.PageSend, live.PagePlayground, live.PageRoutes, live.PagePrivacy, live.PageSettings} {
		keys = append(keys, "page."+p)
	}
	for _, lang := range []bridge.Language{bridge.Chinese, bridge.English} {
		for _, key := range keys {
			if _, ok := i18n.Find(lang, "ui."+key); !ok {
				t.Errorf("%s: no words for %s", lang, key)
			}
		}
	}
}

func TestGrouped(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := live.Grouped(n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}
