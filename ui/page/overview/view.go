package overview

import (
	"slices"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/health"
	"switchboard/internal/i18n"
	"switchboard/ui/live"
	"switchboard/ui/widget"
)

// botCard is a bot in words.
type botCard struct {
	title, letter, mode string
	platform            bridge.Platform
	tone                widget.Tone
	state               string
	counts, last        string
	callback            string // the whole address to paste into the platform's console
	trouble, next       string
}

func describeBot(w live.Words, now time.Time, b bridge.BotStatus, public string, notices []bridge.Notice) botCard {
	c := botCard{
		title: w.Platform(b.Platform), letter: w.Initial(b.Platform), platform: b.Platform,
		mode: joined(b.ID, w.Mode(b.Mode)), tone: toneOf(b.State), state: w.T("bot." + string(b.State)),
		counts: w.T("bot.counts", "received", b.Received, "answered", b.Answered),
		last:   w.T("bot.last", "when", w.Ago(b.LastMessage, now)),
	}
	if b.LastMessage.IsZero() {
		c.last = w.T("bot.nothing_yet")
	}
	if b.Failed > 0 {
		c.counts += w.T("list.dot") + w.T("bot.failed", "n", b.Failed)
	}
	if b.Callback != "" && public != "" { // half an address is of no use
		c.callback = strings.TrimSuffix(public, "/") + b.Callback
	}
	told := slices.ContainsFunc(notices, func(n bridge.Notice) bool { return n.Bot == b.ID && n.Severity == bridge.SeverityError })
	if b.Err != nil && !told { // what a notice above says is not said twice
		e := w.Explanation(b.Err)
		c.trouble, c.next = e.What, e.Next
	}
	return c
}

func toneOf(s bridge.BotState) widget.Tone {
	switch s {
	case bridge.BotReady:
		return widget.ToneOK
	case bridge.BotWaiting:
		return widget.ToneWaiting
	case bridge.BotFailing:
		return widget.ToneAttention
	case bridge.BotBroken:
		return widget.ToneError
	case bridge.BotPaused:
	}
	return widget.TonePaused
}

// agentCard is an agent in words.
type agentCard struct {
	title, kind   string
	tone          widget.Tone
	state         string
	load          float64 // of its limit
	running, last string
	trouble, next string
}

func describeAgent(w live.Words, now time.Time, a bridge.AgentStatus) agentCard {
	c := agentCard{title: a.ID, kind: kindName(w, a.Kind, a.Version), tone: widget.ToneOK, state: w.T("agent.ready")}
	c.running = w.T("agent.running", "n", a.Running, "limit", a.Limit)
	if a.Limit > 0 {
		c.load = min(1, float64(a.Running)/float64(a.Limit))
	}
	if a.Waiting > 0 {
		c.running += w.T("list.dot") + w.T("agent.waiting", "n", a.Waiting)
	}
	c.last = w.T("agent.last", "latency", w.Long(a.Latency), "when", w.Ago(a.LastAnswer, now))
	if a.LastAnswer.IsZero() {
		c.tone, c.state, c.last = widget.ToneWaiting, w.T("agent.idle"), w.T("agent.nothing_yet")
	}
	if a.Err != nil {
		e := w.Explanation(a.Err)
		c.tone, c.state, c.trouble, c.next = widget.ToneError, w.T("agent.trouble"), e.What, e.Next
	}
	return c
}

// kindName is what an agent is, with the version of its server where it tells one.
func kindName(w live.Words, kind, version string) string {
	name, ok := i18n.Find(w.Lang, "ui.agent.kind."+kind)
	if !ok {
		name = kind
	}
	if version == "" {
		return name
	}
	return w.T("agent.version", "kind", name, "version", version)
}

// waiting is how many questions wait for their turn, over all agents.
func waiting(o bridge.Overview) int {
	n := 0
	for _, a := range o.Agents {
		n += a.Waiting
	}
	return n
}

// aboutTunnel says that a notice is about the way from the internet to us.
func aboutTunnel(n bridge.Notice) bool {
	code, _, _ := strings.Cut(n.ID, " ")
	return code == string(health.TunnelDown)
}

func noticeTone(s bridge.Severity) widget.Tone {
	switch s {
	case bridge.SeverityError:
		return widget.ToneError
	case bridge.SeverityWarning:
		return widget.ToneAttention
	case bridge.SeverityInfo:
	}
	return widget.ToneWaiting
}

func joined(parts ...string) string {
	var all []string
	for _, p := range parts {
		if p != "" {
			all = append(all, p)
		}
	}
	return strings.Join(all, " · ")
}
