package send

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/ui/live"
	"switchboard/ui/widget"
)

// history lists what this window sent, which is kept in memory, and below that what
// the audit knows of before and of elsewhere.
type history struct {
	page    *Page
	rows    *fyne.Container
	earlier []bridge.EarlierSend
}

// find asks what was sent before.
func (h *history) find() {
	p := h.page
	live.Ask(p.ctx, p.kit.Hub, p.backend.EarlierSends, func(all []bridge.EarlierSend, err error) {
		if err != nil {
			p.kit.Shell.Trouble(err)
			return
		}
		if !slices.Equal(h.earlier, all) {
			h.earlier = all
			h.show()
			p.body.Refresh()
		}
	})
}

func newHistory(p *Page) *history { return &history{page: p, rows: widget.Column(12)} }

func (h *history) card() fyne.CanvasObject {
	return card(h.page.kit.Words.T("send.history"), h.rows)
}

func (h *history) show() {
	w := h.page.kit.Words
	h.rows.RemoveAll()
	if len(h.page.draft.sent)+len(h.earlier) == 0 {
		h.rows.Add(widget.NewQuiet(w.T("send.history.empty")))
	}
	for n, i := range h.page.draft.sent {
		if n > 0 {
			h.rows.Add(fyneui.NewSeparator())
		}
		h.rows.Add(h.row(i))
	}
	if len(h.earlier) == 0 {
		return
	}
	older := widget.Column(8)
	for _, s := range h.earlier {
		older.Add(h.before(s))
	}
	if len(h.page.draft.sent) > 0 {
		h.rows.Add(fyneui.NewSeparator())
	}
	h.rows.Add(widget.NewCaption(w.T("send.history.earlier")).Bold().Elastic())
	h.rows.Add(older)
}

// before is a send of the audit.
func (h *history) before(s bridge.EarlierSend) fyne.CanvasObject {
	w := h.page.kit.Words
	tone, parts := widget.ToneOK, []string{i18n.Text(w.Lang, "content."+string(s.Kind)), s.Bot}
	if s.Error != "" {
		tone = widget.ToneError
	}
	if s.By.Where != "window" {
		parts = append(parts, w.By(s.By))
	}
	head := widget.StretchRow(8, 1, widget.NewMark(tone, ""), widget.NewLine(cmp.Or(s.To, s.Bot)).Elastic(), widget.NewCaption(w.When(s.At, h.page.kit.Now())))
	row := widget.Column(3, head, widget.NewCaption(strings.Join(parts, w.T("list.dot"))).Elastic())
	if s.Error != "" {
		row.Add(widget.NewQuiet(strings.TrimRight(w.Explanation(&bridge.Error{Kind: s.Error}).What, "：: "))) // the audit has no details
	}
	return row
}

func (h *history) row(i *item) fyne.CanvasObject {
	w := h.page.kit.Words
	tone := widget.ToneOK
	switch {
	case i.err != nil:
		tone = widget.ToneError
	case i.gone:
		tone = widget.TonePaused
	}
	what := i18n.Text(w.Lang, "content."+string(i.kind)) + w.T("list.dot") + i.bot
	head := widget.StretchRow(8, 2, widget.NewMark(tone, ""), widget.NewBadge(w.Initial(i.platform), i.platform, 16),
		widget.NewLine(i.to).Bold().Elastic(), widget.NewCaption(i.at.Format("15:04:05")))
	row := widget.Column(4, head, widget.NewCaption(what).Elastic())
	if i.err != nil {
		row.Add(widget.NewQuiet(w.Explanation(i.err).What))
		return row
	}
	row.Add(h.tools(i))
	return row
}

// tools are what can be done about something that was sent.
func (h *history) tools(i *item) fyne.CanvasObject {
	w, p := h.page.kit.Words, h.page
	id := string(i.sent.Message)
	words := widget.NewCaption(w.T("send.id.none")).Elastic()
	row := widget.StretchRow(6, 0, words)
	if id != "" {
		words.Mono().Set(id)
		copying := fyneui.NewButtonWithIcon("", theme.ContentCopyIcon(), func() { p.kit.Shell.Copy(id) })
		copying.Importance = fyneui.LowImportance
		row.Add(copying)
	}
	switch {
	case i.gone:
		row.Add(widget.NewCaption(w.T("send.gone")))
	case i.sent.Recallable:
		row.Add(fyneui.NewButtonWithIcon(w.T("send.take_back"), theme.ContentUndoIcon(), p.kit.Hub.Tap(p.ctx, func() { h.takeBack(i) })))
	}
	return row
}

func (h *history) takeBack(i *item) {
	p := h.page
	live.Act(p.ctx, p.kit.Hub, func(ctx context.Context) error { return p.backend.TakeBack(ctx, i.sent.Key) }, func(err error) {
		if err != nil {
			p.kit.Shell.Trouble(err)
			return
		}
		i.gone = true
		p.kit.Shell.Say(p.kit.Words.T("send.taken_back"))
		if p.result.Visible() && p.draft.sent[0] == i {
			p.tell(i)
		}
		h.show()
		p.body.Refresh()
	})
}
