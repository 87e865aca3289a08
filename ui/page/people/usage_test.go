package people_test

import (
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
	"switchboard/ui/page/people"
	"switchboard/ui/uitest"
	"switchboard/ui/widget"
)

func TestUsageInWords(t *testing.T) {
	t.Parallel()
	midnight := time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		lang  bridge.Language
		usage bridge.PersonUsage
		want  []string
	}{
		"nothing": {bridge.English, bridge.PersonUsage{Quota: bridge.Quota{Resets: midnight}}, []string{"Nothing asked this month or last."}},
		"nothing, of a limit": {bridge.Chinese, bridge.PersonUsage{Quota: bridge.Quota{PerDay: 20, Resets: midnight}}, []string{
			"今天", "提问 0 / 20 (0%)", "Token 0", "00:00 重新计数", "本月和上月都没有提问。",
		}},
		"no limit": {bridge.English, bridge.PersonUsage{
			LastMonth: bridge.UsageRow{Questions: 1, Answers: 1, Tokens: 1234},
			Quota:     bridge.Quota{Asked: 2, Resets: midnight},
		}, []string{
			"Today", "Questions 2", "Tokens 0", "counted anew from 00:00",
			"This month", "Questions 0", "Answers 0", "Tokens 0", "Last month", "Questions 1", "Answers 1", "Tokens 1,234",
		}},
		"over the limit, two currencies": {bridge.English, bridge.PersonUsage{
			ThisMonth: bridge.UsageRow{Questions: 3, Answers: 2, Prices: []bridge.Price{{Amount: "0.5", Currency: "CNY"}, {Amount: "0.07", Currency: "USD"}}},
			Quota:     bridge.Quota{TokensPerDay: 1000, Tokens: 1500, Resets: midnight.In(time.FixedZone("", 8*3600))},
		}, []string{
			"Today", "Questions 0", "Tokens 1,500 of 1,000 (100%)", "counted anew from 00:00",
			"This month", "Questions 3", "Answers 2", "Tokens 0", "Price 0.5 CNY", " 0.07 USD",
			"Last month", "Questions 0", "Answers 0", "Tokens 0",
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, people.DescribeUsage(live.Words{Lang: tt.lang}, at(), tt.usage).Lines()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUsageIsShown(t *testing.T) {
	atDesk(t, busy(), func(d *desk) {
		for _, text := range []string{"Usage", "12 of 50", "counted anew from 00:00", "154,907", "1.84 CNY", "0.2175 USD"} {
			if !d.says(text) {
				d.Errorf("does not say %q", text)
			}
		}
		d.do(func() { d.Select(3) })
		if d.says("This month") || !d.says("Usage") {
			d.Error("shows months of zeros, or nothing")
		}
	})
}

// TestUsageInANarrowWindow: what has no room goes below, and nothing is wider than
// what there is.
func TestUsageInANarrowWindow(t *testing.T) {
	atDesk(t, busy(), func(d *desk) {
		top := func(text string) float32 {
			line, ok := uitest.Find(d.Body(), func(l *widget.Line) bool { return l.Text() == text })
			if !ok {
				d.Fatalf("does not say %q", text)
			}
			return fyne.CurrentApp().Driver().AbsolutePositionForObject(line).Y
		}
		d.do(func() { uitest.Show(d.T, d.Content(), 1000, 1400) })
		if top("Today") != top("Last month") {
			d.Error("not beside one another in a wide window")
		}
		d.do(func() { uitest.Show(d.T, d.Content(), 360, 1400) })
		if top("Today") >= top("Last month") {
			d.Error("beside one another in a narrow window")
		}
		if room := d.Body().Size().Width; room < d.Body().MinSize().Width {
			d.Errorf("%v wide, needs %v", room, d.Body().MinSize().Width)
		}
	})
}
