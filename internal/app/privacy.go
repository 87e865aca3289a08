package app

import (
	"fmt"

	"switchboard/internal/bridge"
	"switchboard/internal/engine"
	"switchboard/internal/privacy"
	"switchboard/internal/settings"
)

// newPrivacy makes what hides personal values.
func newPrivacy(s settings.Privacy) (engine.Privacy, error) {
	f, err := newFilter(s.Off, s.Custom)
	if err != nil {
		return engine.Privacy{}, fmt.Errorf("app: %w", err)
	}
	return engine.Privacy{Filter: f, Answers: s.MaskAnswers, ToAgent: s.MaskToAgent}, nil
}

// checkMasks says what is wrong with rules of the settings.
func checkMasks(off []string, custom []bridge.MaskRule) error {
	_, err := newFilter(off, custom)
	return err
}

func newFilter(off []string, custom []bridge.MaskRule) (*privacy.Filter, error) {
	rules := privacy.Rules{Custom: custom}
	for _, name := range off {
		rules.Off = append(rules.Off, privacy.Rule(name))
	}
	return privacy.New(rules)
}
