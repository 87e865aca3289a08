package main

import (
	"context"
	"log/slog"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/ui"
)

// opened is what came of opening a house.
type opened struct {
	backend ui.Backend
	close   func()
	err     error
}

// question asks for the passphrase of the file with the secrets, and takes it.
type question chan<- bridge.Secret

// opening is a house that opens and may ask for the passphrase on the way.
type opening struct {
	asked chan question
	got   opened        // once done is closed
	done  chan struct{} // closed when it is open or will not be
	stop  context.CancelFunc
}

// begin opens a house beside the goroutine that shows windows, which has to be the
// first one.
func begin(ctx context.Context, o options, log *slog.Logger, open openBackend) *opening {
	ctx, stop := context.WithCancel(ctx)
	b := &opening{asked: make(chan question), done: make(chan struct{}), stop: stop}
	o.ask = b.ask
	go func() {
		defer close(b.done)
		b.got.backend, b.got.close, b.got.err = open(ctx, o, log)
	}()
	return b
}

// ask is called by the house.
func (b *opening) ask(ctx context.Context) (bridge.Secret, error) {
	answer := make(chan bridge.Secret, 1)
	select {
	case b.asked <- answer:
	case <-ctx.Done():
		return bridge.Secret{}, ctx.Err()
	}
	select {
	case passphrase := <-answer:
		return passphrase, nil
	case <-ctx.Done():
		return bridge.Secret{}, ctx.Err()
	}
}

// keyhole is a house that waits for the passphrase.
type keyhole struct {
	o     options
	house *opening
	asked question
	given bridge.Secret
}

// Try implements unlock.Backend.
func (k *keyhole) Try(_ context.Context, passphrase bridge.Secret) error {
	return app.TryPassphrase(app.Options{Data: k.o.data, Config: k.o.config}, passphrase)
}

// Open implements unlock.Backend. The house outlives the window that asked, and
// with it the context.
func (k *keyhole) Open(_ context.Context, passphrase bridge.Secret) error {
	k.given = passphrase
	k.asked <- passphrase
	<-k.house.done
	return k.house.got.err
}

// again answers a house that is opened once more.
func (k *keyhole) again(context.Context) (bridge.Secret, error) { return k.given, nil }

// unlockDesktop asks for the passphrase, and goes on like desktop when the house
// is open.
func unlockDesktop(ctx context.Context, o options, log *slog.Logger, open openBackend, b *opening, asked question) int {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	o.hidden = false // somebody sits before it
	k := &keyhole{o: o, house: b, asked: asked}
	o.ask = k.again
	r := &repairs{o: o, log: log, open: func() (ui.Backend, func(), error) { return open(ctx, o, log) }}
	a, end := newApp(), func() {}
	ui.ShowUnlock(ctx, a, k, windowOptions(ctx, o, log), func() {
		_, end = start(ctx, a, o, log, b.got.backend)
	}, func(err error) {
		cannotStart(ctx, o, log, err)
		ui.ShowRepair(ctx, a, r, err, o.data, windowOptions(ctx, o, log), func() { _, end = start(ctx, a, o, log, r.backend) })
	})
	a.Run()
	end()
	return leave(b, r)
}

// leave closes what is open when the windows are gone, also a house that still
// waits to be told the passphrase.
func leave(b *opening, r *repairs) int {
	b.stop()
	<-b.done
	switch {
	case b.got.err == nil:
		b.got.close()
	case r.close != nil:
		r.close()
	default:
		return exitTrouble
	}
	return exitOK
}
