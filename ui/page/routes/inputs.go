package routes

import (
	"context"
	"maps"
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

// form is what an agent asks for beside the question, as far as it is known.
type form struct {
	inputs []bridge.Input
	err    error
	known  bool
}

// formOf returns the form of an agent, and asks for it when nobody has: the inputs
// of the open rule are built anew when it comes.
func (p *Page) formOf(agent string) form {
	if f, asked := p.forms[agent]; asked {
		return f
	}
	p.forms[agent] = form{}
	live.Ask(p.ctx, p.kit.Hub, func(ctx context.Context) ([]bridge.Input, error) { return p.backend.AgentInputs(ctx, agent) },
		func(all []bridge.Input, err error) {
			p.forms[agent] = form{all, err, true}
			if p.open == none || p.draft.want[p.open].Then.Agent != agent {
				return
			}
			p.showInputs(&p.draft.want[p.open].Then)
			p.body.Refresh()
		})
	return form{}
}

// forget lets forms be asked for again that could not be had.
func (p *Page) forget() {
	maps.DeleteFunc(p.forms, func(_ string, f form) bool { return f.err != nil })
}

// showInputs builds the inputs of the open rule, and leaves alone what somebody may
// be writing in the rest of it.
func (p *Page) showInputs(o *bridge.RouteOutcome) {
	p.told.Objects = p.inputs(o)
	widget.Show(p.told, len(p.told.Objects) > 0)
	p.told.Refresh()
}

// inputs changes what a rule tells its agent.
func (p *Page) inputs(o *bridge.RouteOutcome) []fyne.CanvasObject {
	w, f := p.kit.Words, p.formOf(o.Agent)
	var rows []fyne.CanvasObject
	for _, in := range f.inputs {
		rows = append(rows, p.inputRow(o, in))
	}
	for _, name := range slices.Sorted(maps.Keys(o.Inputs)) {
		if !slices.ContainsFunc(f.inputs, func(in bridge.Input) bool { return in.Name == name }) {
			rows = append(rows, p.strayRow(o, name))
		}
	}
	switch {
	case !f.known:
		rows = append(rows, widget.NewQuiet(w.T("routes.inputs.asking")))
	case f.err != nil:
		rows = append(rows, widget.NewQuiet(w.T("routes.inputs.unknown", "why", w.Explain(f.err))))
	case len(rows) == 0:
		return nil
	}
	return append([]fyne.CanvasObject{widget.NewCaption(w.T("routes.inputs"))}, rows...)
}

// inputRow is one variable: what it is called, and a field that fits it.
func (p *Page) inputRow(o *bridge.RouteOutcome, in bridge.Input) fyne.CanvasObject {
	w := p.kit.Words
	name := in.Label
	if name == "" {
		name = in.Name
	}
	if in.Required {
		name += " *"
	}
	return widget.StretchRow(8, 1, widget.Fixed(widget.NewCaption(name).Elastic(), 150), p.inputField(o, in, w.T("routes.inputs.unset")))
}

func (p *Page) inputField(o *bridge.RouteOutcome, in bridge.Input, unset string) fyne.CanvasObject {
	w, value := p.kit.Words, o.Inputs[in.Name]
	set := func(v string) { o.Inputs = with(o.Inputs, in.Name, v) }
	switch in.Kind {
	case bridge.InputSelect:
		return p.choice(append([]string{""}, in.Options...), func(v string) string { return or(v, unset) }, value, set)
	case bridge.InputCheckbox:
		words := map[string]string{"": unset, "true": w.T("routes.inputs.yes"), "false": w.T("routes.inputs.no")}
		return p.choice([]string{"", "true", "false"}, func(v string) string { return or(words[v], v) }, value, set)
	case bridge.InputFile:
		return widget.NewQuiet(w.T("routes.inputs.file"))
	case bridge.InputText, bridge.InputParagraph, bridge.InputNumber, bridge.InputJSON:
	}
	hint := unset
	if in.Default != "" {
		hint = in.Default
	}
	e := p.entry(hint, value, func(s string) { set(strings.TrimSpace(s)) })
	if in.Kind == bridge.InputParagraph || in.Kind == bridge.InputJSON {
		e.MultiLine, e.Wrapping = true, fyne.TextWrapWord
		e.SetMinRowsVisible(2)
	}
	return e
}

// strayRow is a value that the agent asks nobody for, as far as is known.
func (p *Page) strayRow(o *bridge.RouteOutcome, name string) fyne.CanvasObject {
	e := p.entry("", o.Inputs[name], func(s string) { o.Inputs = with(o.Inputs, name, strings.TrimSpace(s)) })
	remove := fyneui.NewButtonWithIcon("", theme.ContentRemoveIcon(), p.tap(func() {
		o.Inputs = with(o.Inputs, name, "")
		p.show()
	}))
	remove.Importance = fyneui.LowImportance
	return widget.StretchRow(8, 1, widget.Fixed(widget.NewCaption(name).Elastic(), 150), e, remove)
}

// with sets a value, or takes it away when it is empty; without any there is no
// map.
func with(all map[string]string, name, value string) map[string]string {
	all = maps.Clone(all)
	if value == "" {
		delete(all, name)
		if len(all) == 0 {
			return nil
		}
		return all
	}
	if all == nil {
		all = map[string]string{}
	}
	all[name] = value
	return all
}

func or(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// told shows what an agent would be told beside the question.
func (t *trial) told(v bridge.RouteVerdict) {
	w := t.page.kit.Words
	if v.NoInputs != nil {
		t.result.Add(widget.NewQuiet(w.T("routes.inputs.unknown", "why", w.Explain(v.NoInputs))))
		return
	}
	if len(v.Inputs) > 0 {
		t.result.Add(widget.NewCaption(w.T("routes.inputs.told")))
	}
	for _, in := range v.Inputs {
		if in.Trouble != "" {
			t.add(widget.ToneAttention, i18n.InputTrouble(w.Lang, in))
			continue
		}
		t.result.Add(widget.NewQuiet(t.page.input(in)))
	}
}

// input says what an input would be, and where that comes from.
func (p *Page) input(v bridge.InputValue) string {
	w := p.kit.Words
	name, from := i18n.Input(w.Lang, v.Input), ""
	if v.From != "" {
		from = i18n.Text(w.Lang, "input.from."+string(v.From))
	}
	switch {
	case v.Input.Kind == bridge.InputFile:
		return w.T("routes.condition", "name", name, "values", w.T("routes.inputs.file"))
	case v.Text == "" && v.From == bridge.InputByPerson:
		return w.T("routes.condition", "name", name, "values", from)
	case v.Text == "":
		return w.T("routes.condition", "name", name, "values", w.T("routes.inputs.none"))
	}
	return w.T("routes.condition", "name", name, "values", w.T("routes.inputs.from", "value", v.Text, "from", from))
}
