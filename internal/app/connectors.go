package app

import (
	"fmt"
	"log/slog"

	"switchboard/internal/agent/dify"
	"switchboard/internal/agent/echo"
	"switchboard/internal/bridge"
	"switchboard/internal/platform/dingtalk"
	"switchboard/internal/platform/feishu"
	"switchboard/internal/platform/wecom"
	"switchboard/internal/settings"
)

// Connectors lists every platform we can connect to.
func Connectors() []bridge.Connector {
	return []bridge.Connector{feishu.Connector(), wecom.Connector(), dingtalk.Connector()}
}

// The kinds of agent.
const (
	kindDify = "dify"
	kindEcho = "echo"
)

// Known is what a settings file is checked against.
func Known() settings.Known { return known(Connectors()) }

func known(connectors []bridge.Connector) settings.Known {
	return settings.Known{
		Connectors: connectors, AgentKinds: []string{kindDify, kindEcho}, KeylessKinds: []string{kindEcho}, CheckMasks: checkMasks, CheckRoutes: checkRoutes,
	}
}

// openAgent makes an agent from its settings.
func (a *App) openAgent(s settings.Agent, key bridge.Secret) (bridge.Agent, error) {
	switch s.Kind {
	case kindDify:
		agent, err := dify.New(dify.Config{BaseURL: s.BaseURL, Key: key, Timeout: s.Timeout, Inputs: s.Inputs, Titles: s.NameConversations, Log: a.log.With(slog.String("agent", s.ID))})
		if err != nil {
			return nil, fmt.Errorf("app: agent %s: %w", s.ID, err)
		}
		return agent, nil
	case kindEcho:
		return echo.New(a.opt.Echo), nil
	default:
		return nil, &bridge.Error{Kind: bridge.KindUnsupported, Op: "app: agent " + s.ID, Detail: "unknown kind " + s.Kind}
	}
}
