package routes

import (
	"context"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
	"switchboard/ui/widget"
)

// calm is how long nothing has to change before the message is tried anew.
const calm = 200 * time.Millisecond

// trial shows what would become of a message under the rules of this moment.
type trial struct {
	page    *Page
	message bridge.RouteTrial
	when    string
	round   int // of the latest question to the house

	bots, roles *fyne.Container
	result      *fyne.Container
	again       func()
}

func newTrial(p *Page) *trial {
	t := &trial{page: p, bots: widget.Column(0), roles: widget.Column(0), result: widget.Column(8)}
	t.message.Text = p.kit.Words.T("routes.sample")
	t.again = live.Debounce(p.ctx, p.kit.Hub, calm, t.ask)
	t.choose(p.choices)
	return t
}

// choose offers the bots and roles there are.
func (t *trial) choose(c bridge.RouteChoices) {
	if t.message.Bot == "" && len(c.Bots) > 0 {
		t.message.Bot = c.Bots[0]
	}
	if t.message.Role == "" && len(c.Roles) > 0 {
		t.message.Role = c.Roles[0]
	}
	roles := make([]string, 0, len(c.Roles))
	for _, r := range c.Roles {
		roles = append(roles, string(r))
	}
	t.bots.Objects = []fyne.CanvasObject{t.choice(c.Bots, same, t.message.Bot, func(v string) { t.message.Bot = v })}
	t.roles.Objects = []fyne.CanvasObject{t.choice(roles, func(v string) string { return t.page.value("role", v) }, string(t.message.Role), func(v string) { t.message.Role = bridge.Role(v) })}
	t.bots.Refresh()
	t.roles.Refresh()
}

func (t *trial) choice(all []string, words func(string) string, chosen string, set func(string)) fyne.CanvasObject {
	return t.page.choice(all, words, chosen, set)
}

func (t *trial) card() fyne.CanvasObject {
	w := t.page.kit.Words
	entry := func(hint string, set func(string)) fyne.CanvasObject { return t.page.entry(w.T(hint), "", set) }
	text := widget.NewEntry(w.T("routes.sample.empty"))
	text.MultiLine, text.Wrapping = true, fyne.TextWrapWord
	text.SetMinRowsVisible(2)
	text.SetText(t.message.Text)
	text.OnChanged = func(s string) {
		t.message.Text = s
		t.try()
	}
	field := func(key string, o fyne.CanvasObject) fyne.CanvasObject {
		return widget.StretchRow(8, 1, widget.Fixed(widget.NewCaption(w.T(key)), 92), o)
	}
	return widget.NewPanel(widget.Column(8,
		widget.NewSubheading(w.T("routes.try")), widget.NewQuiet(w.T("routes.try.hint")), text,
		field("routes.try.bot", t.bots), field("routes.try.role", t.roles),
		field("routes.try.person", entry("routes.try.person.hint", func(s string) { t.message.Person = strings.TrimSpace(s) })),
		field("routes.try.department", entry("routes.try.department.hint", func(s string) { t.message.Department = strings.TrimSpace(s) })),
		field("routes.try.chat", entry("routes.try.chat.hint", func(s string) { t.message.Chat = strings.TrimSpace(s) })),
		field("routes.try.at", entry("routes.try.at.hint", func(s string) { t.when = s })),
		fyneui.NewSeparator(), t.result,
	))
}

// try asks the house soon.
func (t *trial) try() { t.again() }

func (t *trial) ask() {
	p := t.page
	m, rules := t.message, clone(p.draft.want)
	var readable bool
	m.At, readable = moment(t.when, p.kit.Now())
	t.round++
	round := t.round
	live.Ask(p.ctx, p.kit.Hub, func(ctx context.Context) (bridge.RouteVerdict, error) { return p.backend.TryRoutes(ctx, rules, m) },
		func(v bridge.RouteVerdict, err error) {
			if round != t.round { // something newer was asked meanwhile
				return
			}
			t.show(v, err)
			if !readable { // the mistakes of the rules are the same at any time
				t.say(widget.ToneError, p.kit.Words.T("routes.try.at.wrong"))
			}
		})
}

func (t *trial) show(v bridge.RouteVerdict, err error) {
	p, w := t.page, t.page.kit.Words
	if err != nil {
		t.say(widget.ToneError, w.Explain(err))
		return
	}
	p.blame(v.Mistakes)
	t.result.RemoveAll()
	switch {
	case len(v.Mistakes) > 0:
		t.say(widget.ToneWaiting, w.T("routes.try.mistakes"))
		return
	case v.Command != "":
		t.add(widget.ToneOK, w.T("routes.try.command", "command", v.Command))
	case v.Refused != "":
		t.add(widget.ToneAttention, p.find("refused."+v.Refused, v.Refused))
	default:
		t.add(widget.ToneOK, p.then(v.Then))
	}
	defer p.body.Refresh()
	for _, tried := range v.Tried {
		t.result.Add(widget.NewQuiet(t.why(tried)))
	}
	if n := len(v.Tried); n == 0 || !v.Tried[n-1].Holds {
		t.result.Add(widget.NewQuiet(w.T("routes.fallback")))
	}
	t.told(v)
}

func (t *trial) say(tone widget.Tone, text string) {
	t.result.RemoveAll()
	t.add(tone, text)
	t.page.body.Refresh()
}

func (t *trial) add(tone widget.Tone, text string) {
	t.result.Add(widget.StretchRow(8, 1, widget.NewMark(tone, ""), widget.NewParagraph(text)))
}

// why says why a rule holds or does not.
func (t *trial) why(tried bridge.RouteTried) string {
	p, w := t.page, t.page.kit.Words
	key := "routes.try.no"
	if tried.Holds {
		key = "routes.try.yes"
	}
	if tried.By == "" {
		return w.T(key+".all", "rule", tried.Rule)
	}
	return w.T(key, "rule", tried.Rule, "condition", p.condition(tried.By), "want", p.wanted(tried))
}

func (p *Page) wanted(tried bridge.RouteTried) string {
	values := strings.Split(tried.Want, ", ")
	for i, v := range values {
		values[i] = p.value(tried.By, v)
	}
	return strings.Join(values, p.kit.Words.T("list.separator"))
}
