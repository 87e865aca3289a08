package app_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
)

// TestPeoplePage: the simulated employees are three people with an account on
// every platform; what is done to one stands in the history and can be undone.
func TestPeoplePage(t *testing.T) {
	t.Parallel()
	a, ctx := house(t, t.TempDir(), "")
	if err := a.StartDemo(ctx); err != nil {
		t.Fatal(err)
	}
	all, err := a.People(ctx, bridge.PeopleQuery{})
	if err != nil || len(all) != 3 {
		t.Fatalf("%d people, %v", len(all), err)
	}
	first, second := all[0].Person, all[1].Person
	card := func(id string) bridge.PersonCard {
		t.Helper()
		c, err := a.PersonCard(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	before := card(first.ID)
	if len(before.Accounts) != 3 || before.Accounts[0].Identity.User == "" || len(before.History) != 0 {
		t.Errorf("card %+v", before)
	}
	watch := a.Watch(ctx)
	for _, err := range []error{
		a.RenamePerson(ctx, first.ID, "Chief"), a.GiveRole(ctx, first.ID, bridge.RoleGuest), a.MergePeople(ctx, second.ID, first.ID),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-watch:
	case <-time.After(10 * time.Second):
		t.Error("the window is not told")
	}
	c := card(first.ID)
	var did []bridge.AuditKind
	for _, h := range c.History {
		did = append(did, h.Kind)
	}
	if diff := cmp.Diff([]bridge.AuditKind{bridge.AuditMerged, bridge.AuditRole, bridge.AuditRenamed}, did); diff != "" || len(c.Accounts) != 6 || c.Person.Role != bridge.RoleGuest {
		t.Errorf("%s\n%d accounts, role %s", diff, len(c.Accounts), c.Person.Role)
	}
	if _, err := a.PersonCard(ctx, second.ID); bridge.KindOf(err) != bridge.KindNotFound {
		t.Errorf("somebody who was merged: %v", err)
	}
	if err := a.UndoAct(ctx, c.History[0].ID); err != nil {
		t.Fatal(err)
	}
	if n := len(card(second.ID).Accounts); n != 3 {
		t.Errorf("%d accounts after the undo", n)
	}
	if err := a.UnlinkAccount(ctx, before.Accounts[2].Identity); err != nil {
		t.Fatal(err)
	}
	if n := len(card(first.ID).Accounts); n != 2 {
		t.Errorf("%d accounts after unlinking one", n)
	}
}

// TestLikenesses: whom two directories know by the same address stand side by side
// until they are one, or told apart; each decision can be taken back, and the rule
// that makes one of two heeds it.
func TestLikenesses(t *testing.T) {
	t.Parallel()
	s := onBots(t, echoAgent, "", asUsual)
	s.reads("li", "feishu", "hello", "question 1")
	s.reads("li", "dingtalk", "hello", "question 1")
	s.reads("zhang", "feishu", "hello", "question 1")
	look := func() bridge.Likenesses {
		t.Helper()
		l, err := s.Likenesses(s.ctx)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	until(t, func() bool { return look().Total == 1 })
	l := look()
	pair := l.Pairs[0]
	for _, p := range pair.People {
		if p.Person.Name != "李娜" || len(p.Accounts) != 1 || p.Accounts[0].Profile.Email == "" || p.Accounts[0].Profile.Email != pair.People[0].Accounts[0].Profile.Email {
			t.Errorf("side %+v", p)
		}
	}
	one, other := pair.People[0].Person.ID, pair.People[1].Person.ID
	if pair.Because != "email" || one == other || len(l.Pairs) != 1 || len(l.Decided) != 0 {
		t.Errorf("likenesses %+v", l)
	}
	decide := func(err error, kind bridge.AuditKind) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		l := look()
		if l.Total != 0 || len(l.Pairs) != 0 || len(l.Decided) != 1 || l.Decided[0].Audit.Kind != kind || l.Decided[0].Names != [2]string{"李娜", "李娜"} {
			t.Fatalf("after %s: %+v", kind, l)
		}
		if kind == bridge.AuditApart {
			s.noLonger(one)
		}
		if err := s.UndoAct(s.ctx, l.Decided[0].Audit.ID); err != nil {
			t.Fatal(err)
		}
		if l := look(); l.Total != 1 || len(l.Decided) != 0 {
			t.Errorf("after it was taken back: %+v", l)
		}
	}
	decide(s.TellApart(s.ctx, other, one), bridge.AuditApart)
	decide(s.MergePeople(s.ctx, one, other), bridge.AuditMerged)
	zhang, err := s.People(s.ctx, bridge.PeopleQuery{Text: "张伟"})
	if err != nil || len(zhang) != 1 {
		t.Fatal(zhang, err)
	}
	for _, err := range []error{s.MergePeople(s.ctx, zhang[0].Person.ID, one), s.TellApart(s.ctx, one, other)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if l := look(); len(l.Decided) != 2 || l.Decided[0].Audit.Kind != bridge.AuditApart || l.Decided[1].Names != [2]string{"张伟", "李娜"} {
		t.Errorf("not the latest first: %+v", l.Decided)
	}
}

// noLonger wants nobody to be suggested for a person.
func (s *street) noLonger(person string) {
	s.Helper()
	card, err := s.PersonCard(s.ctx, person)
	if err != nil || len(card.Likely) != 0 {
		s.Errorf("suggested %+v, %v", card.Likely, err)
	}
}
