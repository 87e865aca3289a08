package engine

import (
	"context"
	"iter"
	"slices"
	"strconv"
	"strings"

	"switchboard/internal/bridge"
	"switchboard/internal/router"
)

// decision is what somebody decided about a form.
type decision struct {
	about  bridge.Exchange // whose answer waits
	choice string
	values map[string]string
	// unasked says that it was not decided here: the answer goes on by itself.
	unasked bool
	// aside says that the talk has begun afresh since the answer, which goes on beside
	// what is talked about now.
	aside bool
}

// goBackTo makes ready to hear the answer that a decision is about to its end, in the
// conversation that it belongs to.
func (t *trip) goBackTo(d decision) {
	now := &t.route.Session.Conversation
	d.aside = d.about.Reply.Conversation.ID != now.ID
	*now, t.decision = d.about.Reply.Conversation, &d
}

// refused returns the words for a decision that was not taken.
func (decision) refused(kind bridge.Kind) (string, bool) {
	switch kind { //nolint:exhaustive // all others are not about the decision
	case bridge.KindExpired, bridge.KindNotFound, bridge.KindUnsupported:
		return "reply.form.gone", true
	case bridge.KindInvalid:
		return "reply.form.invalid", true
	default:
		return "", false
	}
}

// aside says that this is about a talk before that of now.
func (t *trip) aside() bool { return t.decision != nil && t.decision.aside }

// leavesTalk says that what is talked about now stays as it is.
func (t *trip) leavesTalk() bool { return t.aside() || t.decision != nil && t.decision.unasked }

// source is where the answer comes from: the agent that is asked, or its answer
// that goes on after a decision.
func (t *trip) source(ctx context.Context, agent bridge.Agent, q bridge.Question) iter.Seq2[bridge.Event, error] {
	d := t.decision
	if d == nil {
		return agent.Ask(ctx, q)
	}
	row := d.about.Reply
	if watcher, ok := agent.(bridge.FormWatcher); ok && d.unasked {
		return watcher.GoOn(ctx, row.Conversation, row.Run, row.Form.Token)
	}
	filler, ok := agent.(bridge.FormFiller)
	if !ok || q.Run != (bridge.Run{}) {
		return agent.Ask(ctx, q)
	}
	values := d.filledIn()
	if t.hides() {
		for name, v := range values {
			v.Text, _ = t.vault.Hide(t.privacy.Filter, t.route.Person.ID, v.Text)
			values[name] = v
		}
	}
	return filler.Fill(ctx, row.Conversation, row.Run, row.Form.Token, d.choice, values)
}

// waitFor stores what an answer waits for, and returns the form in words.
func (t *trip) waitFor(ctx context.Context, h *hearing) (string, error) {
	f := *h.form
	f.Text = strings.TrimSpace(h.veil.beside(f.Text))
	if _, fills := t.agent().(bridge.FormFiller); !fills || !router.Decidable(f) || takesFiles(f) && !t.handsOver() {
		words := strings.TrimSpace(f.Text + "\n\n" + t.say("reply.form.elsewhere"))
		if !t.watched() {
			return words, nil
		}
		f.Elsewhere = true
		return words + " " + t.say("reply.form.told"), t.await(ctx, f)
	}
	words := t.formWords(f, h)
	if clickable(f) {
		var buttons []bridge.Button
		for n, c := range f.Choices {
			b := pick(t.job.ID, bridge.DoChoose, n+1, c.Title)
			b.Style = c.Style
			buttons = append(buttons, b)
		}
		if t.offer(buttons...) && len(f.Fields) == 0 {
			words = strings.TrimSpace(f.Text + "\n\n" + t.until(f))
		}
	}
	return words, t.await(ctx, f)
}

// await stores the form that an answer waits for.
func (t *trip) await(ctx context.Context, f bridge.Form) error {
	f.Text = "" // it is in the answer, and goes with it
	return t.out.Note(ctx, func(r *bridge.Reply) { r.Form = &f })
}

// watched says that the agent tells what becomes of its forms.
func (t *trip) watched() bool {
	_, watches := t.agent().(bridge.FormWatcher)
	return watches
}

// clickable says that a form can be decided by a choice alone.
func clickable(f bridge.Form) bool {
	fields := texts(f.Fields)
	_, wrong := filled(fields, "")
	return wrong == nil && !slices.ContainsFunc(fields, func(field bridge.FormField) bool { return field.Default == "" }) &&
		!slices.ContainsFunc(f.Choices, func(c bridge.FormChoice) bool { return strings.TrimSpace(c.Title) == "" })
}

// until says how long a form can be decided.
func (t *trip) until(f bridge.Form) string {
	if f.Expires.IsZero() {
		return ""
	}
	return t.say("reply.form.until", "time", f.Expires.Local().Format("2006-01-02 15:04"))
}

// formWords are a form as people fill it in by writing.
func (t *trip) formWords(f bridge.Form, h *hearing) string {
	lines := []string{f.Text, "", t.say("reply.form.choose")}
	for n, c := range f.Choices {
		lines = append(lines, strconv.Itoa(n+1)+". "+c.Title)
	}
	fields := texts(f.Fields)
	var names []string
	for _, field := range fields {
		names = append(names, field.Name)
	}
	lines = append(lines, "")
	switch {
	case len(names) == 1 && fields[0].Default == "":
		lines = append(lines, t.say("reply.form.field_empty", "name", names[0]))
	case len(names) == 1:
		lines = append(lines, t.say("reply.form.field", "name", names[0], "default", h.veil.beside(fields[0].Default)))
	case len(names) > 1:
		lines = append(lines, t.say("reply.form.fields", "name", names[0], "names", strings.Join(names, ", ")))
	}
	for _, field := range f.Fields {
		if field.Takes != nil {
			lines = append(lines, t.sendFirst(field))
		}
		if len(field.Options) > 0 {
			lines = append(lines, t.say("reply.form.options", "name", field.Name, "options", strings.Join(field.Options, ", ")))
		}
	}
	lines = append(lines, t.until(f))
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// decides finds out whether a text decides about a form, and keeps the decision.
// It returns words when the person has to be told something instead.
func (t *trip) decides(ctx context.Context, text string) (string, error) {
	x, choice, rest, err := t.pending(ctx, text)
	if err != nil || choice == "" {
		return "", err
	}
	return t.decide(ctx, x, choice, rest)
}

// chooses keeps the decision that somebody made by a click.
func (t *trip) chooses(ctx context.Context) (string, error) {
	n, _ := strconv.Atoi(t.job.Action.Value[bridge.ValueNumber])
	x := t.click.about
	if x.Reply.Form == nil || !router.Decidable(*x.Reply.Form) || n < 1 || n > len(x.Reply.Form.Choices) {
		return t.say("reply.form.gone"), nil
	}
	return t.decide(ctx, x, x.Reply.Form.Choices[n-1].ID, "")
}

// decide keeps a decision about the form of an answer, unless it may not be made
// any more, or not by who made it. Then it returns words about that.
func (t *trip) decide(ctx context.Context, x bridge.Exchange, choice, rest string) (string, error) {
	switch form := x.Reply.Form; {
	case !own(x.Job, t.job.Message) && t.route.Role != bridge.RoleAdmin:
		return t.say("reply.form.other"), nil
	case router.Expired(*form) && t.watched(): // who watches it takes it away, and tells what comes of that
		return t.say("reply.form.gone"), nil
	case router.Expired(*form):
		return t.say("reply.form.gone"), t.closeForm(ctx, x.Job.Message.Bot, x.Reply)
	default:
		values, wrong := filled(texts(form.Fields), rest)
		if wrong != nil {
			return t.say("reply.form.which", "name", wrong.Name, "options", strings.Join(wrong.Options, ", ")), nil
		}
		if lacks := router.Lacking(form.Fields); lacks != nil && len(t.job.Message.Files) == 0 {
			return t.sendFirst(*lacks), nil
		}
		t.goBackTo(decision{about: x, choice: choice, values: values})
		return "", nil
	}
}

// pending finds the form that a text decides about. A number means the one that
// was shown last; the words of a choice may come later.
func (t *trip) pending(ctx context.Context, text string) (x bridge.Exchange, choice, rest string, err error) {
	all, err := t.awaiting(ctx)
	if err != nil {
		return x, "", "", err
	}
	x, last, found := t.router.Waiting(all)
	if found {
		choice, rest = router.Chosen(x.Reply.Form.Choices, text, last)
	}
	return x, choice, rest, nil
}

// awaiting returns what was said in this talk, if something of it waits for a
// decision.
func (t *trip) awaiting(ctx context.Context) ([]bridge.Exchange, error) {
	waits, err := t.store.Awaits(ctx, t.job.Lane, t.job.ID, lookBack)
	if err != nil || !waits {
		return nil, err
	}
	return t.store.Exchanges(ctx, t.job.Lane, t.job.ID, lookBack)
}

// filled reads the values for a form: all of the text for a single field, or
// lines of name and value. It returns the field whose value is none of its
// options.
func filled(fields []bridge.FormField, text string) (map[string]string, *bridge.FormField) {
	values := map[string]string{}
	for _, f := range fields {
		values[f.Name] = f.Default
	}
	if len(fields) == 1 && text != "" {
		values[fields[0].Name] = text
	}
	if len(fields) > 1 {
		for line := range strings.SplitSeq(strings.ReplaceAll(text, "：", ":"), "\n") {
			name, value, ok := strings.Cut(line, ":")
			if _, known := values[strings.TrimSpace(name)]; ok && known {
				values[strings.TrimSpace(name)] = strings.TrimSpace(value)
			}
		}
	}
	for n, f := range fields {
		if len(f.Options) > 0 && !slices.Contains(f.Options, values[f.Name]) {
			return values, &fields[n]
		}
	}
	return values, nil
}

// undecided tells the person that the decision was not taken. A form that is gone
// is forgotten; one that was filled in wrongly still waits, and what comes of one
// that ran out is told by who watches it.
func (t *trip) undecided(ctx context.Context, words string, kind bridge.Kind) error {
	if kind != bridge.KindInvalid && (kind != bridge.KindExpired || !t.watched()) {
		if err := t.decided(ctx); err != nil {
			return err
		}
	}
	return t.sent(t.out.Fail(ctx, t.say(words), kind))
}

// decided takes the form away that was filled in; the answer has gone on.
func (t *trip) decided(ctx context.Context) error {
	if t.decision == nil {
		return nil
	}
	return t.settleForm(ctx, t.decision.about)
}

// closeForm takes a form away, and the buttons that decide it.
func (t *trip) closeForm(ctx context.Context, bot string, row bridge.Reply) error {
	row.Form = nil
	if len(row.Buttons) == 0 {
		return t.store.SaveReply(ctx, row)
	}
	row.Buttons = nil
	_, err := t.redraw(ctx, bot, row)
	return err
}
