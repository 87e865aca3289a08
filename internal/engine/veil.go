package engine

import (
	"context"
	"log/slog"
	"maps"
	"strconv"
	"strings"

	"switchboard/internal/bridge"
	"switchboard/internal/privacy"
	"switchboard/internal/router"
)

// Privacy says from whom personal values are hidden; the zero value hides none.
type Privacy struct {
	// Filter finds them; nil finds none.
	Filter *privacy.Filter
	// Answers masks them in what an agent says.
	Answers bool
	// ToAgent gives agents placeholders in their place, and puts the values back
	// into the answer for whoever wrote them.
	ToAgent bool
}

// veil hangs between an agent and the person who reads one answer. What it lets
// through of a growing text is never taken back, and is the beginning of what it
// lets through of the whole. The zero value lets everything through.
type veil struct {
	mask, restore func() *privacy.Stream // nil: nothing to do

	masking, restoring *privacy.Stream  // of the answer
	found              privacy.Findings // in the texts beside it
}

// veil makes one for one hearing of an answer. Only the agent's own values are
// masked: those of the person are put in after that.
func (t *trip) veil() veil {
	v := veil{found: privacy.Findings{}}
	if t.masks() {
		v.mask = t.privacy.Filter.Stream
		v.masking = v.mask()
	}
	if vault := t.vault; vault != nil {
		v.restore = func() *privacy.Stream { return vault.Restorer(t.route.Person.ID) }
		v.restoring = v.restore()
	}
	return v
}

func (t *trip) masks() bool { return t.privacy.Filter != nil && t.privacy.Answers }

func (t *trip) hides() bool { return t.privacy.Filter != nil && t.privacy.ToAgent }

// answer is what may be seen of the answer so far. One that broke off is not
// final: what waits for its end may be a part of a value.
func (v *veil) answer(whole string, final bool) string {
	return through(whole, final, v.masking, v.restoring)
}

// beside is what may be seen of a complete text that comes with the answer.
func (v *veil) beside(text string) string {
	var masking, restoring *privacy.Stream
	if v.mask != nil {
		masking = v.mask()
	}
	if v.restore != nil {
		restoring = v.restore()
	}
	text = through(text, true, masking, restoring)
	if masking != nil {
		v.found.Add(masking.Findings())
	}
	return text
}

func through(text string, final bool, masking, restoring *privacy.Stream) string {
	if masking != nil {
		text = masking.Safe(text, final)
	}
	if restoring != nil {
		text = restoring.Safe(text, final)
	}
	return text
}

// findings is what was masked.
func (v *veil) findings() privacy.Findings {
	all := privacy.Findings{}
	all.Add(v.found)
	if v.masking != nil {
		all.Add(v.masking.Findings())
	}
	return all
}

// noteMasked notes, by kind and number alone, what was hidden. The answer does not
// depend on it.
func (t *trip) noteMasked(ctx context.Context, found privacy.Findings) {
	if found.Total() == 0 {
		return
	}
	t.note(bridge.EntryMasked, 0, "", found.String())
	if err := t.audit(ctx, bridge.AuditMasked, found.String()); err != nil {
		t.log.LogAttrs(ctx, slog.LevelWarn, "the audit lacks what was hidden", slog.Int64("job_id", t.job.ID), slog.Any("error", err))
	}
}

// prepare makes the question to the session's agent. What is hidden from it is
// stored before it is asked, or an answer after a crash could not be completed.
func (t *trip) prepare(ctx context.Context) error {
	m := t.job.Message
	t.asked = bridge.Question{
		ID: "job-" + strconv.FormatInt(t.job.ID, 10), Text: quoting(t.quote(), t.text), Language: t.route.Language,
		Inputs: t.inputs(),
		Known: map[string]string{
			bridge.InputUserName: t.route.Person.Name, bridge.InputPlatform: string(m.Platform), bridge.InputLanguage: string(t.route.Language),
			bridge.InputDepartment: t.department, bridge.InputRole: string(t.route.Role), bridge.InputEmail: t.email,
		},
		Files: t.with.files,
		Title: t.title(),
	}
	if !t.hides() {
		if !t.route.Session.Vault.Empty() { // hidden before that was switched off
			t.vault = t.openVault(ctx)
		}
		return nil
	}
	found := t.hide(ctx)
	if !t.noted {
		t.noteMasked(ctx, found)
		t.noted = true
	}
	return t.keepVault(ctx)
}

// title is what a conversation that begins now may be called: after the person, or
// the group.
func (t *trip) title() string {
	if t.job.Message.Chat.Kind == bridge.Group {
		return t.job.Message.Chat.Title
	}
	return t.route.Person.Name
}

// openVault opens what was hidden from the agent so far. What was hidden in a talk
// before that of now is forgotten.
func (t *trip) openVault(ctx context.Context) *privacy.Vault {
	if t.aside() {
		return privacy.NewVault()
	}
	vault, err := privacy.OpenVault([]byte(t.route.Session.Vault.Reveal()))
	if err != nil { // the answer matters more than what was said before
		t.log.LogAttrs(ctx, slog.LevelError, "hidden values cannot be read", slog.Int64("job_id", t.job.ID), slog.Any("error", err))
		return privacy.NewVault()
	}
	return vault
}

// hide puts placeholders into everything of the question that a person wrote.
func (t *trip) hide(ctx context.Context) privacy.Findings {
	t.vault = t.openVault(ctx)
	found := privacy.Findings{}
	hide := func(text string) string {
		text, more := t.vault.Hide(t.privacy.Filter, t.route.Person.ID, text)
		found.Add(more)
		return text
	}
	t.asked.Text = hide(t.asked.Text)
	if _, more := t.privacy.Filter.Mask(t.asked.Title); len(more) > 0 {
		t.asked.Title = "" // a conversation can do without
	}
	for _, name := range []string{bridge.InputUserName, bridge.InputDepartment, bridge.InputEmail} { // in this order, for the numbers
		if t.asked.Known[name] == "" || t.opt.Wants != nil && !t.opt.Wants(ctx, t.route.Agent, name) {
			delete(t.asked.Known, name) // there is nothing to hide where nothing is told
			continue
		}
		t.asked.Known[name] = hide(t.asked.Known[name])
	}
	return found
}

// inputs are what the settings say for this question: the rule before the bot.
func (t *trip) inputs() map[string]string {
	all := map[string]string{}
	if t.opt.Inputs != nil {
		maps.Copy(all, t.opt.Inputs(t.job.Message.Bot))
	}
	if to, ok := t.route.Outcome.(router.ToAgent); ok {
		maps.Copy(all, to.Inputs)
	}
	return all
}

// keepVault stores what was hidden with the session, if that is news.
func (t *trip) keepVault(ctx context.Context) error {
	if t.vault.Len() == 0 || t.aside() {
		return nil
	}
	data, err := t.vault.Export()
	if err != nil {
		return err
	}
	vault := bridge.NewSecret(string(data))
	if vault.Equal(t.route.Session.Vault) {
		return nil
	}
	t.route.Session.Vault = vault
	s, err := t.router.Remember(ctx, t.route.Session, t.job.Message.Platform, false)
	t.route.Session = s
	return err
}

// closed is an answer that broke off, with words of ours below it.
func (h *hearing) closed(words string) string {
	text := h.prefix + h.veil.answer(h.text.String(), false)
	return strings.TrimSpace(strings.TrimSpace(text) + "\n\n" + words)
}
