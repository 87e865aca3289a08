package wecom_test

import (
	"testing"

	"switchboard/internal/bridge"
	"switchboard/internal/platform/wecom"
)

// TestNoStream: an app's answers do not grow, and nobody is told otherwise.
func TestNoStream(t *testing.T) {
	t.Parallel()
	for _, mode := range wecom.Connector().Modes {
		if _, streams := openWith(t, nil, bridge.Env{}).(bridge.Streamer); streams || mode.Capabilities.Stream || mode.Capabilities.MaxDraft != 0 {
			t.Errorf("mode %s: %v, %+v", mode.ID, streams, mode.Capabilities)
		}
	}
}
