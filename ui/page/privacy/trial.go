package privacy

import (
	"context"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
	"switchboard/ui/widget"
)

// calm is how long nothing has to change before the sample is masked anew.
const calm = 150 * time.Millisecond

// trial shows what becomes of a sample under the rules of this moment.
type trial struct {
	kit     live.Kit
	preview func(sample string) ([]bridge.Masked, error)
	tried   func(error)

	sample *widget.Entry
	result *fyneui.RichText
	found  *widget.Line
	wrong  *fyne.Container
	again  func()
}

func newTrial(ctx context.Context, kit live.Kit, preview func(string) ([]bridge.Masked, error), tried func(error)) *trial {
	t := &trial{kit: kit, preview: preview, tried: tried}
	t.sample = widget.NewEntry(kit.Words.T("privacy.sample.empty"))
	t.sample.MultiLine = true
	t.sample.Wrapping = fyne.TextWrapWord
	t.sample.SetMinRowsVisible(6)
	t.sample.SetText(kit.Words.T("privacy.sample"))
	t.sample.OnChanged = func(string) { t.try() }
	t.result = fyneui.NewRichText()
	t.result.Wrapping = fyne.TextWrapWord
	t.found = widget.NewCaption("").Elastic()
	t.wrong = widget.Column(0)
	t.again = live.Debounce(ctx, kit.Hub, calm, t.show)
	return t
}

func (t *trial) card(w live.Words) fyne.CanvasObject {
	return card(w.T("privacy.try"), widget.NewQuiet(w.T("privacy.try.hint")), t.sample,
		widget.NewCaption(w.T("privacy.becomes")), widget.Tight(t.result), t.found, t.wrong)
}

// try masks the sample soon.
func (t *trial) try() { t.again() }

func (t *trial) show() {
	sample := t.sample.Text
	found, err := t.preview(sample)
	t.wrong.RemoveAll()
	if err != nil {
		t.wrong.Add(widget.StretchRow(8, 1, widget.NewMark(widget.ToneError, ""), widget.NewParagraph(t.kit.Words.Explain(err))))
	} else {
		t.result.Segments = masked(sample, found)
		t.result.Refresh()
	}
	t.found.Set(t.count(found))
	t.tried(err)
}

// masked is the sample as people would read it, with what is hidden standing out.
func masked(sample string, found []bridge.Masked) []fyneui.RichTextSegment {
	plain, hidden := fyneui.RichTextStyleInline, fyneui.RichTextStyleInline
	hidden.ColorName, hidden.TextStyle.Bold = theme.ColorNamePrimary, true
	var all []fyneui.RichTextSegment
	at := 0
	for _, m := range found {
		all = append(all,
			&fyneui.TextSegment{Text: widget.Breakable(sample[at:m.Start]), Style: plain},
			&fyneui.TextSegment{Text: m.Shown, Style: hidden})
		at = m.End
	}
	return append(all, &fyneui.TextSegment{Text: widget.Breakable(sample[at:]), Style: plain})
}

// count says how many values of each kind are hidden.
func (t *trial) count(found []bridge.Masked) string {
	w := t.kit.Words
	if len(found) == 0 {
		return w.T("privacy.found.none")
	}
	var order []string
	n := map[string]int{}
	for _, m := range found {
		if n[m.Rule] == 0 {
			order = append(order, m.Rule)
		}
		n[m.Rule]++
	}
	parts := make([]string, 0, len(order))
	for _, rule := range order {
		parts = append(parts, w.T("privacy.found.one", "rule", ruleWords(w, rule), "n", n[rule]))
	}
	return strings.Join(parts, w.T("list.separator"))
}
