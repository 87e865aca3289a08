package app

import (
	"context"
	"maps"
	"slices"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
)

// CheckLine is one result of Check, in words.
type CheckLine struct {
	Who  string `json:"who"` // the bot or agent
	OK   bool   `json:"ok"`
	What string `json:"what"`
	Next string `json:"next,omitempty"` // the next step when it is not OK
}

// Check tries the public address and every agent and bot against the real services.
func (a *App) Check(ctx context.Context, lang bridge.Language) []CheckLine {
	lines := a.checkTunnel(ctx, lang)
	for _, id := range slices.Sorted(maps.Keys(a.agents)) {
		g := a.agents[id]
		if g.agent == nil {
			lines = append(lines, trouble(lang, id, g.err))
			continue
		}
		found, err := g.agent.Check(ctx)
		lines = append(lines, checkLines(lang, id, "finding."+g.Kind+".", found, err)...)
		if err == nil && !slices.ContainsFunc(found, func(f bridge.Finding) bool { return !f.OK }) {
			lines = append(lines, a.checkInputs(ctx, lang, id)...)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(a.bots)) {
		b := a.bots[id]
		if b.bot == nil {
			lines = append(lines, trouble(lang, id, b.err))
			continue
		}
		found, err := b.bot.Check(ctx)
		lines = append(lines, checkLines(lang, id, "finding."+string(b.Platform)+".", found, err)...)
	}
	if len(lines) == 0 {
		lines = append(lines, CheckLine{Who: "switchboard", What: i18n.Text(lang, "cli.nothing", "config", a.opt.Config)})
	}
	return lines
}

// checkInputs compares what the settings say with what an agent asks for.
func (a *App) checkInputs(ctx context.Context, lang bridge.Language, agent string) []CheckLine {
	mistakes, err := a.inputMistakes(ctx, agent)
	if err != nil {
		return []CheckLine{trouble(lang, agent, err)}
	}
	var lines []CheckLine
	for _, m := range mistakes {
		lines = append(lines, CheckLine{Who: agent, What: m.say(lang), Next: i18n.Text(lang, "input.mistake.next")})
	}
	return lines
}

func checkLines(lang bridge.Language, who, prefix string, found []bridge.Finding, err error) []CheckLine {
	if err != nil {
		return []CheckLine{trouble(lang, who, err)}
	}
	var lines []CheckLine
	for _, f := range found {
		line := CheckLine{Who: who, OK: f.OK, What: words(lang, prefix+f.Code, f.Args)}
		if !f.OK {
			line.Next = words(lang, prefix+f.Code+".next", f.Args)
			if f.Err != nil {
				line.What += " " + i18n.Explain(lang, f.Err).What
			}
		}
		lines = append(lines, line)
	}
	if len(lines) == 0 {
		lines = append(lines, CheckLine{Who: who, OK: true, What: i18n.Text(lang, "cli.opened")})
	}
	return lines
}

func words(lang bridge.Language, key string, args map[string]string) string {
	var pairs []any
	for name, value := range args {
		pairs = append(pairs, name, value)
	}
	return i18n.Text(lang, key, pairs...)
}

func trouble(lang bridge.Language, who string, err error) CheckLine {
	if text := problemText(lang, err); text != "" {
		return CheckLine{Who: who, What: text}
	}
	e := i18n.Explain(lang, err)
	return CheckLine{Who: who, What: e.What, Next: e.Next}
}
