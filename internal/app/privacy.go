package app

import (
	"context"
	"fmt"

	"switchboard/internal/bridge"
	"switchboard/internal/engine"
	"switchboard/internal/privacy"
	"switchboard/internal/settings"
)

// privacyNow is what is hidden and kept at this moment.
type privacyNow struct {
	rules  bridge.Privacy
	engine engine.Privacy
}

// follow hides and keeps from now on what the rules say.
func (a *App) follow(p bridge.Privacy) error {
	f, err := newFilter(p.Off, p.Custom)
	if err != nil {
		return fmt.Errorf("app: privacy: %w", err)
	}
	a.privacy.Store(&privacyNow{rules: p, engine: engine.Privacy{Filter: f, Answers: p.MaskAnswers, ToAgent: p.MaskToAgent}})
	return nil
}

func (a *App) hidden() engine.Privacy { return a.privacy.Load().engine }

func (a *App) storesContent() bool { return a.privacy.Load().rules.StoreContent }

// Privacy returns what is hidden and kept.
func (a *App) Privacy() bridge.Privacy { return a.privacy.Load().rules }

// MaskRules names the built-in rules.
func (*App) MaskRules() []string {
	var all []string
	for _, rule := range privacy.BuiltIn() {
		all = append(all, string(rule))
	}
	return all
}

// PreviewPrivacy says what rules would hide in a sample. What is wrong with a
// rule of the admin's is a *bridge.Error that names it.
func (*App) PreviewPrivacy(p bridge.Privacy, sample string) ([]bridge.Masked, error) {
	spans, err := privacy.Preview(rulesOf(p.Off, p.Custom), sample)
	if err != nil {
		return nil, fmt.Errorf("app: privacy: %w", err)
	}
	all := make([]bridge.Masked, 0, len(spans))
	for _, s := range spans {
		all = append(all, bridge.Masked{Start: s.Start, End: s.End, Rule: string(s.Rule), Shown: s.Shown})
	}
	return all, nil
}

// SavePrivacy writes what is hidden and kept into the settings file and follows
// it at once. When content is no longer kept, that which is stored goes too.
func (a *App) SavePrivacy(ctx context.Context, p bridge.Privacy) error {
	if _, err := newFilter(p.Off, p.Custom); err != nil {
		return fmt.Errorf("app: privacy: %w", err)
	}
	if err := a.change(ctx, "privacy", func(s *settings.Settings) { s.Privacy = p }); err != nil {
		return err
	}
	if err := a.follow(p); err != nil {
		return err
	}
	a.forget.stir()
	return nil
}

// checkMasks says what is wrong with rules of the settings.
func checkMasks(off []string, custom []bridge.MaskRule) error {
	_, err := newFilter(off, custom)
	return err
}

func newFilter(off []string, custom []bridge.MaskRule) (*privacy.Filter, error) {
	return privacy.New(rulesOf(off, custom))
}

func rulesOf(off []string, custom []bridge.MaskRule) privacy.Rules {
	rules := privacy.Rules{Custom: custom}
	for _, name := range off {
		rules.Off = append(rules.Off, privacy.Rule(name))
	}
	return rules
}
