package people

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
	"switchboard/ui/widget"
)

// usage is what the person asked lately, and may still ask today.
func (d *detail) usage() fyne.CanvasObject {
	w := d.kit.Words
	return section(w.T("people.usage"), describeUsage(w, d.kit.Now(), d.shown.Usage).show())
}

// usage is what a person asked, in words: a few spans of time, or one sentence.
type usage struct {
	spans []span
	none  string
}

// span is today or a month.
type span struct {
	title, foot string
	counts      []count
}

// count is a number and what it counts.
type count struct {
	label, value string
	share        float64 // of the limit
	limited      bool
}

// describeUsage leaves out what would only be zeros: today where there is neither a
// limit nor a question, and the months where nothing was asked in both.
func describeUsage(w live.Words, now time.Time, u bridge.PersonUsage) usage {
	var all usage
	q := u.Quota
	if q.PerDay > 0 || q.TokensPerDay > 0 || q.Asked > 0 || q.Tokens > 0 {
		all.spans = append(all.spans, span{
			title: w.T("people.usage.today"), foot: w.T("people.usage.resets", "when", clock(now, q.Resets)),
			counts: []count{limited(w, "questions", q.Asked, q.PerDay), limited(w, "tokens", q.Tokens, q.TokensPerDay)},
		})
	}
	if u.ThisMonth.Questions == 0 && u.LastMonth.Questions == 0 {
		all.none = w.T("people.usage.none")
		return all
	}
	all.spans = append(all.spans, month(w, "this_month", u.ThisMonth), month(w, "last_month", u.LastMonth))
	return all
}

// clock is when the day of the limits ends, on the clock of whoever looks.
func clock(now, at time.Time) string { return at.In(now.Location()).Format("15:04") }

func limited(w live.Words, what string, used, limit int) count {
	c := count{label: w.T("people.usage." + what), value: live.Grouped(used)}
	if limit > 0 {
		c.limited, c.share = true, min(1, float64(used)/float64(limit))
		c.value = w.T("people.usage.of", "used", c.value, "limit", live.Grouped(limit))
	}
	return c
}

func month(w live.Words, title string, r bridge.UsageRow) span {
	s := span{title: w.T("people.usage." + title), counts: []count{
		limited(w, "questions", r.Questions, 0), limited(w, "answers", r.Answers, 0), limited(w, "tokens", r.Tokens, 0),
	}}
	label := w.T("people.usage.price")
	for _, p := range r.Prices {
		s.counts = append(s.counts, count{label: label, value: p.Amount + " " + p.Currency})
		label = "" // a column of prices has one name
	}
	return s
}

// spanWide is how wide a span is at least; in a narrow window they stand below one
// another.
const spanWide = 140

func (u usage) show() fyne.CanvasObject {
	all := widget.Column(10)
	if len(u.spans) > 0 {
		wide, spans := float32(spanWide), make([]fyne.CanvasObject, 0, len(u.spans))
		for _, s := range u.spans {
			o := s.show()
			wide, spans = max(wide, o.MinSize().Width), append(spans, o)
		}
		all.Add(widget.NewGrid(wide, 20, spans...))
	}
	if u.none != "" {
		all.Add(widget.NewQuiet(u.none))
	}
	return all
}

func (s span) show() fyne.CanvasObject {
	rows := widget.Column(5, widget.NewCaption(s.title).Bold().Elastic())
	for _, c := range s.counts {
		value := widget.NewLine(c.value)
		rows.Add(widget.StretchRow(8, 0, widget.NewCaption(c.label), value))
		if !c.limited {
			continue
		}
		if c.share >= 1 {
			value.Colored(theme.ColorNameError)
		}
		meter := widget.NewMeter()
		meter.Set(c.share)
		rows.Add(meter)
	}
	if s.foot != "" {
		rows.Add(widget.NewCaption(s.foot).Elastic())
	}
	return rows
}
