package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/agent/difytest"
	"switchboard/internal/bridge"
)

const travelForm = `{"user_input_form":[
	{"text-input":{"label":"City","variable":"city","required":true,"max_length":20}},
	{"select":{"label":"Tone","variable":"tone","options":["plain","warm"],"default":"plain"}},
	{"number":{"label":"Days","variable":"days"}},
	{"text-input":{"variable":"user_name"}},{"text-input":{"variable":"platform"}},{"text-input":{"variable":"role"}},
	{"select":{"variable":"language","options":["en","zh-CN"]}}]}`

// travelDesk is a house with a Dify app that asks for much.
func travelDesk(t *testing.T, agent, routes string) *desk {
	t.Helper()
	d := &desk{T: t, dify: difytest.New(t, difytest.App{Parameters: travelForm})}
	head := fmt.Sprintf("language: en\nroutes: [%s]\nagents: [{id: help, kind: dify, base_url: %q, inputs: {%s}}]\n", routes, d.dify.URL, agent)
	d.app, d.ctx, d.Simulator = onSimulator(t, head)
	d.on = d.Employees()[0].Platforms[0]
	return d
}

// TestInputsReachDify: a rule's values go before the agent's, those before what is
// known of the person, and each question says them again.
func TestInputsReachDify(t *testing.T) {
	t.Parallel()
	d := travelDesk(t, "city: Berlin, days: 3", "{when: {keyword: trip}, agent: help, inputs: {city: Rome, tone: warm, user_name: ''}}")
	d.says("hello", nil, 1)
	d.says("a trip", nil, 1)
	asked := d.dify.Asked()
	for _, q := range asked {
		if q.Inputs["platform"] == "" || q.Inputs["role"] != "member" || q.Inputs["language"] != "en" || q.Inputs["email"] != nil {
			t.Errorf("the person is %v", q.Inputs)
		}
		delete(q.Inputs, "platform")
		delete(q.Inputs, "role")
		delete(q.Inputs, "language")
	}
	want := []map[string]any{{"city": "Berlin", "days": 3.0, "user_name": "李娜"}, {"city": "Rome", "days": 3.0, "tone": "warm"}}
	for n := range want {
		if diff := cmp.Diff(want[n], asked[n].Inputs); diff != "" {
			t.Errorf("question %d: %s", n, diff)
		}
	}
	if asked[1].Conversation == "" || len(d.app.Notices(bridge.English)) > 0 {
		t.Errorf("asked %+v, notices %+v", asked, d.app.Notices(bridge.English))
	}
}

// TestNoValue: without a value that the app cannot do without it is not asked;
// the person reads what is missing, and the admin is warned until it is there.
func TestNoValue(t *testing.T) {
	t.Parallel()
	d := travelDesk(t, "", "")
	notice := func() (found bridge.Notice) {
		for _, n := range d.app.Notices(bridge.English) {
			if strings.HasPrefix(n.ID, "inputs_missing") {
				found = n
			}
		}
		return found
	}
	until(t, func() bool { return notice().ID != "" }) // before anybody asks
	if n := notice(); !strings.Contains(n.Detail, "City (city)") || n.Severity != bridge.SeverityWarning {
		t.Errorf("%+v", n)
	}
	if got := d.says("hello", nil, 1)[0]; !strings.Contains(got, "cannot answer without this: City.") || len(d.dify.Asked()) != 0 {
		t.Errorf("%q, asked %v", got, d.dify.Asked())
	}
	rule := bridge.Route{Then: bridge.RouteOutcome{Kind: bridge.RouteAgent, Agent: "help", Inputs: map[string]string{"city": "Rome"}}}
	if err := d.app.SaveRoutes(d.ctx, []bridge.Route{rule}); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return notice().ID == "" }) // nothing goes past that rule
	if got := d.says("hello", nil, 1)[0]; got != "Dify heard hello" {
		t.Errorf("%q", got)
	}
	if diff := cmp.Diff([]bridge.Route{rule}, d.app.Routes()); diff != "" {
		t.Error(diff)
	}
}

// TestValueIsMended: a value that the app does not take is a warning until the rule
// has another one.
func TestValueIsMended(t *testing.T) {
	t.Parallel()
	d := travelDesk(t, "city: Berlin", "")
	rule := bridge.Route{Then: bridge.RouteOutcome{Kind: bridge.RouteAgent, Agent: "help"}}
	for _, c := range []struct {
		city string
		warn bool
	}{{strings.Repeat("Llanfair", 3), true}, {"Rome", false}} {
		rule.Then.Inputs = map[string]string{"city": c.city}
		if err := d.app.SaveRoutes(d.ctx, []bridge.Route{rule}); err != nil {
			t.Fatal(err)
		}
		until(t, func() bool {
			return c.warn == slices.ContainsFunc(d.app.Notices(bridge.English), func(n bridge.Notice) bool { return n.ID == "inputs_missing help" })
		})
	}
}

// TestTrialTellsInputs: an editor sees what would be sent, where it comes from, and
// what is wrong with it; so does the check.
func TestTrialTellsInputs(t *testing.T) {
	t.Parallel()
	d := travelDesk(t, "city: Berlin, planet: Mars", "{when: {keyword: trip}, agent: help, inputs: {tone: rude, town: x, days: many}}")
	try := func(text string) []string {
		v, err := d.app.TryRoutes(d.ctx, d.app.Routes(), bridge.RouteTrial{Bot: "demo-wecom", Text: text, Role: bridge.RoleGuest, Person: "Li"})
		if err != nil || v.NoInputs != nil {
			t.Fatal(err, v.NoInputs)
		}
		var all []string
		for _, v := range v.Inputs {
			all = append(all, fmt.Sprint(v.Input.Name, " ", v.From, " ", v.Text, " ", v.Trouble))
		}
		return all
	}
	known := []string{"user_name person Li ", "platform person wecom ", "role person guest ", "language person en "}
	for text, want := range map[string][]string{
		"hello":  append([]string{"city agent Berlin ", "tone app plain ", "days   "}, known...),
		"a trip": append(append([]string{"city agent Berlin ", "tone route rude option", "days route many number"}, known...), "town route x unknown"),
		"/help":  nil,
	} {
		if diff := cmp.Diff(want, try(text)); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
	var lines []string
	for _, l := range d.app.Check(d.ctx, bridge.English) {
		if l.Who == "help" && !l.OK {
			lines = append(lines, l.What)
		}
	}
	want := []string{
		"Rule “#1”: “rude” is none of the options of Tone (tone): plain, warm.",
		"Rule “#1”: Days (days) takes a number, and “many” is none.",
		"Rule “#1”: the app has no input “town”.",
		"Agent “help”: the app has no input “planet”.",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	if slices.ContainsFunc(d.app.Notices(bridge.English), func(n bridge.Notice) bool { return strings.HasPrefix(n.ID, "inputs") }) {
		t.Error("what need not be there is a warning")
	}
}
