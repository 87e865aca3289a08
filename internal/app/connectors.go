package app

import (
	"switchboard/internal/agent/echo"
	"switchboard/internal/bridge"
	"switchboard/internal/platform/dingtalk"
	"switchboard/internal/platform/wecom"
	"switchboard/internal/settings"
)

// Connectors lists every platform we can connect to.
func Connectors() []bridge.Connector {
	return []bridge.Connector{wecom.Connector(), dingtalk.Connector()}
}

// The kinds of agent.
const kindEcho = "echo"

// Known is what a settings file is checked against.
func Known() settings.Known {
	return settings.Known{Connectors: Connectors(), AgentKinds: []string{kindEcho}, KeylessKinds: []string{kindEcho}}
}

// openAgent makes an agent from its settings.
func openAgent(a settings.Agent, _ bridge.Secret) (bridge.Agent, error) {
	switch a.Kind {
	case kindEcho:
		return echo.New(echo.Options{}), nil
	default:
		return nil, &bridge.Error{Kind: bridge.KindUnsupported, Op: "app: agent " + a.ID, Detail: "unknown kind " + a.Kind}
	}
}
