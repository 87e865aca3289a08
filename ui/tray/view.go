package tray

import (
	"strings"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
)

// State is the worst thing there is to tell, and names the icon.
type State string

// The states, each with an icon of its own shape.
const (
	OK        State = "ok"
	Attention State = "attention"
	Error     State = "error"
	Paused    State = "paused"
)

// Picture is everything the tray shows.
type Picture struct {
	State State
	// Lines tell how things are, the first one in short for the tooltip.
	Lines  []string
	Paused bool
}

// Describe turns the state of the house into a picture.
func Describe(w live.Words, o bridge.Overview, notices []bridge.Notice) Picture {
	p := Picture{State: stateOf(o, notices), Paused: o.Paused}
	switch {
	case o.Paused:
		p.Lines = append(p.Lines, w.T("tray.paused"))
	case len(o.Bots) == 0:
		p.Lines = append(p.Lines, w.T("tray.empty"))
	case p.State == OK:
		p.Lines = append(p.Lines, w.T("tray.ok", "answered", o.Answered))
	default:
		p.Lines = append(p.Lines, w.T("tray.trouble", "n", max(1, len(notices))))
	}
	for _, b := range o.Bots {
		p.Lines = append(p.Lines, mark(b.State)+" "+w.Platform(b.Platform)+w.T("list.dot")+w.T("bot."+string(b.State)))
	}
	return p
}

// Tooltip is the one line shown when the pointer rests on the icon.
func (p Picture) Tooltip(w live.Words) string {
	if len(p.Lines) == 0 {
		return w.T("app")
	}
	return w.T("app") + " — " + p.Lines[0]
}

func stateOf(o bridge.Overview, notices []bridge.Notice) State {
	if o.Paused {
		return Paused
	}
	worst := OK
	for _, n := range notices {
		switch n.Severity {
		case bridge.SeverityError:
			return Error
		case bridge.SeverityWarning:
			worst = Attention
		case bridge.SeverityInfo:
		}
	}
	for _, b := range o.Bots {
		switch b.State {
		case bridge.BotBroken:
			return Error
		case bridge.BotFailing:
			worst = Attention
		case bridge.BotReady, bridge.BotWaiting, bridge.BotPaused:
		}
	}
	return worst
}

// mark tells the states apart without colours.
func mark(s bridge.BotState) string {
	switch s {
	case bridge.BotReady:
		return "●"
	case bridge.BotFailing:
		return "▲"
	case bridge.BotBroken:
		return "×"
	case bridge.BotWaiting, bridge.BotPaused:
	}
	return "○"
}

func equal(a, b Picture) bool {
	return a.State == b.State && a.Paused == b.Paused && strings.Join(a.Lines, "\n") == strings.Join(b.Lines, "\n")
}
