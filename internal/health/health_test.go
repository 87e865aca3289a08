package health_test

import (
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/health"
	"switchboard/internal/i18n"
)

func TestRegistry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var r health.Registry
		w := health.Warning{Code: health.BotFailing, Severity: bridge.SeverityWarning, Affects: "b"}
		if !r.Raise(w) {
			t.Error("a new warning is no change")
		}
		begin := time.Now()
		time.Sleep(time.Hour)
		if r.Raise(w) {
			t.Error("the same warning is a change")
		}
		r.Raise(health.Warning{Code: health.StoreFailing, Severity: bridge.SeverityError})
		got := r.List()
		if len(got) != 2 || got[0].Code != health.StoreFailing || !got[1].Since.Equal(begin) {
			t.Errorf("list %+v", got)
		}
		if !r.Clear(health.BotFailing, "b") || r.Clear(health.BotFailing, "b") || len(r.List()) != 1 {
			t.Error("clearing is wrong")
		}
	})
}

func TestWords(t *testing.T) {
	t.Parallel()
	for _, code := range health.Codes() {
		for _, lang := range []bridge.Language{bridge.Chinese, bridge.English} {
			for _, key := range []string{"warning." + string(code), "warning." + string(code) + ".next"} {
				if _, ok := i18n.Find(lang, key); !ok {
					t.Errorf("%s has no %q", lang, key)
				}
			}
		}
	}
}
