package uitest

import (
	"context"
	"slices"
	"strings"
	"time"

	"switchboard/internal/bridge"
)

// SetRoutes sets the rules that hold.
func (h *House) SetRoutes(rules []bridge.Route) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.routes = rules
}

// officeRoutes are the rules of the played office.
func officeRoutes(lang bridge.Language) []bridge.Route {
	say := func(zh, en string) string {
		if lang == bridge.Chinese {
			return zh
		}
		return en
	}
	return []bridge.Route{
		{
			Name: say("人事问题", "HR questions"), When: []bridge.RouteCondition{{By: "keyword", Values: []string{say("年假", "leave"), say("工资", "salary")}}},
			Then: bridge.RouteOutcome{Kind: bridge.RouteAgent, Agent: "hr", Inputs: map[string]string{"country": say("中国", "China")}},
		},
		{
			Name: say("下班时间", "After hours"), When: []bridge.RouteCondition{
				{By: "outside_hours", Values: []string{"Mon-Fri 09:00-18:00 Asia/Shanghai"}}, {By: "role", Values: []string{"guest"}},
			},
			Then: bridge.RouteOutcome{Kind: bridge.RouteReply, Text: say("您好，我们九点上班，届时回复您。", "Hello! We are back at nine and will answer then.")},
		},
		{
			Name: say("转人工", "A human, please"), When: []bridge.RouteCondition{{By: "keyword", Values: []string{say("人工", "human")}}},
			Then: bridge.RouteOutcome{Kind: bridge.RouteHuman, For: 30 * time.Minute},
		},
	}
}

// Routes implements ui.Backend.
func (h *House) Routes() []bridge.Route {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.routes
}

// RouteChoices implements ui.Backend.
func (*House) RouteChoices() bridge.RouteChoices {
	return bridge.RouteChoices{
		Conditions: []string{"bot", "chat", "person", "role", "department", "prefix", "keyword", "regexp", "hours", "outside_hours"},
		Agents:     []string{"helpdesk", "hr"}, Bots: []string{"feishu-office", "wecom-sales", "ding-support"},
		Roles: []bridge.Role{bridge.RoleMember, bridge.RoleGuest, bridge.RoleAdmin}, Commands: []string{"help", "new", "oncall"},
	}
}

// AgentInputs implements ui.Backend: the agent for HR asks for a few things.
func (h *House) AgentInputs(_ context.Context, agent string) ([]bridge.Input, error) {
	if agent != "hr" {
		return nil, h.Fail
	}
	say := func(zh, en string) string {
		if h.Language == bridge.Chinese {
			return zh
		}
		return en
	}
	return []bridge.Input{
		{Name: "company", Label: say("公司", "Company"), Kind: bridge.InputText, Required: true},
		{Name: "country", Label: say("国家", "Country"), Kind: bridge.InputSelect, Options: []string{say("中国", "China"), say("德国", "Germany")}},
		{Name: "brief", Label: say("简短回答", "Short answers"), Kind: bridge.InputCheckbox},
		{Name: bridge.InputDepartment, Label: say("部门", "Department"), Kind: bridge.InputText},
	}, h.Fail
}

// TryRoutes implements ui.Backend: it knows keywords, people and roles.
func (h *House) TryRoutes(ctx context.Context, rules []bridge.Route, m bridge.RouteTrial) (bridge.RouteVerdict, error) {
	v := bridge.RouteVerdict{Then: bridge.RouteOutcome{Kind: bridge.RouteAgent, Agent: "helpdesk"}}
	for i, r := range rules {
		for _, c := range r.When {
			if len(c.Values) == 0 {
				v.Mistakes = append(v.Mistakes, bridge.RouteMistake{Rule: i, Path: "when." + c.By, Err: &bridge.Error{Kind: bridge.KindInvalid, Op: "router: rule"}})
			}
		}
	}
	if len(v.Mistakes) > 0 {
		return v, h.Fail
	}
	for _, r := range rules {
		tried := bridge.RouteTried{Rule: r.Name, Holds: true}
		for _, c := range r.When {
			holds := c.By == "keyword" && slices.ContainsFunc(c.Values, func(v string) bool { return strings.Contains(m.Text, v) }) ||
				c.By == "person" && slices.Contains(c.Values, m.Person) || c.By == "role" && slices.Contains(c.Values, string(m.Role))
			if tried.Holds {
				tried.Holds, tried.By, tried.Want = holds, c.By, strings.Join(c.Values, ", ")
			}
		}
		if v.Tried = append(v.Tried, tried); tried.Holds {
			v.Then = r.Then
			break
		}
	}
	form, _ := h.AgentInputs(ctx, v.Then.Agent)
	for _, in := range form {
		value := bridge.InputValue{Input: in}
		switch text := v.Then.Inputs[in.Name]; {
		case text != "":
			value.Text, value.From = text, bridge.InputByRoute
		case in.Name == bridge.InputDepartment:
			value.Text, value.From = m.Department, bridge.InputByPerson
		case in.Required:
			value.Trouble = bridge.InputMissing
		}
		v.Inputs = append(v.Inputs, value)
	}
	return v, h.Fail
}

// SaveRoutes implements ui.Backend.
func (h *House) SaveRoutes(_ context.Context, rules []bridge.Route) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.Fail == nil {
		h.routes = rules
	}
	return h.Fail
}
