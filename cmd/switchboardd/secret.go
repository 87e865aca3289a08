package main

import (
	"context"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
)

// secret keeps or deletes a secret. The value is read from standard input, so that
// it stays out of the shell's history.
func (c command) secret(ctx context.Context) int {
	if len(c.args) != 2 || c.args[0] != "set" && c.args[0] != "delete" {
		return c.misused()
	}
	var err error
	if c.args[0] == "delete" {
		err = app.DeleteSecret(ctx, c.options(), c.args[1])
	} else {
		c.complain(i18n.Text(c.lang, "cli.paste", "name", c.args[1]))
		value, rerr := c.line()
		if rerr != nil {
			return c.trouble(rerr)
		}
		err = app.KeepSecret(ctx, c.options(), c.args[1], bridge.NewSecret(value))
	}
	if err != nil {
		return c.trouble(err)
	}
	c.say(i18n.Text(c.lang, "cli.done"))
	return exitOK
}

// passphrase asks for the passphrase of the file with the secrets.
func (c command) passphrase(context.Context) (bridge.Secret, error) {
	c.complain(i18n.Text(c.lang, "cli.passphrase"))
	text, err := c.line()
	return bridge.NewSecret(text), err
}
