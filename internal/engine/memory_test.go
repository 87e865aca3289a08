package engine_test

import (
	"context"
	"time"

	"switchboard/internal/bridge"
)

// What the tests of single answers do not need of a store.

func (*memory) CloseSessionsOf(context.Context, string) error { return nil }

func (*memory) MutedUntil(context.Context, string) (time.Time, error) { return time.Time{}, nil }

func (*memory) Identities(context.Context, string) ([]bridge.Identity, error) { return nil, nil }

func (*memory) Unlink(context.Context, bridge.Identity, bridge.Actor) (bridge.Person, error) {
	return bridge.Person{}, nil
}

func (*memory) SetLanguage(context.Context, string, bridge.Language) error { return nil }

func (*memory) Exchanges(context.Context, string, int64, int) ([]bridge.Exchange, error) {
	return nil, nil
}

func (*memory) Awaits(context.Context, string, int64, int) (bool, error) { return false, nil }

func (*memory) Undecided(context.Context, int) ([]bridge.Exchange, error) { return nil, nil }

func (*memory) Job(context.Context, int64) (bridge.Job, error) {
	return bridge.Job{}, &bridge.Error{Kind: bridge.KindNotFound, Op: "test"}
}

func (*memory) Tell(context.Context, string, int64, time.Duration) (bool, error) { return true, nil }

func (*memory) Mute(context.Context, string, time.Time) error { return nil }

func (*memory) Audit(context.Context, bridge.Audit) error { return nil }

func (*memory) SetRole(context.Context, string, bridge.Role, bridge.Actor) error { return nil }

func (*memory) LastWaiting(context.Context, string) (bridge.Message, bool, error) {
	return bridge.Message{}, false, nil
}

func (*memory) LastMessage(context.Context, string) (bridge.Message, bool, error) {
	return bridge.Message{}, false, nil
}
