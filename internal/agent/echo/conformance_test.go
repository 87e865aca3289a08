package echo_test

import (
	"context"
	"iter"
	"testing"

	"switchboard/internal/agent/agenttest"
	"switchboard/internal/agent/echo"
	"switchboard/internal/bridge"
)

// wishing adds a wish to every question.
type wishing struct {
	*echo.Agent
	wish string
}

func (w wishing) Ask(ctx context.Context, q bridge.Question) iter.Seq2[bridge.Event, error] {
	q.Text += " " + w.wish
	return w.Agent.Ask(ctx, q)
}

func TestConformance(t *testing.T) {
	t.Parallel()
	wish := func(wish string) func(testing.TB) bridge.Agent {
		return func(testing.TB) bridge.Agent { return wishing{echo.New(echo.Options{}), wish} }
	}
	agenttest.Run(t, agenttest.Kit{
		Name: "echo", Talks: true, Open: wish(""), Slow: wish("!long 200000"), Silent: wish("!slow 600"),
		Failures: []agenttest.Failure{
			{Name: "as wished", Open: wish("!fail"), Kind: bridge.KindAgentFailed},
			{Name: "cut off", Open: wish("!cut"), Kind: bridge.KindInterrupted, Shown: true},
		},
	})
}
