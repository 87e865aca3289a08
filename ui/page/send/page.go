package send

import (
	"context"
	"reflect"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
	"switchboard/ui/widget"
)

// calm is how long nothing has to change before something is asked anew.
const calm = 200 * time.Millisecond

// Page is the page to send from.
type Page struct {
	kit     live.Kit
	backend Backend
	opt     Options
	ctx     context.Context //nolint:containedctx // of the page; callbacks of widgets get none
	draft   *Draft
	view    *live.View[[]bridge.SendBot]
	bots    []bridge.SendBot

	content, empty fyne.CanvasObject
	body           *container.Scroll
	channel        *fyneui.Select
	broken         *fyne.Container
	receivers      *receivers
	editor         *editor
	preview        *preview
	result         *fyne.Container
	history        *history
	send, clear    *fyneui.Button
	hint           *widget.Line
}

// New builds the page. Everything it starts ends with ctx.
func New(ctx context.Context, kit live.Kit, backend Backend, draft *Draft, opt Options) *Page {
	p := &Page{kit: kit, backend: backend, opt: opt, ctx: ctx, draft: draft}
	draft.page = p
	p.receivers = newReceivers(p)
	p.editor = newEditor(p)
	p.preview = newPreview(p)
	p.history = newHistory(p)
	p.build()
	p.view = live.NewView(kit.Hub, live.Kind(bridge.ChangeOverview), func(context.Context) ([]bridge.SendBot, error) {
		return backend.SendBots(), nil
	}, func(all []bridge.SendBot, _ error) { p.offer(all) })
	kit.Hub.Go(ctx, p.view.Run)
	return p
}

// Content is what the window shows.
func (p *Page) Content() fyne.CanvasObject { return p.content }

// Shown says whether the page is in front.
func (p *Page) Shown(on bool) {
	p.view.Shown(on)
	if on {
		p.Refresh()
	}
}

// Refresh reads everything again; what was written stays.
func (p *Page) Refresh() {
	p.view.Refresh()
	p.receivers.find()
	p.history.find()
	p.preview.soon()
}

func (p *Page) build() {
	w := p.kit.Words
	p.channel = fyneui.NewSelect(nil, nil)
	p.channel.PlaceHolder = w.T("send.channel.choose")
	p.broken = widget.Column(0)
	p.result = widget.Column(0)
	p.result.Hide()
	p.hint = widget.NewCaption(w.T("send.keys")).Elastic()
	p.clear = fyneui.NewButton(w.T("send.clear"), p.kit.Hub.Tap(p.ctx, p.wipe))
	p.send = fyneui.NewButtonWithIcon(w.T("send.send"), widget.Icon("send.svg", theme.ColorNameForegroundOnPrimary), p.kit.Hub.Tap(p.ctx, p.Submit))
	p.send.Importance = fyneui.HighImportance
	left := card(w.T("send.message"),
		field(w.T("send.channel"), p.channel, p.broken),
		field(w.T("send.to"), p.receivers.root),
		field(w.T("send.content"), p.editor.root),
	)
	right := widget.Column(12, p.preview.card(), p.history.card())
	columns := widget.NewGrid(370, 12, widget.Column(0, left), right)
	p.body = container.NewVScroll(widget.Inset(widget.Measure(columns, 1080, false), 4, 24))
	head := widget.StretchRow(10, 1, widget.NewHeading(w.T("page.send")), p.hint, p.clear, p.send)
	page := container.NewBorder(widget.Inset(widget.Column(10, head, p.result), 18, 24), nil, nil, nil, p.body)
	p.empty = p.nothing()
	p.empty.Hide()
	p.content = container.NewStack(page, p.empty)
}

// nothing is the state without any bot.
func (p *Page) nothing() fyne.CanvasObject {
	w := p.kit.Words
	try := fyneui.NewButtonWithIcon(w.T("overview.try"), theme.MediaPlayIcon(), func() { p.kit.Shell.Visit(live.PagePlayground) })
	try.Importance = fyneui.HighImportance
	inner := widget.Column(12, widget.NewSubheading(w.T("send.none")), widget.NewQuiet(w.T("send.none.hint")), widget.Row(0, try))
	ground := widget.NewBar(container.NewCenter(widget.Fixed(widget.NewPanel(widget.Inset(inner, 10, 10)), 420)), theme.ColorNameBackground)
	return ground
}

func card(title string, content ...fyne.CanvasObject) fyne.CanvasObject {
	inner := widget.Column(12, widget.NewSubheading(title))
	for _, c := range content {
		inner.Add(c)
	}
	return widget.NewPanel(inner)
}

func field(name string, content ...fyne.CanvasObject) fyne.CanvasObject {
	inner := widget.Column(5, widget.NewCaption(name))
	for _, c := range content {
		inner.Add(c)
	}
	return inner
}

// offer shows the bots there are. The one that was chosen stays chosen, and what is
// as it was is not built anew under the pointer.
func (p *Page) offer(all []bridge.SendBot) {
	if p.bots != nil && reflect.DeepEqual(p.bots, all) {
		return
	}
	before, _ := p.bot()
	p.bots = all
	if before.ID == "" || before.Err != nil {
		p.receivers.find() // for the bot of a draft that was begun before, and one that works again
	}
	widget.Show(p.empty, len(all) == 0)
	labels := make([]string, len(all))
	for i, b := range all {
		labels[i] = p.kit.Words.Platform(b.Platform) + p.kit.Words.T("list.dot") + b.ID
	}
	at := slices.IndexFunc(all, func(b bridge.SendBot) bool { return b.ID == p.draft.bot })
	if at < 0 && len(all) > 0 {
		at = max(0, slices.IndexFunc(all, func(b bridge.SendBot) bool { return b.Err == nil }))
		p.Choose(all[at].ID)
	}
	p.channel.OnChanged = nil
	p.channel.SetOptions(labels)
	if at >= 0 {
		p.channel.SetSelectedIndex(at)
	}
	p.channel.OnChanged = func(string) { p.picked() }
	p.show()
}

// picked takes the bot that was picked from the list, which may have opened before
// one of them went away.
func (p *Page) picked() {
	i := p.channel.SelectedIndex()
	if i < 0 {
		p.channel.SetSelectedIndex(slices.IndexFunc(p.bots, func(b bridge.SendBot) bool { return b.ID == p.draft.bot }))
		return
	}
	p.Choose(p.bots[i].ID)
}

// Choose takes another bot. Who was chosen may have no place there.
func (p *Page) Choose(bot string) {
	if p.draft.bot == bot {
		return
	}
	p.draft.bot = bot
	p.draft.to = bridge.Receiver{}
	p.changed()
	p.receivers.begin()
	p.show()
}

// bot is the one that is chosen.
func (p *Page) bot() (bridge.SendBot, bool) {
	i := slices.IndexFunc(p.bots, func(b bridge.SendBot) bool { return b.ID == p.draft.bot })
	if i < 0 {
		return bridge.SendBot{}, false
	}
	return p.bots[i], true
}

// show brings what depends on the bot in line with it.
func (p *Page) show() {
	p.broken.RemoveAll()
	if b, ok := p.bot(); ok && b.Err != nil {
		p.broken.Add(p.trouble(b.Err))
	}
	p.receivers.show()
	p.history.show()
	p.enable()
	p.body.Refresh()
}

// changed follows a change of what would be sent.
func (p *Page) changed() {
	p.draft.changed()
	p.tell(nil)
	p.preview.soon()
	p.enable()
}

func (p *Page) enable() {
	b, ok := p.bot()
	addressed := b.Fixed || p.draft.receives()
	can := ok && b.Err == nil && addressed && !p.draft.empty() && p.preview.err == nil && !p.draft.busy
	widget.Enable(p.send, can)
	widget.Enable(p.clear, !p.draft.empty() && !p.draft.busy)
	w := p.kit.Words
	switch {
	case p.draft.busy:
		p.hint.Set(w.T("send.busy"))
	case ok && !addressed:
		p.hint.Set(w.T("send.nobody"))
	default:
		p.hint.Set(w.T("send.keys"))
	}
	label := w.T("send.send")
	if p.draft.done {
		label = w.T("send.again")
	}
	if p.send.Text != label {
		p.send.SetText(label)
	}
}

func (p *Page) wipe() {
	p.draft.clear()
	p.editor.show()
	p.changed()
}

// Submit sends what is written, if that can be sent now.
func (p *Page) Submit() {
	b, ok := p.bot()
	if p.send.Disabled() || !ok {
		return
	}
	s := p.draft.ready()
	i := &item{at: p.kit.Now(), to: p.receivers.name(), bot: b.ID, platform: b.Platform, kind: p.draft.chosen()}
	p.draft.busy = true
	p.tell(nil)
	p.enable()
	live.Ask(p.opt.Lasting, p.kit.Hub, func(ctx context.Context) (bridge.Sent, error) { return p.backend.Send(ctx, s) }, func(sent bridge.Sent, err error) {
		p.draft.busy = false
		i.sent, i.err = sent, err
		if err == nil && p.draft.key == s.Key { // nothing was changed meanwhile
			p.draft.done = true
		}
		p.draft.remember(i)
		p.draft.page.over(i)
	})
}

// over tells what became of a send.
func (p *Page) over(i *item) {
	p.tell(i)
	p.history.show()
	p.enable()
	p.body.Refresh()
}

// tell says below the button what became of it; nothing takes that away again.
func (p *Page) tell(i *item) {
	w := p.kit.Words
	p.result.RemoveAll()
	widget.Show(p.result, i != nil)
	switch {
	case i == nil:
	case i.err != nil:
		p.result.Add(widget.NewTinted(p.trouble(i.err), theme.ColorNameError))
	default:
		line := widget.NewParagraph(w.T("send.sent", "to", i.to, "took", w.Long(i.sent.Took)))
		words := widget.StretchRow(8, 1, widget.NewMark(widget.ToneOK, ""), line)
		p.result.Add(widget.NewTinted(widget.Column(4, words, p.history.tools(i)), theme.ColorNameSuccess))
	}
	p.content.Refresh()
}

// trouble is an error in words, with the next step.
func (p *Page) trouble(err error) fyne.CanvasObject {
	e := p.kit.Words.Explanation(err)
	words := widget.Column(3, widget.NewParagraph(e.What))
	if e.Next != "" {
		words.Add(widget.NewQuiet(e.Next))
	}
	return widget.StretchRow(8, 1, widget.NewMark(widget.ToneError, ""), words)
}
