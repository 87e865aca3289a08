package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"switchboard/internal/bridge"
	"switchboard/internal/router"
)

// texts are the fields of a form that are filled in by writing.
func texts(fields []bridge.FormField) []bridge.FormField {
	return slices.DeleteFunc(slices.Clone(fields), func(f bridge.FormField) bool { return f.Takes != nil })
}

func takesFiles(f bridge.Form) bool { return len(texts(f.Fields)) < len(f.Fields) }

// handsOver says that files can go from this bot to the forms of this agent.
func (t *trip) handsOver() bool {
	_, takes := t.agent().(bridge.FormUploader)
	return takes && t.fileOpener() != nil
}

// wantsFiles finds the form that the files of a message without words are for.
func (t *trip) wantsFiles(ctx context.Context) (*bridge.Exchange, error) {
	if len(t.job.Message.Files) == 0 || !t.handsOver() {
		return nil, nil //nolint:nilnil // none
	}
	all, err := t.awaiting(ctx)
	if err != nil {
		return nil, err
	}
	if x, found := t.router.WaitingForFiles(all, t.job.Message); found {
		return &x, nil
	}
	return nil, nil //nolint:nilnil // they are a question
}

// handIn takes the files of a message for a form, and says what is next.
func (t *trip) handIn(ctx context.Context, x bridge.Exchange) error {
	if err := t.out.Begin(ctx); err != nil {
		return err
	}
	form, err := t.collect(ctx, x)
	if err != nil {
		return t.unattached(ctx, err)
	}
	lines := t.with.notices
	for _, f := range form.Fields {
		var names []string
		for _, sent := range f.Sent {
			if sent.Job == t.job.ID {
				names = append(names, sent.Name)
			}
		}
		if len(names) > 0 {
			lines = append(lines, t.say("reply.form.got", "name", f.Name, "files", strings.Join(names, ", ")))
		}
	}
	if lacks := router.Lacking(form.Fields); lacks != nil {
		lines = append(lines, t.sendFirst(*lacks))
	} else {
		lines = append(lines, t.say("reply.form.now"))
		for n, c := range form.Choices {
			lines = append(lines, strconv.Itoa(n+1)+". "+c.Title)
		}
	}
	return t.sent(t.out.Finish(ctx, strings.Join(lines, "\n")))
}

// sendFirst asks for the files of a field.
func (t *trip) sendFirst(f bridge.FormField) string {
	var kinds []string
	for _, k := range f.Takes.Kinds {
		kinds = append(kinds, t.say("reply.form.kind."+string(k)))
	}
	kinds = append(kinds, f.Takes.Extensions...)
	if len(kinds) == 0 {
		kinds = []string{t.say("reply.form.kind.any")}
	}
	key := "reply.form.file"
	if f.Takes.Most > 1 {
		key = "reply.form.files"
	}
	return t.say(key, "name", f.Name, "most", f.Takes.Most, "kinds", strings.Join(kinds, t.say("ui.list.separator")))
}

// collect uploads the files of the message for a form, and stores with the form what
// the agent took. Another attempt begins anew.
func (t *trip) collect(ctx context.Context, x bridge.Exchange) (bridge.Form, error) {
	ctx, cancel := context.WithTimeout(ctx, filesWithin)
	defer cancel()
	t.with = attached{user: x.Reply.Conversation.User}
	form := *x.Reply.Form
	form.Fields = slices.Clone(form.Fields)
	for n := range form.Fields {
		form.Fields[n].Sent = slices.DeleteFunc(slices.Clone(form.Fields[n].Sent), func(s bridge.SentFormFile) bool { return s.Job == t.job.ID })
	}
	files := t.job.Message.Files
	for _, f := range files[:min(len(files), maxFiles)] {
		if f.Text != "" { // the platform has listened to it
			continue
		}
		err := t.submit(ctx, form.Fields, f)
		if bridge.KindOf(err).Retryable() || errors.Is(err, context.Canceled) {
			return form, fmt.Errorf("engine: hand in: %w", err)
		}
		if err != nil {
			t.leaveOut(ctx, f, err)
		}
	}
	x.Reply.Form = &form
	return form, t.store.SaveReply(ctx, x.Reply)
}

// submit uploads a file for the first field that takes it. A single one that is
// filled already is filled anew, if no other takes the file.
func (t *trip) submit(ctx context.Context, fields []bridge.FormField, f bridge.File) error {
	uploader, ok := t.agent().(bridge.FormUploader)
	if !ok {
		return &bridge.Error{Kind: bridge.KindUnsupported, Op: "engine: hand in", Detail: "the agent takes no files in forms"}
	}
	var err error = &bridge.Error{Kind: bridge.KindUnsupported, Op: "engine: hand in", Detail: "no field takes one more file"}
	for _, again := range []bool{false, true} {
		for n := range fields {
			at := &fields[n]
			if at.Takes == nil || (len(at.Sent) >= at.Takes.Most) != again || again && at.Takes.List {
				continue
			}
			var up bridge.UploadedFile
			err = t.read(ctx, f, func(body io.Reader) (err error) {
				up, err = uploader.UploadTo(ctx, t.with.user, *at.Takes, f, body)
				return err
			})
			if bridge.KindOf(err) == bridge.KindUnsupported {
				continue
			}
			if err == nil && again {
				at.Sent = nil
			}
			if err == nil {
				at.Sent = append(at.Sent, bridge.SentFormFile{UploadedFile: up, Name: t.nameOf(f), Job: t.job.ID})
			}
			return err
		}
	}
	return err
}

// attachToForm hands the files in that came with a decision.
func (t *trip) attachToForm(ctx context.Context) error {
	d := t.decision
	if d.unasked || len(t.job.Message.Files) == 0 || !takesFiles(*d.about.Reply.Form) || !t.handsOver() {
		return nil
	}
	form, err := t.collect(ctx, d.about)
	d.about.Reply.Form = &form
	return err
}

// filledIn is what a form is filled in with: what was written, and what was sent.
func (d *decision) filledIn() map[string]bridge.FormValue {
	all := map[string]bridge.FormValue{}
	for name, text := range d.values {
		all[name] = bridge.FormValue{Text: text}
	}
	for _, f := range d.about.Reply.Form.Fields {
		if f.Takes == nil {
			continue
		}
		v := bridge.FormValue{List: f.Takes.List}
		for _, sent := range f.Sent {
			v.Files = append(v.Files, sent.UploadedFile)
		}
		all[f.Name] = v
	}
	return all
}
