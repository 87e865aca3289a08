package app

import (
	"errors"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/internal/settings"
)

// Words says an error of this package in words: what is wrong and what to do.
func Words(lang bridge.Language, err error, data string) string {
	var problems settings.Problems
	var known *bridge.Error
	switch {
	case errors.As(err, &problems):
		return i18n.Text(lang, "cli.settings") + "\n" + problems.Text(lang)
	case errors.Is(err, ErrRunning):
		return i18n.Text(lang, "cli.running", "data", data)
	case errors.As(err, &known):
		return i18n.Explain(lang, err).String()
	default:
		return err.Error()
	}
}
