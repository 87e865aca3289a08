package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"golang.org/x/term"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
)

// secret keeps, lists, renames and deletes secrets. Values are read from standard input, so
// that they stay out of the shell's history.
func (c command) secret(ctx context.Context) int {
	if len(c.args) == 0 {
		return c.misused()
	}
	action, names := c.args[0], c.args[1:]
	one, none := len(names) == 1, len(names) == 0
	switch {
	case action == "set" && one:
		return c.setSecret(ctx, names[0])
	case action == "delete" && one:
		return c.done(app.DeleteSecret(ctx, c.options(), names[0]))
	case action == "rename" && len(names) == 2:
		return c.done(app.RenameSecret(ctx, c.options(), names[0], names[1]))
	case action == "list" && none:
		return c.listSecrets(ctx)
	case action == "import":
		return c.importSecrets(ctx, names)
	case action == "file" && none:
		return c.beginVault(ctx)
	case action == "passphrase" && none:
		return c.rekeyVault(ctx)
	default:
		return c.misused()
	}
}

func (c command) setSecret(ctx context.Context, name string) int {
	value, err := c.hidden(i18n.Text(c.lang, "cli.paste", "name", name))
	if err != nil {
		return c.trouble(err)
	}
	if value.Empty() {
		c.complain(i18n.Text(c.lang, "cli.unchanged"))
		return exitTrouble
	}
	return c.done(app.KeepSecret(ctx, c.options(), name, value))
}

// listSecrets tells which secrets are there, and the next step for each that is not.
func (c command) listSecrets(ctx context.Context) int {
	all, err := app.Secrets(ctx, c.options())
	if err != nil {
		return c.trouble(err)
	}
	code := exitOK
	for _, s := range all {
		mark := "✓"
		switch {
		case s.Err != nil && s.Required:
			mark, code = "✗", exitTrouble
		case s.Err != nil:
			mark = "–"
		}
		c.say(fmt.Sprintf("%s %s  (%s)", mark, s.Name, c.source(s.Source)))
		if s.Err != nil && s.Required {
			c.say("    → " + i18n.Explain(c.lang, s.Err).String())
		}
	}
	if len(all) == 0 {
		c.say(i18n.Text(c.lang, "cli.secrets.none"))
	}
	return code
}

func (c command) source(source string) string {
	if slices.Contains([]string{"keyring", "vault"}, source) {
		return i18n.Text(c.lang, "cli.source."+source)
	}
	return source
}

func (c command) importSecrets(ctx context.Context, names []string) int {
	taken, err := app.ImportSecrets(ctx, c.options(), names...)
	if err != nil {
		return c.trouble(err)
	}
	for _, name := range taken {
		c.say("✓ " + name)
	}
	c.say(i18n.Text(c.lang, "cli.imported", "count", len(taken)))
	return exitOK
}

// beginVault makes the encrypted file.
func (c command) beginVault(ctx context.Context) int {
	passphrase, err := c.newPassphrase()
	if err != nil {
		return c.trouble(err)
	}
	copied, err := app.BeginVault(ctx, c.options(), passphrase)
	if err != nil {
		return c.trouble(err)
	}
	for _, name := range copied {
		c.say("✓ " + name)
	}
	c.say(i18n.Text(c.lang, "cli.vault", "count", len(copied), "variable", app.PassphraseVariable))
	return exitOK
}

func (c command) rekeyVault(ctx context.Context) int {
	passphrase, err := c.newPassphrase()
	if err != nil {
		return c.trouble(err)
	}
	return c.done(app.RekeyVault(ctx, c.options(), passphrase))
}

// newPassphrase asks twice, because what is typed is not seen.
func (c command) newPassphrase() (bridge.Secret, error) {
	first, err := c.hidden(i18n.Text(c.lang, "cli.passphrase.new"))
	if err != nil {
		return first, err
	}
	second, err := c.hidden(i18n.Text(c.lang, "cli.passphrase.again"))
	if err == nil && !first.Equal(second) {
		err = &bridge.Error{Kind: bridge.KindInvalid, Op: "app: secrets file", Code: "differ"}
	}
	return first, err
}

// passphrase asks for the passphrase of the file with the secrets. Where nobody
// sits at a terminal, only the environment can tell it.
func (c command) passphrase(context.Context) (bridge.Secret, error) {
	if !c.atTerminal() && c.name != "secret" {
		return bridge.Secret{}, errors.New("no terminal")
	}
	return c.hidden(i18n.Text(c.lang, "cli.passphrase"))
}

// hidden asks for something that is not shown while it is typed.
func (c command) hidden(words string) (bridge.Secret, error) {
	c.complain(words)
	if !c.atTerminal() {
		text, err := c.line()
		return bridge.NewSecret(text), err
	}
	text, err := term.ReadPassword(int(os.Stdin.Fd()))
	if err != nil {
		return bridge.Secret{}, fmt.Errorf("switchboardd: %w", err)
	}
	return bridge.NewSecret(string(text)), nil
}

func (c command) atTerminal() bool { return c.terminal && term.IsTerminal(int(os.Stdin.Fd())) }

func (c command) done(err error) int {
	if err != nil {
		return c.trouble(err)
	}
	c.say(i18n.Text(c.lang, "cli.done"))
	return exitOK
}
