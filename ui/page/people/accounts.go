package people

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/internal/bridge"
	"switchboard/ui/widget"
)

// accounts are the platform users who belong to the person.
func (d *detail) accounts() fyne.CanvasObject {
	rows := widget.Column(12)
	for _, a := range d.shown.Accounts {
		rows.Add(d.account(a))
	}
	join := d.button(d.kit.Words.T("people.merge.begin"), func() { d.merge.begin() })
	return section(d.kit.Words.T("people.accounts"), rows, widget.Row(0, join))
}

func (d *detail) account(a bridge.Account) fyne.CanvasObject {
	w, who := d.kit.Words, a.Identity
	since := w.Platform(who.Platform) + w.T("list.dot") + w.T("people.linked", "when", w.When(who.LinkedAt, d.kit.Now()))
	name := who.Name
	if name == "" {
		name = w.T("talks.unnamed")
	}
	id := widget.NewLine(string(who.User)).Mono().Sized(theme.SizeNameCaptionText).Elastic()
	lines := widget.Column(2, widget.NewLine(name).Elastic(), widget.NewCaption(since).Elastic(), id)
	if who.Tenant != "" {
		lines.Add(widget.NewCaption(w.T("people.tenant", "tenant", who.Tenant)).Elastic())
	}
	for _, text := range contacts(w, a.Profile) {
		lines.Add(widget.NewCaption(text).Elastic())
	}
	parts := []fyne.CanvasObject{widget.NewBadge(w.Initial(who.Platform), who.Platform, 30), lines, d.copyButton(string(who.User))}
	if len(d.shown.Accounts) > 1 {
		parts = append(parts, d.unlinkButton(who))
	}
	return widget.StretchRow(10, 1, parts...)
}

func (d *detail) unlinkButton(who bridge.Identity) *fyneui.Button {
	person := d.shown.Person.ID
	return d.button(d.kit.Words.T("people.unlink"), func() {
		d.act(d.kit.Words.T("people.unlinked"), person, func(ctx context.Context) error { return d.backend.UnlinkAccount(ctx, who) })
	})
}

// history is what happened to the person, with a way back where there is one.
func (d *detail) history() fyne.CanvasObject {
	w, person := d.kit.Words, d.shown.Person.ID
	rows := widget.Column(4)
	for _, a := range d.shown.History {
		l := describeAudit(w, d.kit.Now(), a)
		parts := []fyne.CanvasObject{widget.NewCaption(l.when), widget.NewLine(l.what).Sized(theme.SizeNameCaptionText).Elastic()}
		if l.undoable {
			parts = append(parts, d.button(w.T("people.undo"), func() {
				d.act(w.T("people.undone"), person, func(ctx context.Context) error { return d.backend.UndoAct(ctx, l.id) })
			}))
		}
		rows.Add(widget.StretchRow(12, 1, parts...))
	}
	if len(d.shown.History) == 0 {
		rows.Add(widget.NewCaption(w.T("people.history.none")))
	}
	return section(w.T("people.history"), rows)
}
