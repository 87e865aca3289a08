package people

import (
	"context"
	"reflect"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
	"switchboard/ui/widget"
)

// sideWide is how wide each of two people is at least; in a narrow window they stand
// below one another.
const sideWide = 230

// alike shows who may be one human being, two by two. What it shows is built afresh
// when it changed; while somebody looks at what a merge would do, it stays.
type alike struct {
	kit     live.Kit
	backend Backend
	ctx     context.Context //nolint:containedctx // of the page; callbacks of widgets get none
	view    *live.View[bridge.Likenesses]
	reveal  func(person string)
	changed func(total int)

	root, body *fyne.Container
	scroll     *container.Scroll
	known      *bridge.Likenesses
	looking    fyne.CanvasObject // the preview that is open
	acting     bool
	stale      bool // something was done: it is shown afresh, whatever it looks like
}

// newAlike makes it: reveal shows somebody in the list, and changed hears how many
// pairs there are.
func newAlike(ctx context.Context, kit live.Kit, backend Backend, head fyne.CanvasObject, reveal func(string), changed func(int)) *alike {
	a := &alike{kit: kit, backend: backend, ctx: ctx, reveal: reveal, changed: changed, body: widget.Column(12)}
	a.scroll = container.NewVScroll(widget.Inset(widget.Measure(a.body, 860, false), 4, 16))
	a.root = container.NewBorder(widget.Inset(head, 18, 12), nil, nil, nil, a.scroll)
	a.root.Hide()
	a.view = live.NewView(kit.Hub, live.Kind(bridge.ChangeTalk, live.Tick), backend.Likenesses, a.show)
	kit.Hub.Go(ctx, a.view.Run)
	return a
}

func (a *alike) show(l bridge.Likenesses, err error) {
	if err != nil {
		a.kit.Shell.Trouble(err)
		return
	}
	a.changed(l.Total)
	if a.looking != nil || !a.stale && a.known != nil && reflect.DeepEqual(*a.known, l) {
		return
	}
	a.known, a.stale = &l, false
	a.fill()
}

func (a *alike) fill() {
	w := a.kit.Words
	a.looking = nil
	a.body.RemoveAll()
	a.body.Add(widget.NewQuiet(w.T("people.alike.hint")))
	for _, pair := range a.known.Pairs {
		a.body.Add(a.pair(pair))
	}
	if more := a.known.Total - len(a.known.Pairs); more > 0 {
		a.body.Add(widget.NewCaption(w.T("people.alike.more", "n", more)))
	}
	if a.known.Total == 0 {
		a.body.Add(section(w.T("people.alike.none"), widget.NewQuiet(w.T("people.alike.none.needs")), widget.NewQuiet(w.T("people.alike.none.rule"))))
	}
	if len(a.known.Decided) > 0 {
		a.body.Add(a.decided())
	}
	a.scroll.Refresh()
}

// pair is two people side by side, and what can be decided about them.
func (a *alike) pair(p bridge.Alike) fyne.CanvasObject {
	w, foot := a.kit.Words, widget.Column(0)
	one, other := p.People[0].Person.ID, p.People[1].Person.ID
	look := a.button(w.T("people.alike.merge"), func() { a.look(p, foot) })
	look.Importance = fyneui.HighImportance
	apart := a.button(w.T("people.alike.apart"), func() {
		a.act(w.T("people.alike.apart.done"), func(ctx context.Context) error { return a.backend.TellApart(ctx, one, other) })
	})
	foot.Add(widget.Row(8, look, apart))
	return section(w.T("people.alike."+p.Because), widget.NewGrid(sideWide, 10, a.side(p.People[0]), a.side(p.People[1])), foot)
}

// side is one of two people; a click shows them in the list.
func (a *alike) side(c bridge.PersonCard) fyne.CanvasObject {
	w := a.kit.Words
	about := []string{roleWords(w, c.Person.Role), w.T("people.seen", "when", w.When(c.LastSeen, a.kit.Now()))}
	if !c.WaitsSince.IsZero() {
		about[0] = w.T("people.waits")
	}
	lines := widget.Column(8, widget.StretchRow(10, 1, widget.NewAvatar(nameOf(w, c.PersonRow), 32), widget.Column(1,
		widget.NewLine(nameOf(w, c.PersonRow)).Bold().Elastic(), widget.NewCaption(strings.Join(about, w.T("list.dot"))).Elastic())))
	for _, account := range c.Accounts {
		texts := widget.Column(1, widget.NewCaption(accountName(account.Identity)).Elastic())
		for _, text := range contacts(w, account.Profile) {
			texts.Add(widget.NewCaption(text).Elastic())
		}
		lines.Add(widget.StretchRow(8, 1, widget.NewBadge(w.Initial(account.Identity.Platform), account.Identity.Platform, 18), texts))
	}
	tile := widget.NewTile(widget.Inset(lines, 10, 10), func() { a.reveal(c.Person.ID) })
	return widget.NewBar(tile, theme.ColorNameBackground)
}

// look shows what would become of two people, and who of them stays.
func (a *alike) look(p bridge.Alike, foot *fyne.Container) {
	w := a.kit.Words
	a.looking = foot
	told := widget.Column(6)
	into := 0
	if p.People[1].Person.CreatedAt.Before(p.People[0].Person.CreatedAt) {
		into = 1
	}
	stays := widget.NewSegments([]string{sideName(w, p.People[0].PersonRow), sideName(w, p.People[1].PersonRow)}, nil, func(i int) {
		into = i
		told.RemoveAll()
		for _, text := range outcome(w, p.People[1-i].PersonRow, p.People[i].PersonRow) {
			told.Add(widget.NewParagraph(text))
		}
		a.scroll.Refresh()
	})
	stays.Pick(into)
	do := a.button(w.T("people.merge.do"), func() {
		a.act(w.T("people.merged"), func(ctx context.Context) error {
			return a.backend.MergePeople(ctx, p.People[1-into].Person.ID, p.People[into].Person.ID)
		})
	})
	do.Importance = fyneui.HighImportance
	cancel := a.button(w.T("people.cancel"), func() {
		a.fill()
		a.view.Refresh()
	})
	foot.Objects = []fyne.CanvasObject{widget.Column(10, widget.NewFlow(widget.NewLine(w.T("people.alike.stays")), stays), told,
		widget.NewCaption(w.T("people.alike.undo")).Elastic(), widget.Row(8, do, cancel))}
	foot.Refresh()
	a.scroll.Refresh()
}

// decided is what was decided lately, each with a way back.
func (a *alike) decided() fyne.CanvasObject {
	w := a.kit.Words
	rows := widget.Column(4)
	for _, d := range a.known.Decided {
		l := describeDecision(w, a.kit.Now(), d)
		undo := a.button(w.T("people.undo"), func() {
			a.act(w.T("people.undone"), func(ctx context.Context) error { return a.backend.UndoAct(ctx, l.id) })
		})
		text := widget.Column(1, widget.NewLine(l.what).Sized(theme.SizeNameCaptionText).Elastic(), widget.NewCaption(l.when).Elastic())
		rows.Add(widget.StretchRow(12, 0, text, undo))
	}
	return section(w.T("people.alike.decided"), rows)
}

// act does something in the background, one thing at a time, and shows what there is
// then.
func (a *alike) act(said string, do func(ctx context.Context) error) {
	if a.acting {
		return
	}
	a.acting = true
	live.Act(a.ctx, a.kit.Hub, do, func(err error) {
		a.acting, a.looking, a.stale = false, nil, true
		if err != nil {
			a.kit.Shell.Trouble(err)
		} else {
			a.kit.Shell.Say(said)
		}
		a.view.Refresh()
	})
}

func (a *alike) button(word string, do func()) *fyneui.Button {
	return fyneui.NewButton(word, a.kit.Hub.Tap(a.ctx, do))
}

// sideName tells two people of the same name apart.
func sideName(w live.Words, r bridge.PersonRow) string {
	var on []string
	for _, who := range r.Identities {
		if name := w.Platform(who.Platform); !slices.Contains(on, name) {
			on = append(on, name)
		}
	}
	return strings.Join([]string{nameOf(w, r), strings.Join(on, w.T("list.separator"))}, w.T("list.dot"))
}

func accountName(who bridge.Identity) string {
	if who.Name == "" {
		return string(who.User)
	}
	return who.Name
}
