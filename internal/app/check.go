package app

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/health"
	"switchboard/internal/i18n"
)

// house is who a line is about that is about no bot and no agent.
const house = "switchboard"

// checkPatience is how long everything may take to be tried: a service that does
// not answer takes a while to be given up.
const checkPatience = 3 * time.Minute

// CheckLine is one result of Check, in words.
type CheckLine struct {
	Who  string `json:"who"` // the bot, agent or part
	OK   bool   `json:"ok"`
	What string `json:"what"`
	Next string `json:"next,omitempty"` // the next step when it is not OK, or what would be better
}

// CheckAll tries what belongs to a data directory, by asking the program that uses
// it if there is one.
func CheckAll(ctx context.Context, opt Options, lang bridge.Language) ([]CheckLine, error) {
	ctx, cancel := context.WithTimeout(ctx, checkPatience)
	defer cancel()
	var lines []CheckLine
	err := Ask(ctx, opt, http.MethodGet, "/api/v1/check?lang="+string(lang), nil, &lines)
	return lines, err
}

func (a *App) apiCheck(r *http.Request) (any, error) {
	return a.Check(r.Context(), i18n.Parse(r.URL.Query().Get("lang"))), nil
}

// Check tries the public address and every agent and bot against the real services.
func (a *App) Check(ctx context.Context, lang bridge.Language) []CheckLine {
	lines := a.checkTunnel(ctx, lang)
	a.mu.RLock()
	agents, bots := maps.Clone(a.agents), maps.Clone(a.bots) // the window may add some meanwhile
	a.mu.RUnlock()
	for _, id := range slices.Sorted(maps.Keys(agents)) {
		g := agents[id]
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
	for _, id := range slices.Sorted(maps.Keys(bots)) {
		b := bots[id]
		if b.bot == nil {
			lines = append(lines, trouble(lang, id, b.err))
			continue
		}
		found, err := b.bot.Check(ctx)
		lines = append(lines, checkLines(lang, id, "finding."+string(b.Platform)+".", found, err)...)
	}
	lines = append(lines, a.checkDepartments(ctx, lang)...)
	lines = append(lines, a.checkGroups(ctx, lang)...)
	if len(lines) == 0 {
		lines = append(lines, CheckLine{Who: house, What: i18n.Text(lang, "cli.nothing", "config", a.opt.Config)})
	}
	return append(lines, a.checkWarnings(lang)...)
}

// checkWarnings tells what else is known to be wrong. What is only advised, or will
// pass, is no reason to say that the house is not in order.
func (a *App) checkWarnings(lang bridge.Language) []CheckLine {
	var lines []CheckLine
	for _, w := range a.health.List() {
		switch w.Code { //nolint:exhaustive // these were tried anew just now
		case health.BotBroken, health.AgentBroken, health.TunnelDown, health.InputsMissing, health.DepartmentsUnread:
			continue
		}
		n := notice(lang, w)
		line := CheckLine{Who: house, OK: w.Severity != bridge.SeverityError, What: n.Title, Next: n.Next}
		if n.Detail != "" {
			line.What = i18n.Text(lang, "cli.check.warning", "title", n.Title, "detail", n.Detail)
		}
		if a.isBotOrAgent(w.Affects) {
			line.Who = w.Affects
		}
		lines = append(lines, line)
	}
	return lines
}

func (a *App) isBotOrAgent(id string) bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.bots[id] != nil || a.agents[id] != nil
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
