package people

import (
	"context"
	"reflect"
	"strings"
	"sync/atomic"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
	"switchboard/ui/widget"
)

// detail is the right side: one person. What it shows is built afresh when it
// changed, because that is seldom; while somebody merges or renames, it stays.
type detail struct {
	kit     live.Kit
	backend Backend
	ctx     context.Context //nolint:containedctx // of the page; callbacks of widgets get none
	view    *live.View[loaded]
	want    atomic.Pointer[string]
	acted   func(person string)

	root, body *fyne.Container
	nothing    fyne.CanvasObject
	scroll     *container.Scroll
	shown      bridge.PersonCard
	name       *widget.Entry
	merge      *merge
	acting     bool
	stale      bool // something was done: it is shown afresh, whatever it looks like
}

// loaded is a person and whom it was read for.
type loaded struct {
	person string
	card   bridge.PersonCard
}

func newDetail(ctx context.Context, kit live.Kit, backend Backend, acted func(string)) *detail {
	d := &detail{kit: kit, backend: backend, ctx: ctx, acted: acted}
	none := ""
	d.want.Store(&none)
	d.body = widget.Column(12)
	d.scroll = container.NewVScroll(widget.Inset(widget.Measure(d.body, 760, false), 18, 18))
	d.scroll.Hide()
	d.nothing = container.NewCenter(widget.NewCaption(kit.Words.T("people.choose")))
	d.root = container.NewStack(d.scroll, d.nothing)
	d.view = live.NewView(kit.Hub, live.Kind(live.Tick, bridge.ChangeTalk), d.load, d.show)
	kit.Hub.Go(ctx, d.view.Run)
	return d
}

func (d *detail) choose(person string) {
	if *d.want.Load() != person {
		d.want.Store(&person)
		d.view.Refresh()
	}
}

func (d *detail) load(ctx context.Context) (loaded, error) {
	person := *d.want.Load()
	if person == "" {
		return loaded{}, nil
	}
	card, err := d.backend.PersonCard(ctx, person)
	return loaded{person, card}, err
}

func (d *detail) show(l loaded, err error) {
	switch {
	case l.person != *d.want.Load():
		return // meanwhile somebody else was chosen
	case bridge.KindOf(err) == bridge.KindNotFound: // merged meanwhile
		d.shown = bridge.PersonCard{}
		widget.Show(d.scroll, false)
		widget.Show(d.nothing, true)
		return
	case err != nil:
		d.kit.Shell.Trouble(err)
		return
	case l.person == "":
		return
	case !d.stale && (reflect.DeepEqual(l.card, d.shown) || l.person == d.shown.Person.ID && d.busy()):
		return
	}
	d.fill(l.card)
}

// busy says that somebody has begun something that must not be swept away.
func (d *detail) busy() bool {
	return d.merge != nil && d.merge.open() || d.name != nil && d.name.Text != d.shown.Person.Name
}

func (d *detail) fill(c bridge.PersonCard) {
	other := d.shown.Person.ID != c.Person.ID
	unsaved := d.unsaved(c)
	d.shown, d.stale = c, false
	d.merge = newMerge(d)
	d.body.RemoveAll()
	d.body.Add(d.head())
	if !c.WaitsSince.IsZero() {
		d.body.Add(d.decision())
	}
	for _, l := range c.Likely {
		d.body.Add(d.likeness(l))
	}
	d.body.Add(d.merge.root)
	d.body.Add(d.accounts())
	d.body.Add(d.usage())
	d.body.Add(d.role())
	d.body.Add(d.naming())
	d.body.Add(d.history())
	if unsaved != "" {
		d.name.SetText(unsaved)
	}
	widget.Show(d.scroll, true)
	widget.Show(d.nothing, false)
	d.scroll.Refresh()
	if other {
		d.scroll.ScrollToTop()
	}
}

// unsaved is the name that somebody has typed for a person who is shown afresh, and
// that is not theirs yet: saving it may have failed.
func (d *detail) unsaved(c bridge.PersonCard) string {
	if d.name == nil || d.shown.Person.ID != c.Person.ID || d.name.Text == d.shown.Person.Name || strings.TrimSpace(d.name.Text) == c.Person.Name {
		return ""
	}
	return d.name.Text
}

// act does something in the background, one thing at a time, says what was done
// and shows a person, unless somebody else was chosen meanwhile.
func (d *detail) act(said, then string, do func(ctx context.Context) error) {
	if d.acting {
		return
	}
	d.acting = true
	before := *d.want.Load()
	live.Act(d.ctx, d.kit.Hub, do, func(err error) {
		d.acting = false
		now := *d.want.Load()
		if now == before {
			d.stale = true
		} else {
			then = now
		}
		if err != nil {
			d.kit.Shell.Trouble(err)
			d.view.Refresh()
			return
		}
		d.kit.Shell.Say(said)
		d.acted(then)
	})
}

func (d *detail) head() fyne.CanvasObject {
	w, c := d.kit.Words, d.shown
	about := strings.Join([]string{
		roleWords(w, c.Person.Role), w.T("people.seen", "when", w.Ago(c.LastSeen, d.kit.Now())),
	}, w.T("list.dot"))
	id := widget.NewLine(c.Person.ID).Mono().Sized(theme.SizeNameCaptionText).Colored(theme.ColorNamePlaceHolder).Elastic()
	lines := widget.Column(1, widget.NewSubheading(nameOf(w, c.PersonRow)).Elastic(), widget.NewCaption(about).Elastic(), id)
	return widget.StretchRow(12, 1, widget.NewAvatar(nameOf(w, c.PersonRow), 44), lines, d.copyButton(c.Person.ID))
}

func (d *detail) copyButton(text string) *fyneui.Button {
	b := fyneui.NewButtonWithIcon("", theme.ContentCopyIcon(), func() { d.kit.Shell.Copy(text) })
	b.Importance = fyneui.LowImportance
	return b
}

func (d *detail) button(word string, do func()) *fyneui.Button {
	return fyneui.NewButton(word, d.kit.Hub.Tap(d.ctx, do))
}

// decision is for somebody who waits for it.
func (d *detail) decision() fyne.CanvasObject {
	w, c := d.kit.Words, d.shown
	give := func(role bridge.Role, said string) func() {
		return func() { d.give(c.Person.ID, role, said) }
	}
	yes := d.button(w.T("people.approve"), give(bridge.RoleMember, "people.approved"))
	yes.Importance = fyneui.HighImportance
	no := d.button(w.T("people.decline"), give(bridge.RoleBlocked, "people.declined"))
	text := w.T("people.decide", "bot", c.WaitsFor, "when", w.When(c.WaitsSince, d.kit.Now()))
	return widget.NewTinted(widget.Column(8, widget.NewParagraph(text), widget.Row(8, yes, no)), theme.ColorNameWarning)
}

func (d *detail) give(person string, role bridge.Role, said string) {
	d.act(d.kit.Words.T(said), person, func(ctx context.Context) error { return d.backend.GiveRole(ctx, person, role) })
}

func (d *detail) likeness(l bridge.Likeness) fyne.CanvasObject {
	w := d.kit.Words
	text := w.T("people.likely."+l.Because, "name", nameOf(w, l.With))
	look := d.button(w.T("people.merge.look"), func() { d.merge.preview(l.With) })
	one, other := d.shown.Person.ID, l.With.Person.ID
	apart := d.button(w.T("people.alike.apart"), func() {
		d.act(w.T("people.alike.apart.done"), one, func(ctx context.Context) error { return d.backend.TellApart(ctx, one, other) })
	})
	return widget.NewTinted(widget.Column(8, widget.NewParagraph(text), widget.Row(8, look, apart)), theme.ColorNamePrimary)
}

func (d *detail) role() fyne.CanvasObject {
	w, person := d.kit.Words, d.shown.Person
	var names []string
	for _, r := range roles() {
		names = append(names, roleWords(w, r))
	}
	pick := widget.NewSegments(names, nil, func(i int) { d.give(person.ID, roles()[i], "people.role.given") })
	for i, r := range roles() {
		if r == person.Role {
			pick.Mark(i)
		}
	}
	hint := w.T("people.role.hint")
	if person.Role == bridge.RoleNew {
		hint = w.T("people.role.new.hint")
	}
	return section(w.T("people.role"), widget.NewQuiet(hint), widget.Row(0, pick))
}

func (d *detail) naming() fyne.CanvasObject {
	w, person := d.kit.Words, d.shown.Person
	entry := widget.NewEntry(w.T("people.name"))
	entry.SetText(person.Name)
	save := d.button(w.T("people.rename"), func() {
		name := strings.TrimSpace(entry.Text)
		if name == "" || name == person.Name {
			return
		}
		d.act(w.T("people.renamed"), person.ID, func(ctx context.Context) error { return d.backend.RenamePerson(ctx, person.ID, name) })
	})
	entry.OnCtrlEnter = func() { save.OnTapped() }
	d.name = entry
	return section(w.T("people.name"), widget.NewQuiet(w.T("people.name.hint")), widget.StretchRow(8, 0, entry, save))
}

func section(title string, parts ...fyne.CanvasObject) fyne.CanvasObject {
	return widget.NewPanel(widget.Column(8, append([]fyne.CanvasObject{widget.NewLine(title).Bold()}, parts...)...))
}
