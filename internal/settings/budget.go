package settings

import (
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	"switchboard/internal/bridge"
)

// budgets reads the allowances of the platforms that have one in any mode.
func (p *parser) budgets(n *yaml.Node, path string) {
	metered := map[string][]bridge.Meter{TunnelAccount: {bridge.MeterRequests}}
	for _, c := range p.known.Connectors {
		meters := map[bridge.Meter]bool{}
		for _, m := range c.Modes {
			meters[bridge.MeterCalls] = meters[bridge.MeterCalls] || m.Capabilities.MonthlyCalls > 0
			meters[bridge.MeterPushes] = meters[bridge.MeterPushes] || m.Capabilities.MonthlyPushes > 0
		}
		for _, meter := range bridge.Meters() {
			if meters[meter] {
				metered[string(c.Platform)] = append(metered[string(c.Platform)], meter)
			}
		}
	}
	accounts := section{}
	for account, meters := range metered {
		accounts[account] = func(n *yaml.Node, path string) { p.budget(n, path, account, meters) }
	}
	p.fields(n, path, accounts)
}

func (p *parser) budget(n *yaml.Node, path, account string, meters []bridge.Meter) {
	allowances := map[bridge.Meter]int{}
	keys := section{}
	for _, meter := range meters {
		keys[string(meter)] = func(n *yaml.Node, path string) {
			most := -1
			if p.count(&most)(n, path); most >= 0 {
				allowances[meter] = most
			}
		}
	}
	p.fields(n, path, keys)
	if len(allowances) > 0 {
		p.s.Budgets[account] = allowances
	}
}

func budgetsNode(all map[string]map[bridge.Meter]int) *yaml.Node {
	n := mapping()
	for _, account := range slices.Sorted(maps.Keys(all)) {
		allowances := mapping()
		for _, meter := range slices.Sorted(maps.Keys(all[account])) {
			allowances.Content = append(allowances.Content, text(string(meter)), count(all[account][meter]))
		}
		n.Content = append(n.Content, text(account), allowances)
	}
	if len(all) == 0 {
		n.Style = yaml.FlowStyle // {}
	}
	return n
}
