package reply

import (
	"context"
	"log/slog"
	"strconv"
	"strings"

	"switchboard/internal/bridge"
)

// part is one message of an answer: some of its text, or a file.
type part struct {
	text    string
	buttons []bridge.Button // below the last of the text
	file    *bridge.FileAdded
}

// parts splits the decided text by what the platform takes, and adds the files.
// It depends on the row only, so that every attempt counts the same parts.
func (w *Writer) parts() []part {
	parts, files := abridge(texts(w.row, w.limits), len(w.row.Files), w.limits.MaxMessages, longest(w.limits), w.opt.Cut)
	for n := range files {
		parts = append(parts, part{file: &w.row.Files[n]})
	}
	return parts
}

// longest is how long the text of a message may be.
func longest(limits bridge.Capabilities) int {
	if limits.MaxMarkdown > 0 {
		return limits.MaxMarkdown
	}
	return limits.MaxText
}

// texts are the parts of the text.
func texts(row bridge.Reply, limits bridge.Capabilities) []part {
	rest := longest(limits)
	first := rest
	if row.Draft.Bot != "" && limits.MaxDraft > 0 {
		first = limits.MaxDraft
	}
	var parts []part
	for _, text := range Split(row.Text, first, rest) {
		parts = append(parts, part{text: text})
	}
	if limits.Buttons {
		parts[len(parts)-1].buttons = row.Buttons
	}
	return parts
}

// content is how a part of the text is shown, and plain how it is when the
// platform takes no buttons: what can be picked by a number is in it then.
func (p part) content() bridge.Content {
	if len(p.buttons) == 0 {
		return bridge.Markdown{Text: p.text}
	}
	return bridge.Card{Text: p.text, Buttons: p.buttons}
}

func (p part) plain() bridge.Markdown {
	var lines []string
	for _, b := range p.buttons {
		if n := b.Value[bridge.ValueNumber]; n != "" {
			lines = append(lines, n+". "+b.Text)
		}
	}
	if len(lines) == 0 {
		return bridge.Markdown{Text: p.text}
	}
	return bridge.Markdown{Text: strings.TrimSpace(p.text + "\n\n" + strings.Join(lines, "\n"))}
}

// send shows a part, the first one in the draft if there is one. Buttons that the
// platform refuses must not cost the person the answer.
func (w *Writer) send(ctx context.Context, n int, to bridge.Address, p part) (bridge.MessageID, error) {
	switch {
	case p.file != nil:
		return w.sendFile(ctx, to, *p.file)
	case n > 0 || w.draft == nil:
		return w.sendText(ctx, to, p)
	case w.row.Error != "" && !w.row.Seen && w.row.Begun:
		return "", w.draft.Fail(ctx, p.text)
	}
	id, err := w.draft.Finish(ctx, p.content())
	if len(p.buttons) > 0 && buttonless(bridge.KindOf(err)) {
		w.complain(ctx, err)
		id, err = w.draft.Finish(ctx, p.plain())
	}
	if bridge.KindOf(err) == bridge.KindTooLarge {
		return w.sendPieces(ctx, to, p.plain().Text, w.draft)
	}
	return id, err
}

// sendText shows some text in a message of its own.
func (w *Writer) sendText(ctx context.Context, to bridge.Address, p part) (bridge.MessageID, error) {
	id, err := w.bot.Send(ctx, to, p.content())
	text := p.plain()
	if len(p.buttons) > 0 && buttonless(bridge.KindOf(err)) {
		w.complain(ctx, err)
		id, err = w.bot.Send(ctx, to, text)
	}
	if bridge.KindOf(err) == bridge.KindTooLarge {
		return w.sendPieces(ctx, to, text.Text, nil)
	}
	return id, err
}

func (w *Writer) complain(ctx context.Context, err error) {
	w.log.LogAttrs(ctx, slog.LevelWarn, "the buttons were refused", slog.Int64("job_id", w.row.JobID), slog.Any("error", err))
}

// buttonless says that the platform may take the text without the buttons.
func buttonless(kind bridge.Kind) bool {
	switch kind { //nolint:exhaustive // all others concern the text too
	case bridge.KindInvalid, bridge.KindUnsupported, bridge.KindTooLarge:
		return true
	default:
		return false
	}
}

// sendPieces sends a part that the platform found too large after all, as it
// grew in translation, in quarters; their keys derive from the part's. The first of
// them ends the draft, if it is not nil.
func (w *Writer) sendPieces(ctx context.Context, to bridge.Address, text string, draft bridge.Draft) (id bridge.MessageID, err error) {
	for n, piece := range Split(text, len(text)/4, len(text)/4) {
		if c := (bridge.Markdown{Text: piece}); n == 0 && draft != nil {
			id, err = draft.Finish(ctx, c)
		} else {
			id, err = w.bot.Send(ctx, to.WithKey(to.Key+"."+strconv.Itoa(n)), c)
		}
		if err != nil {
			return id, err
		}
	}
	return id, nil
}
