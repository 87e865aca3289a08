package tray_test

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
	"switchboard/ui/tray"
)

func TestDescribe(t *testing.T) {
	t.Parallel()
	bot := func(s bridge.BotState) []bridge.BotStatus { return []bridge.BotStatus{{Platform: "feishu", State: s}} }
	note := func(s bridge.Severity) []bridge.Notice { return []bridge.Notice{{Severity: s}} }
	tests := map[string]struct {
		overview bridge.Overview
		notices  []bridge.Notice
		state    tray.State
		first    string
	}{
		"all well":              {bridge.Overview{Bots: bot(bridge.BotReady), Answered: 7}, nil, tray.OK, "All is well, 7 answered today"},
		"waiting is well":       {bridge.Overview{Bots: bot(bridge.BotWaiting)}, nil, tray.OK, "All is well, 0 answered today"},
		"nothing set up":        {bridge.Overview{}, nil, tray.OK, "No channel yet"},
		"failing":               {bridge.Overview{Bots: bot(bridge.BotFailing)}, nil, tray.Attention, "Needs attention: 1"},
		"broken":                {bridge.Overview{Bots: bot(bridge.BotBroken)}, nil, tray.Error, "Needs attention: 1"},
		"info is no trouble":    {bridge.Overview{Bots: bot(bridge.BotReady)}, note(bridge.SeverityInfo), tray.OK, "All is well, 0 answered today"},
		"warning":               {bridge.Overview{Bots: bot(bridge.BotReady)}, note(bridge.SeverityWarning), tray.Attention, "Needs attention: 1"},
		"error":                 {bridge.Overview{Bots: bot(bridge.BotReady)}, append(note(bridge.SeverityWarning), note(bridge.SeverityError)...), tray.Error, "Needs attention: 2"},
		"paused hides the rest": {bridge.Overview{Bots: bot(bridge.BotBroken), Paused: true}, note(bridge.SeverityError), tray.Paused, "Answering is paused"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := live.Words{Lang: bridge.English}
			p := tray.Describe(w, tt.overview, tt.notices)
			if p.State != tt.state || p.Lines[0] != tt.first || len(p.Lines) != 1+len(tt.overview.Bots) {
				t.Errorf("got %+v", p)
			}
			if p.Tooltip(w) != "Switchboard — "+tt.first {
				t.Errorf("tooltip %q", p.Tooltip(w))
			}
		})
	}
}

// host remembers what a desktop would show.
type host struct {
	menu  *fyne.Menu
	menus int
	icons []string
}

func (h *host) SetSystemTrayMenu(m *fyne.Menu)    { h.menu, h.menus = m, h.menus+1 }
func (h *host) SetSystemTrayIcon(r fyne.Resource) { h.icons = append(h.icons, r.Name()) }

func (h *host) labels() string {
	var all []string
	for _, i := range h.menu.Items {
		all = append(all, i.Label)
	}
	return strings.Join(all, "|")
}

func (h *host) item(t *testing.T, label string) *fyne.MenuItem {
	t.Helper()
	for _, i := range h.menu.Items {
		if i.Label == label {
			return i
		}
	}
	t.Fatalf("no %q in %s", label, h.labels())
	return nil
}

func TestTray(t *testing.T) {
	test.NewTempApp(t)
	h := &host{}
	var did []string
	tr := tray.NewWith(h, tray.Actions{
		Open:  func() { did = append(did, "open") },
		Pause: func(on bool) { did = append(did, map[bool]string{true: "pause", false: "resume"}[on]) },
		Quit:  func() { did = append(did, "quit") },
	}, func(s string) { did = append(did, s) })
	w := live.Words{Lang: bridge.English}
	ok := tray.Picture{State: tray.OK, Lines: []string{"All is well", "● Feishu · Connected"}}
	tr.Show(w, ok)
	if h.labels() != "All is well|● Feishu · Connected||Open Switchboard|Pause answering||Quit" {
		t.Errorf("menu %s", h.labels())
	}
	if !h.menu.Items[0].Disabled || !h.menu.Items[len(h.menu.Items)-1].IsQuit {
		t.Error("a line of state can be clicked, or there is no way to quit")
	}
	tr.Show(w, ok)
	if h.menus != 1 {
		t.Error("the menu was rebuilt for nothing")
	}
	h.item(t, "Open Switchboard").Action()
	h.item(t, "Pause answering").Action()
	tr.Show(live.Words{Lang: bridge.Chinese}, tray.Picture{State: tray.Paused, Paused: true, Lines: []string{"已暂停回答"}})
	h.item(t, "继续回答").Action()
	h.item(t, "退出").Action()
	if got := strings.Join(did, ","); got != "Switchboard — All is well,open,pause,总机 — 已暂停回答,resume,quit" {
		t.Errorf("did %s", got)
	}
	if got := strings.Join(h.icons, ","); got != "tray-ok.svg,tray-paused.svg" {
		t.Errorf("icons %s", got)
	}
}
