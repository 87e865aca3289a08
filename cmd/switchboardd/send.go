package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
)

// sendPatience is how long handing over a large file may take.
const sendPatience = 3 * time.Minute

// parcel is what the flags of send say.
type parcel struct {
	app.SendRequest

	text, markdown, card, native string
	picture, file                string
	json                         bool
}

func (p *parcel) flags(flags *flag.FlagSet) {
	flags.StringVar(&p.Bot, "bot", "", "")
	flags.StringVar(&p.Person, "to", "", "")
	flags.StringVar(&p.Chat, "chat", "", "")
	flags.BoolVar(&p.Direct, "direct", false, "")
	flags.StringVar(&p.text, "text", "", "")
	flags.StringVar(&p.markdown, "markdown", "", "")
	flags.StringVar(&p.card, "card", "", "")
	flags.StringVar(&p.native, "native", "", "")
	flags.StringVar(&p.Type, "type", "", "")
	flags.StringVar(&p.picture, "picture", "", "")
	flags.StringVar(&p.file, "file", "", "")
	flags.StringVar(&p.Title, "title", "", "")
	flags.Func("button", "", func(text string) error {
		words, link, found := strings.Cut(text, "=")
		if !found {
			return fmt.Errorf("%q is not Words=https://…", text) //nolint:err113 // for the one who typed it
		}
		p.Buttons = append(p.Buttons, app.SendButton{Text: strings.TrimSpace(words), URL: strings.TrimSpace(link)})
		return nil
	})
	flags.StringVar(&p.Key, "key", "", "")
	flags.BoolVar(&p.DryRun, "dry-run", false, "")
	flags.BoolVar(&p.json, "json", false, "")
}

// choose fills in what is sent; false when that is nothing, or several things.
func (p *parcel) choose() bool {
	chosen := 0
	for kind, value := range map[bridge.ContentKind]string{
		bridge.ContentText: p.text, bridge.ContentMarkdown: p.markdown, bridge.ContentCard: p.card,
		bridge.ContentNative: p.native, bridge.ContentPicture: p.picture, bridge.ContentFile: p.file,
	} {
		if value != "" {
			p.Kind, p.Text = kind, value
			chosen++
		}
	}
	return chosen == 1 && p.Bot != "" && (p.Person == "" || p.Chat == "" && !p.Direct) && (len(p.Buttons) == 0 || p.card != "")
}

// send sends something, or tells how it would be shown.
func (c command) send(ctx context.Context) int {
	p := c.parcel
	if len(c.args) > 0 || !p.choose() {
		return c.misused()
	}
	if err := c.load(&p); err != nil {
		return c.trouble(err)
	}
	ctx, cancel := context.WithTimeout(ctx, sendPatience)
	defer cancel()
	var r app.SendReport
	if err := c.ask(ctx, http.MethodPost, "/api/v1/send", p.SendRequest, &r); err != nil {
		return c.trouble(err)
	}
	if p.json {
		return c.sayJSON(r)
	}
	if p.DryRun {
		c.sayPreview(r)
		return exitOK
	}
	if r.Simpler {
		c.complain(i18n.Text(c.lang, "cli.send.simpler"))
	}
	c.say(i18n.Text(c.lang, "cli.send.sent", "to", cmp.Or(r.To, r.Bot), "bot", r.Bot, "message", cmp.Or(r.Message, "–"), "seconds", fmt.Sprintf("%.1f", r.Seconds)))
	return exitOK
}

// load reads what is sent from a file or from standard input.
func (c command) load(p *parcel) error {
	path := cmp.Or(p.picture, p.file)
	if path != "" {
		p.Text, p.Name = "", filepath.Base(path)
		var err error
		if p.Data, err = os.ReadFile(path); err != nil { //nolint:gosec // the admin's own choice of file
			return &bridge.Error{Kind: bridge.KindInvalid, Op: "send: file", Code: "file", Args: map[string]string{"file": path}, Err: err}
		}
		return nil
	}
	if p.Text == "-" {
		text, err := io.ReadAll(c.in)
		if err != nil {
			return fmt.Errorf("switchboardd: %w", err)
		}
		p.Text = strings.TrimRight(string(text), "\r\n")
	}
	return nil
}

// sayPreview tells how the platform would show it, with the sizes.
func (c command) sayPreview(r app.SendReport) {
	limit := i18n.Text(c.lang, "cli.send.unlimited")
	if r.Limit > 0 {
		limit = i18n.Text(c.lang, "cli.send.bytes", "n", r.Limit)
	}
	c.say(i18n.Text(c.lang, "cli.send.dry", "bot", r.Bot, "to", cmp.Or(r.To, "–"), "size", r.Size, "limit", limit))
	if r.Simpler {
		c.say(i18n.Text(c.lang, "cli.send.simpler"))
	}
	for n, m := range r.Messages {
		head := fmt.Sprintf("%d/%d  %s", n+1, len(r.Messages), i18n.Text(c.lang, "content."+string(m.Kind)))
		if m.Type != "" {
			head += " (" + m.Type + ")"
		}
		head += "  " + i18n.Text(c.lang, "cli.send.bytes", "n", m.Size)
		if m.Limit > 0 {
			head += " / " + i18n.Text(c.lang, "cli.send.bytes", "n", m.Limit)
		}
		c.say(head)
		for line := range strings.SplitSeq(m.Text, "\n") {
			c.say("  | " + line)
		}
		for _, b := range m.Buttons {
			c.say("  [" + b.Text + "] " + b.URL)
		}
	}
}
