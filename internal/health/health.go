package health

import (
	"slices"
	"strings"
	"sync"
	"time"

	"switchboard/internal/bridge"
)

// Code names a warning.
type Code string

// The codes.
const (
	BotBroken         Code = "bot_broken"         // a bot could not be opened
	BotFailing        Code = "bot_failing"        // the platform did not take an answer
	AgentBroken       Code = "agent_broken"       // an agent could not be set up
	AgentFailing      Code = "agent_failing"      // an agent did not answer
	UnreadableTraffic Code = "unreadable_traffic" // genuine requests we cannot read
	RequestsRefused   Code = "requests_refused"   // requests that look like the platform's do not fit a setting
	StoreFailing      Code = "store_failing"      // the database cannot be written
	DoorClosed        Code = "door_closed"        // we cannot listen: the address is taken
	BotDisconnected   Code = "bot_disconnected"   // a bot's own connection ended
	SettingAdvised    Code = "setting_advised"    // a bot would be safer with one more setting
	TunnelDown        Code = "tunnel_down"        // the public address does not lead to us
	CareFailing       Code = "care_failing"       // the database is damaged, or could not be looked after
	ApprovalWaiting   Code = "approval_waiting"   // people wait to be admitted
	PartFailing       Code = "part_failing"       // a part of the program died and is started again
	BudgetShort       Code = "budget_short"       // a monthly allowance is nearly used up, or will be too soon
	BudgetSpent       Code = "budget_spent"       // a monthly allowance is used up
	HistoryRefused    Code = "history_refused"    // what was missed cannot be looked up
	InputsMissing     Code = "inputs_missing"     // an agent asks for what the settings do not say
	DepartmentsUnread Code = "departments_unread" // the names of departments are not known
	SettingsEdited    Code = "settings_edited"    // the settings file is not what the program runs with
)

// Codes lists every code, for catalogues and tests.
func Codes() []Code {
	return []Code{
		BotBroken, BotFailing, AgentBroken, AgentFailing, UnreadableTraffic, RequestsRefused, StoreFailing, DoorClosed, BotDisconnected,
		SettingAdvised, TunnelDown, CareFailing, ApprovalWaiting, PartFailing, BudgetShort, BudgetSpent, HistoryRefused, InputsMissing, DepartmentsUnread,
		SettingsEdited,
	}
}

// Warning is something wrong now.
type Warning struct {
	Code     Code
	Severity bridge.Severity
	Affects  string // the id of a bot or agent, or the name of a part; may be empty
	Detail   string // technical, for the admin who wants to know; may be empty
	Err      error  // explained in words below the title; may be nil
	Since    time.Time
}

// Registry holds the warnings. The zero Registry works.
type Registry struct {
	mu  sync.Mutex
	all map[string]Warning
}

// Raise adds a warning or renews it; how long it has been standing is kept. It
// tells whether anything changed.
func (r *Registry) Raise(w Warning) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all == nil {
		r.all = map[string]Warning{}
	}
	key := string(w.Code) + " " + w.Affects
	w.Since = time.Now()
	old, standing := r.all[key]
	if standing {
		w.Since = old.Since
	}
	r.all[key] = w
	return !standing || old.Severity != w.Severity || old.Detail != w.Detail || words(old.Err) != words(w.Err)
}

func words(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// Clear takes a warning away and tells whether it was standing.
func (r *Registry) Clear(code Code, affects string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := string(code) + " " + affects
	_, standing := r.all[key]
	delete(r.all, key)
	return standing
}

// Standing says whether a warning is standing.
func (r *Registry) Standing(code Code, affects string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, standing := r.all[string(code)+" "+affects]
	return standing
}

// List returns the warnings, the worst and then the oldest first.
func (r *Registry) List() []Warning {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []Warning
	for _, w := range r.all {
		all = append(all, w)
	}
	slices.SortFunc(all, func(a, b Warning) int {
		if a.Severity != b.Severity {
			return rank(a.Severity) - rank(b.Severity)
		}
		if c := a.Since.Compare(b.Since); c != 0 {
			return c
		}
		return strings.Compare(string(a.Code)+a.Affects, string(b.Code)+b.Affects)
	})
	return all
}

func rank(s bridge.Severity) int {
	switch s {
	case bridge.SeverityError:
		return 0
	case bridge.SeverityWarning:
		return 1
	case bridge.SeverityInfo:
	}
	return 2
}
