package people

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"math/big"
	"strings"
	"time"

	"switchboard/internal/bridge"
)

const (
	// Digits is how long a link code is.
	Digits = 6
	// codeLife is how long a code can be used.
	codeLife = 10 * time.Minute
	// maxWrong is how many wrong codes within lockout lock a person out, for as
	// long.
	maxWrong = 5
	lockout  = time.Hour
)

// Codes keeps link codes and counts the wrong ones.
type Codes interface {
	SaveLinkCode(ctx context.Context, c bridge.LinkCode) error
	LinkCodes(ctx context.Context) ([]bridge.LinkCode, error)
	UseLinkCode(ctx context.Context, c bridge.LinkCode, typed string, job int64, by bridge.Actor) (bool, error)
	LinkTries(ctx context.Context, person string) (bridge.LinkTries, error)
	CountWrongCode(ctx context.Context, person string, most int, span time.Duration) (bridge.LinkTries, error)
}

// Registry keeps people and the audit.
type Registry interface {
	Person(ctx context.Context, id string) (bridge.Person, error)
	Audit(ctx context.Context, a bridge.Audit) error
}

// Linker links people. Make one with NewLinker.
type Linker struct {
	codes    Codes
	registry Registry
	standing func(bridge.Role) bridge.Role
}

// NewLinker makes a linker. Standing tells what a role is worth everywhere: that
// of people nobody has decided about may be as good as another one.
func NewLinker(codes Codes, registry Registry, standing func(bridge.Role) bridge.Role) *Linker {
	return &Linker{codes, registry, standing}
}

// Issue makes a code for a person, in place of a former one. When it is used,
// the person is to be told at the address.
func (l *Linker) Issue(ctx context.Context, person string, told bridge.Address) (code string, expires time.Time, err error) {
	open, err := l.codes.LinkCodes(ctx)
	if err != nil {
		return "", expires, fmt.Errorf("people: issue: %w", err)
	}
	code, err = digits()
	for err == nil && find(open, code) != nil { // no two people have the same code at once
		code, err = digits()
	}
	if err != nil {
		return "", expires, fmt.Errorf("people: issue: %w", err)
	}
	c := bridge.LinkCode{Person: person, Salt: []byte(rand.Text()), Expires: time.Now().Add(codeLife), Address: told}
	c.Hash = hash(c.Salt, code)
	if err := l.codes.SaveLinkCode(ctx, c); err != nil {
		return "", expires, fmt.Errorf("people: issue: %w", err)
	}
	return code, c.Expires, nil
}

// Verdict is what became of a typed code.
type Verdict string

// The verdicts.
const (
	Linked   Verdict = "linked"
	Wrong    Verdict = "wrong"    // there is no such code, or it was used, or it expired
	Own      Verdict = "own"      // the person's own, typed where it was asked for
	Locked   Verdict = "locked"   // too many wrong ones
	Stronger Verdict = "stronger" // the person who typed it has more rights than the other
)

// Typed is a code that somebody typed.
type Typed struct {
	Code   string
	Person bridge.Person
	Job    int64
	Bot    string
}

// Outcome is what became of a typed code.
type Outcome struct {
	Verdict Verdict
	Issuer  bridge.Person  // who asked for the code, once linked
	Told    bridge.Address // where that person is told
	Until   time.Time      // when locked
}

// Use links the person who typed a code to the one who asked for it. The same job
// may ask again after a crash and hears the same.
//
// Nobody gains or loses rights unawares: the person who asked for the code keeps
// theirs, and somebody with more rights is refused, because they would lose them.
// A role that somebody decided about outlasts that of a newcomer.
func (l *Linker) Use(ctx context.Context, t Typed) (Outcome, error) {
	o, err := l.use(ctx, t)
	if err != nil {
		return o, fmt.Errorf("people: use: %w", err)
	}
	return o, nil
}

func (l *Linker) use(ctx context.Context, t Typed) (Outcome, error) {
	tries, err := l.codes.LinkTries(ctx, t.Person.ID)
	if err != nil {
		return Outcome{}, err
	}
	if time.Now().Before(tries.LockedUntil) {
		return Outcome{Verdict: Locked, Until: tries.LockedUntil}, nil
	}
	open, err := l.codes.LinkCodes(ctx)
	if err != nil {
		return Outcome{}, err
	}
	c := find(open, t.Code)
	switch {
	case c == nil || c.UsedBy != 0 && c.UsedBy != t.Job:
		return l.wrong(ctx, t)
	case c.UsedBy == 0 && c.Person == t.Person.ID:
		return Outcome{Verdict: Own}, nil
	}
	return l.redeem(ctx, t, *c)
}

func (l *Linker) redeem(ctx context.Context, t Typed, c bridge.LinkCode) (Outcome, error) {
	issuer, err := l.registry.Person(ctx, c.Person)
	if err != nil {
		return Outcome{}, err
	}
	if c.UsedBy == 0 {
		if rank(l.standing(t.Person.Role)) > rank(l.standing(issuer.Role)) {
			return Outcome{Verdict: Stronger}, nil
		}
		used, err := l.codes.UseLinkCode(ctx, c, t.Person.ID, t.Job, bridge.Actor{Who: t.Person.ID, Where: t.Bot})
		if err != nil || !used {
			return Outcome{Verdict: Wrong}, err
		}
	}
	return Outcome{Verdict: Linked, Issuer: issuer, Told: c.Address}, nil
}

func (l *Linker) wrong(ctx context.Context, t Typed) (Outcome, error) {
	tries, err := l.codes.CountWrongCode(ctx, t.Person.ID, maxWrong, lockout)
	if err != nil || tries.LockedUntil.IsZero() {
		return Outcome{Verdict: Wrong}, err
	}
	a := bridge.Audit{Kind: bridge.AuditLocked, By: bridge.Actor{Who: t.Person.ID, Where: t.Bot}, Person: t.Person.ID}
	return Outcome{Verdict: Locked, Until: tries.LockedUntil}, l.registry.Audit(ctx, a)
}

// Waiting says whether any code could be used now: only then six digits in a
// chat may be one.
func (l *Linker) Waiting(ctx context.Context) (bool, error) {
	open, err := l.codes.LinkCodes(ctx)
	if err != nil {
		return false, fmt.Errorf("people: waiting: %w", err)
	}
	return len(open) > 0, nil
}

// ParseCode reads a code as people type it: with blanks or a dash inside, in
// full-width digits.
func ParseCode(text string) (string, bool) {
	code := strings.Map(func(r rune) rune {
		switch {
		case r >= '０' && r <= '９':
			return r - '０' + '0'
		case r == ' ' || r == '-' || r == '\u3000' || r == '\u00a0':
			return -1
		default:
			return r
		}
	}, strings.TrimSpace(text))
	if len(code) != Digits || strings.Trim(code, "0123456789") != "" {
		return "", false
	}
	return code, true
}

// find compares a code with all of them, in the same time whichever it is.
func find(open []bridge.LinkCode, code string) *bridge.LinkCode {
	var found *bridge.LinkCode
	for i := range open {
		if subtle.ConstantTimeCompare(hash(open[i].Salt, code), open[i].Hash) == 1 {
			found = &open[i]
		}
	}
	return found
}

func hash(salt []byte, code string) []byte {
	sum := sha256.Sum256(append(append([]byte{}, salt...), code...))
	return sum[:]
}

func digits() (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%0*d", Digits, n), nil
}

// rank orders roles by what they allow.
func rank(role bridge.Role) int {
	switch role {
	case bridge.RoleAdmin:
		return 4
	case bridge.RoleMember:
		return 3
	case bridge.RoleGuest:
		return 2
	case bridge.RoleNew:
		return 1
	case bridge.RoleBlocked:
		return 0
	default:
		return 0
	}
}
