package platformtest

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
)

// checkModes: every mode has an account here, and a name of its own.
func checkModes(t *testing.T, k Kit) {
	t.Helper()
	seen := map[bridge.ModeID]bool{}
	for _, m := range k.Connector.Modes {
		if m.ID == "" || seen[m.ID] {
			t.Errorf("mode %q is there twice, or has no name", m.ID)
		}
		seen[m.ID] = true
		if !slices.ContainsFunc(k.Accounts, func(a Account) bool { return a.Config.Mode == m.ID }) {
			t.Errorf("no account is in mode %q", m.ID)
		}
		c := m.Capabilities
		if c.MaxText <= 0 && c.MaxMarkdown <= 0 {
			t.Errorf("mode %q can show nothing", m.ID)
		}
		if m.Webhook && (c.AnswerWithin <= 0 || c.RedeliversFor <= 0) {
			t.Errorf("mode %q does not say how long a webhook may take and how late it may come again", m.ID)
		}
	}
	if k.Connector.Platform == "" || len(k.Connector.Modes) == 0 {
		t.Error("no name or no mode")
	}
}

// checkForm: every field belongs to modes that exist, and its default is one
// that it takes.
func checkForm(t *testing.T, k Kit) {
	t.Helper()
	seen := map[string]bool{}
	for _, f := range k.Connector.Form {
		if f.Key == "" || seen[f.Key] {
			t.Errorf("field %q is there twice, or has no name", f.Key)
		}
		seen[f.Key] = true
		for _, id := range f.Modes {
			if _, ok := k.Connector.Mode(id); !ok || id == "" {
				t.Errorf("field %s is for mode %q, which is none", f.Key, id)
			}
		}
		if f.Secret && f.Default != "" || f.Required && f.Default != "" {
			t.Errorf("field %s cannot have a default", f.Key)
		}
		if f.Default != "" && f.Check != nil && f.Check(f.Default) != nil {
			t.Errorf("field %s refuses its own default", f.Key)
		}
	}
}

// checkSetup: the guided set-up leads to every required field of every mode.
func checkSetup(t *testing.T, k Kit) {
	t.Helper()
	for _, s := range k.Connector.Setup {
		for _, key := range s.Fill {
			if !slices.ContainsFunc(k.Connector.Form, func(f bridge.Field) bool { return f.Key == key }) {
				t.Errorf("step %s fills in %q, which is no field", s.Key, key)
			}
		}
		for _, id := range s.Modes {
			if _, ok := k.Connector.Mode(id); !ok || id == "" {
				t.Errorf("step %s is for mode %q, which is none", s.Key, id)
			}
		}
		if s.Link != "" && !strings.HasPrefix(s.Link, "https://") {
			t.Errorf("step %s leads to %q", s.Key, s.Link)
		}
	}
	for _, m := range k.Connector.Modes {
		for _, f := range k.Connector.Fields(m.ID) {
			if f.Required && !filled(k.Connector, m.ID, f.Key) {
				t.Errorf("no step of mode %s fills in %s", m.ID, f.Key)
			}
		}
		if m.Webhook && !slices.ContainsFunc(steps(k.Connector, m.ID), func(s bridge.Step) bool { return slices.Contains(s.Copy, "callback_url") }) {
			t.Errorf("no step of mode %s shows the callback address", m.ID)
		}
	}
}

func steps(c bridge.Connector, mode bridge.ModeID) []bridge.Step {
	return slices.DeleteFunc(slices.Clone(c.Setup), func(s bridge.Step) bool {
		return len(s.Modes) > 0 && !slices.Contains(s.Modes, mode)
	})
}

func filled(c bridge.Connector, mode bridge.ModeID, key string) bool {
	return slices.ContainsFunc(steps(c, mode), func(s bridge.Step) bool { return slices.Contains(s.Fill, key) })
}

// checkWords: everything shown to people has a text in both languages.
func checkWords(t *testing.T, k Kit) {
	t.Helper()
	name := string(k.Connector.Platform)
	keys := append([]string{"platform." + name}, k.Words...)
	for _, f := range k.Connector.Form {
		keys = append(keys, "field."+name+"."+f.Key, "field."+name+"."+f.Key+".hint")
	}
	for _, s := range k.Connector.Setup {
		keys = append(keys, "setup."+name+"."+s.Key)
		for _, code := range s.Checks {
			keys = append(keys, "finding."+name+"."+code, "finding."+name+"."+code+".next")
		}
	}
	ours := map[bridge.Language][]string{}
	for _, lang := range []bridge.Language{bridge.Chinese, bridge.English} {
		for _, key := range keys {
			if text, ok := i18n.Find(lang, key); !ok || text == "" {
				t.Errorf("%s has no text for %s", lang, key)
			}
		}
		for _, key := range i18n.Keys(lang) {
			if slices.Contains(strings.Split(key, "."), name) {
				ours[lang] = append(ours[lang], key)
			}
		}
	}
	if !slices.Equal(ours[bridge.Chinese], ours[bridge.English]) {
		t.Errorf("the languages differ:\n%v\n%v", ours[bridge.Chinese], ours[bridge.English])
	}
}

func openChecks() []check[*bundle] {
	return []check[*bundle]{
		{"abilities", checkAbilities},
		{"missing fields", checkMissing},
		{"values", checkValues},
		{"blanks", checkBlanks},
		{"unknown mode", checkUnknownMode},
		{"close", checkClose},
	}
}

// checkAbilities: what the capabilities say is what the bot can do.
func checkAbilities(t *testing.T, b *bundle) {
	t.Helper()
	bot := b.openAlone(t)
	c := b.capabilities(bot)
	_, streams := bot.(bridge.Streamer)
	_, listens := bot.(bridge.Listener)
	_, files := bot.(bridge.FileOpener)
	_, directory := bot.(bridge.Directory)
	_, recalls := bot.(bridge.Recaller)
	_, backfills := bot.(bridge.Backfiller)
	for name, pair := range map[string][2]bool{
		"Stream": {streams, c.Stream}, "Listens": {listens, b.mode.Listens}, "Files": {files, c.Files},
		"Directory": {directory, c.Directory}, "Recall": {recalls, c.Recall}, "Backfill": {backfills, c.Backfill},
		"MaxDraft": {c.MaxDraft > 0, c.Stream}, "UpdateInterval": {c.UpdateInterval > 0, c.Stream}, "DraftLife": {c.DraftLife > 0, c.Stream},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: can %v, says %v", name, pair[0], pair[1])
		}
	}
	for _, l := range c.Limits {
		if l.Every <= 0 || l.AtOnce <= 0 || l.Patience < 0 || l.Per != bridge.LimitAPI && l.Per != bridge.LimitChat {
			t.Errorf("limit %+v", l)
		}
	}
	if c.Buttons != (c.MaxButtons > 0) || c.ButtonsApart && !c.Buttons {
		t.Errorf("Buttons %v, MaxButtons %d, ButtonsApart %v", c.Buttons, c.MaxButtons, c.ButtonsApart)
	}
	if len(c.Limits) == 0 {
		t.Error("the capabilities name no limits")
	}
	if b.mode.Webhook != (b.Webhook != nil) {
		t.Errorf("mode %s: Webhook is %v, but the kit's is %v", b.mode.ID, b.mode.Webhook, b.Webhook)
	}
}

// checkMissing: a bot without a required value is not opened, and the error
// names the field.
func checkMissing(t *testing.T, b *bundle) {
	t.Helper()
	for _, f := range b.kit.Connector.Fields(b.mode.ID) {
		for _, blank := range []string{"", " \n"} {
			_, err := b.tryOpen(nobody(t), Value{f.Key, blank})
			switch {
			case f.Required:
				b.refusesField(t, f.Key, err)
			case !f.Required && b.mandatory(f.Key):
			case err != nil:
				t.Errorf("%s is optional, but without it: %v", f.Key, err)
			}
		}
	}
}

// mandatory tells an optional field that this account needs all the same: there
// are alternatives, and the account has chosen this one.
func (b *bundle) mandatory(key string) bool {
	_, setting := b.Config.Settings[key]
	_, secret := b.Config.Secrets[key]
	return setting || secret
}

func (b *bundle) refusesField(t *testing.T, key string, err error) {
	t.Helper()
	b.wants(t, key, err, bridge.KindInvalid)
	if e := asError(err); e.Args["field"] != key || !strings.Contains(e.Error(), key) {
		t.Errorf("%s: the error does not name the field: %v, %v", key, err, e.Args)
	}
}

// checkValues takes the good values and refuses the bad ones.
func checkValues(t *testing.T, b *bundle) {
	t.Helper()
	url := nobody(t)
	for _, v := range b.kit.Bad {
		if _, ok := b.field(v.Key); !ok {
			continue
		}
		_, err := b.tryOpen(url, v)
		b.refusesField(t, v.Key, err)
		if err != nil && len(v.Value) > 20 && strings.Contains(err.Error(), v.Value) {
			t.Errorf("%s: the error tells the value: %v", v.Key, err)
		}
	}
	for _, v := range b.kit.Good {
		if _, ok := b.field(v.Key); !ok {
			continue
		}
		if bot, err := b.tryOpen(url, v); err != nil {
			t.Errorf("%s %q: %v", v.Key, v.Value, err)
		} else if err := bot.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	}
	for _, v := range slices.Concat(b.kit.Bad, b.kit.Good) {
		if !slices.ContainsFunc(b.kit.Connector.Form, func(f bridge.Field) bool { return f.Key == v.Key }) {
			t.Errorf("%s is no field", v.Key)
		}
	}
}

// checkBlanks: blanks and line breaks come along when a value is copied. They
// would make every signature wrong.
func checkBlanks(t *testing.T, b *bundle) {
	t.Helper()
	var padded []Value
	for key, value := range b.Config.Settings {
		padded = append(padded, Value{key, "  " + value + " "})
	}
	for key, value := range b.Config.Secrets {
		padded = append(padded, Value{key, " " + value.Reveal() + "\r\n"})
	}
	bot := b.open(t, padded...)
	if _, err := bot.Send(t.Context(), b.to(t, "blanks"), bridge.Text{Text: "hello"}); err != nil {
		t.Fatal(err)
	}
	b.shown(t, "a value with blanks", "hello")
	if b.Webhook != nil {
		b.one(t, bot, b.request(t, "1", "hello"))
	}
}

// checkUnknownMode: a mode that is not there is named.
func checkUnknownMode(t *testing.T, b *bundle) {
	t.Helper()
	c := b.config(nobody(t))
	c.Mode = "no-such-mode"
	_, err := b.kit.Connector.Open(c, bridge.Env{})
	b.wants(t, "unknown mode", err, bridge.KindUnsupported)
	if err != nil && !strings.Contains(err.Error(), "no-such-mode") {
		t.Errorf("the error does not name the mode: %v", err)
	}
	if c.Mode = ""; b.mode.ID == b.kit.Connector.Modes[0].ID {
		bot, err := b.kit.Connector.Open(c, bridge.Env{})
		if err != nil {
			t.Fatalf("without a mode, the first one is meant: %v", err)
		}
		if err := bot.Close(); err != nil {
			t.Error(err)
		}
	}
}

// checkClose: closing twice is fine.
func checkClose(t *testing.T, b *bundle) {
	t.Helper()
	bot := b.openAlone(t)
	if err := errors.Join(bot.Close(), bot.Close()); err != nil {
		t.Error(err)
	}
}
