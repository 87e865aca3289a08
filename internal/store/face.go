package store

import (
	"sync"

	"switchboard/internal/bridge"
)

// knownAtMost bounds how many identities are remembered.
const knownAtMost = 4096

// faces remembers whose identity it is, because every message begins with that
// question. Only SQLite has it: there nobody but this process changes people,
// and every write that may have done so forgets them all.
type faces struct {
	mu     sync.RWMutex
	epoch  int // the number of times everything was forgotten
	people map[face]stranger
}

type face struct {
	platform bridge.Platform
	tenant   string
	user     bridge.UserID
}

// stranger is who somebody turned out to be.
type stranger struct {
	person bridge.Person
	name   string // of the identity
}

func faceOf(who bridge.Identity) face { return face{who.Platform, who.Tenant, who.User} }

// recall returns who an identity is, if that is remembered, and the epoch in
// which somebody who has to look it up began to look.
func (f *faces) recall(who bridge.Identity) (stranger, int, bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	known, ok := f.people[faceOf(who)]
	return known, f.epoch, ok
}

// learn remembers what was looked up, unless people have changed meanwhile.
func (f *faces) learn(who bridge.Identity, known stranger, since int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.epoch != since {
		return
	}
	if f.people == nil || len(f.people) >= knownAtMost {
		f.people = map[face]stranger{}
	}
	f.people[faceOf(who)] = known
}

func (f *faces) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.epoch++
	f.people = nil
}
