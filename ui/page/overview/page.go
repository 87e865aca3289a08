package overview

import (
	"context"
	"slices"
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
	"switchboard/ui/widget"
)

// Page is the overview.
type Page struct {
	kit     live.Kit
	content fyne.CanvasObject
	view    *live.View[state]
	backend Backend

	received, answered, failed, waiting *number
	notices                             *fyne.Container
	bots, agents                        *fyne.Container
	budgets                             *fyne.Container
	month                               fyne.CanvasObject
	address                             *widget.Line
	addressRow, empty, full             fyne.CanvasObject
	scroll                              *container.Scroll

	botCards   []*bot
	agentCards []*agent
	botIDs     []string
	agentIDs   []string
	allowances []budgetCard
	said       []bridge.Notice
	public     string
}

// state is everything the page shows.
type state struct {
	overview bridge.Overview
	notices  []bridge.Notice
}

// New builds the page; it lives until ctx ends.
func New(ctx context.Context, kit live.Kit, backend Backend) *Page {
	p := &Page{kit: kit, backend: backend}
	p.build()
	p.view = live.NewView(kit.Hub, live.Kind(bridge.ChangeOverview, live.Tick), func(ctx context.Context) (state, error) {
		o, err := backend.Overview(ctx)
		return state{o, backend.Notices(kit.Words.Lang)}, err
	}, p.show)
	kit.Hub.Go(ctx, p.view.Run)
	return p
}

// Content is what the window shows.
func (p *Page) Content() fyne.CanvasObject { return p.content }

// Shown says whether the page is in front.
func (p *Page) Shown(on bool) { p.view.Shown(on) }

// Refresh reads everything again at once.
func (p *Page) Refresh() { p.view.Refresh() }

func (p *Page) build() {
	w := p.kit.Words
	p.received = newNumber(w.T("overview.received"), theme.ColorNameForeground)
	p.answered = newNumber(w.T("overview.answered"), theme.ColorNameSuccess)
	p.waiting = newNumber(w.T("overview.waiting"), theme.ColorNameForeground)
	p.failed = newNumber(w.T("overview.failed"), theme.ColorNameForeground)
	p.notices = widget.Column(10)
	p.notices.Hide()
	p.bots, p.agents, p.budgets = widget.NewGrid(246, 12), widget.NewGrid(246, 12), widget.NewGrid(246, 12)
	p.month = section(w.T("overview.month"), w.T("overview.month.hint"))

	p.address = widget.NewLine("").Mono().Sized(theme.SizeNameCaptionText).Elastic()
	copyButton := fyneui.NewButtonWithIcon(w.T("copy"), theme.ContentCopyIcon(), func() { p.kit.Shell.Copy(p.public) })
	copyButton.Importance = fyneui.LowImportance
	p.addressRow = widget.StretchRow(6, 1, widget.NewCaption(w.T("overview.address")), p.address, copyButton)

	p.full = widget.Column(12,
		widget.NewGrid(120, 12, p.received.root, p.answered.root, p.waiting.root, p.failed.root),
		p.notices,
		section(w.T("overview.channels"), w.T("overview.channels.hint")),
		p.bots, p.addressRow,
		section(w.T("overview.agents"), w.T("overview.agents.hint")),
		p.agents,
		p.month, p.budgets,
	)
	p.empty = p.teach()
	p.full.Hide()
	p.empty.Hide()
	p.scroll = container.NewVScroll(widget.Inset(widget.Measure(container.NewStack(p.full, p.empty), 1180, false), 4, 24))
	p.content = container.NewBorder(widget.Inset(widget.NewHeading(w.T("page.overview")), 18, 24), nil, nil, nil, p.scroll)
}

func section(title, hint string) fyne.CanvasObject {
	return widget.Inset(widget.Row(10, widget.NewSubheading(title), widget.NewCaption(hint)), 6, 0)
}

// teach is what an office without channels sees.
func (p *Page) teach() fyne.CanvasObject {
	w := p.kit.Words
	try := fyneui.NewButtonWithIcon(w.T("overview.try"), theme.MediaPlayIcon(), func() { p.kit.Shell.Visit(live.PagePlayground) })
	try.Importance = fyneui.HighImportance
	steps := widget.Column(10)
	for i := range 3 {
		n := strconv.Itoa(i + 1)
		steps.Add(widget.StretchRow(10, 1, widget.NewNumber(n, 26), widget.NewParagraph(w.T("overview.empty.step"+n))))
	}
	inner := widget.Column(16,
		widget.NewSubheading(w.T("overview.empty")), widget.NewQuiet(w.T("overview.empty.hint")), steps,
		widget.Row(10, try),
	)
	return widget.Column(0, widget.Measure(widget.NewPanel(widget.Inset(inner, 12, 12)), 620, false))
}

func (p *Page) show(s state, err error) {
	if err != nil {
		p.kit.Shell.Trouble(err)
		return
	}
	o := s.overview
	p.received.value.Set(strconv.Itoa(o.Received))
	p.answered.value.Set(strconv.Itoa(o.Answered))
	p.waiting.value.Set(strconv.Itoa(waiting(o)))
	p.failed.value.Set(strconv.Itoa(o.Failed))
	p.failed.value.SetColor(theme.ColorNameForeground)
	if o.Failed > 0 {
		p.failed.value.SetColor(theme.ColorNameError)
	}
	p.public = o.PublicURL
	p.address.Set(o.PublicURL)
	widget.Show(p.addressRow, o.PublicURL != "")
	p.showNotices(s.notices)
	p.showBots(o, s.notices)
	p.showAgents(o)
	p.showBudgets(describeBudgets(p.kit.Words, o.Budgets))
	none := len(o.Bots) == 0
	widget.Show(p.empty, none)
	widget.Show(p.full, !none)
	if tall := p.scroll.Content.MinSize().Height; tall != p.scroll.Content.Size().Height {
		p.scroll.Refresh() // it has to learn that its content has grown
	}
}

func (p *Page) showNotices(notices []bridge.Notice) {
	if slices.Equal(p.said, notices) {
		return
	}
	p.said = notices
	p.notices.RemoveAll()
	for _, n := range notices {
		p.notices.Add(p.notice(n))
	}
	widget.Show(p.notices, len(notices) > 0)
}

func (p *Page) showBudgets(cards []budgetCard) {
	widget.Show(p.month, len(cards) > 0)
	if slices.Equal(p.allowances, cards) {
		return
	}
	p.allowances = cards
	p.budgets.RemoveAll()
	for _, c := range cards {
		p.budgets.Add(c.show())
	}
}

func (p *Page) notice(n bridge.Notice) fyne.CanvasObject {
	w := p.kit.Words
	tone := noticeTone(n.Severity)
	head := widget.StretchRow(8, 1, widget.NewMark(tone, ""), widget.NewLine(n.Title).Bold().Elastic(), widget.NewCaption(w.T("notice.since", "when", w.When(n.Since, p.kit.Now()))))
	lines := widget.Column(4, head)
	if n.Detail != "" {
		lines.Add(widget.NewParagraph(n.Detail))
	}
	if n.Next != "" {
		copyButton := fyneui.NewButtonWithIcon(w.T("copy"), theme.ContentCopyIcon(), func() { p.kit.Shell.Copy(joined(n.Title, n.Detail, n.Next)) })
		copyButton.Importance = fyneui.LowImportance
		next := widget.NewParagraph(w.T("notice.next", "next", n.Next))
		lines.Add(widget.StretchRow(8, 0, next, copyButton))
	}
	if aboutTunnel(n) {
		again := fyneui.NewButtonWithIcon(w.T("overview.reconnect"), theme.ViewRefreshIcon(), p.backend.Reconnect)
		lines.Add(widget.Inset(widget.Row(0, again), 4, 0))
	}
	return widget.NewTinted(lines, tone.Color())
}

func (p *Page) showBots(o bridge.Overview, notices []bridge.Notice) {
	w, now := p.kit.Words, p.kit.Now()
	ids := make([]string, len(o.Bots))
	for i, b := range o.Bots {
		ids[i] = b.ID
	}
	if !slices.Equal(ids, p.botIDs) {
		p.botIDs, p.botCards = ids, nil
		p.bots.RemoveAll()
		for _, b := range o.Bots {
			card := newBot(p.kit, describeBot(w, now, b, o.PublicURL, notices))
			p.botCards = append(p.botCards, card)
			p.bots.Add(card.root)
		}
		return
	}
	for i, b := range o.Bots {
		p.botCards[i].set(describeBot(w, now, b, o.PublicURL, notices))
	}
}

func (p *Page) showAgents(o bridge.Overview) {
	w, now := p.kit.Words, p.kit.Now()
	ids := make([]string, len(o.Agents))
	for i, a := range o.Agents {
		ids[i] = a.ID
	}
	if !slices.Equal(ids, p.agentIDs) {
		p.agentIDs, p.agentCards = ids, nil
		p.agents.RemoveAll()
		for _, a := range o.Agents {
			card := newAgent(describeAgent(w, now, a))
			p.agentCards = append(p.agentCards, card)
			p.agents.Add(card.root)
		}
		return
	}
	for i, a := range o.Agents {
		p.agentCards[i].set(describeAgent(w, now, a))
	}
}
