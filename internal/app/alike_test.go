package app_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/store"
)

// TestWaitingAndMerged: two who wait and are merged wait as one, and are admitted as
// one; who waits and turns out to be somebody who is admitted hears it where they
// wait.
func TestWaitingAndMerged(t *testing.T) {
	t.Parallel()
	s := onBots(t, echoAgent, "admission: approval", asUsual)
	first, second := s.platforms()[0], s.platforms()[1]
	for _, p := range []bridge.Platform{first, second} {
		s.reads("li", p, "你好", "管理员先批准")
		s.reads("alex", p, "hello", "approve you first")
	}
	li := s.newcomer(s.bot(first), "李娜").Person
	if err := s.MergePeople(s.ctx, s.newcomer(s.bot(second), "李娜").Person.ID, li.ID); err != nil {
		t.Fatal(err)
	}
	if len(s.shown("li", first))+len(s.shown("li", second)) != 2 {
		t.Error("somebody about whom nobody has decided is told something")
	}
	if diff := cmp.Diff([]string{s.bot(first) + ": 李娜, Alex Chen", s.bot(second) + ": Alex Chen"}, slices.Sorted(slices.Values(s.waiting()))); diff != "" {
		t.Error(diff)
	}
	if err := s.GiveRole(s.ctx, li.ID, bridge.RoleMember); err != nil {
		t.Fatal(err)
	}
	for _, p := range []bridge.Platform{first, second} {
		s.reads("li", p, "and now?", "and now?")
	}
	alex := s.newcomer(s.bot(second), "Alex Chen").Person
	if err := s.GiveRole(s.ctx, alex.ID, bridge.RoleGuest); err != nil {
		t.Fatal(err)
	}
	before := len(s.shown("alex", first))
	if err := s.MergePeople(s.ctx, s.newcomer(s.bot(first), "Alex Chen").Person.ID, alex.ID); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return len(s.shown("alex", first)) > before })
	if got := s.shown("alex", first)[before]; !strings.Contains(got, "approved you") {
		t.Errorf("told %q", got)
	}
	if got := s.waiting(); len(got) != 0 {
		t.Errorf("still waiting: %q", got)
	}
	s.reads("alex", first, "and now?", "and now?")
	s.blockedTogether(first, second)
	third := s.platforms()[2]
	s.reads("alex", third, "hello", "approve you first")
	before = len(s.shown("alex", third))
	if err := s.MergePeople(s.ctx, alex.ID, s.newcomer(s.bot(third), "Alex Chen").Person.ID); err != nil { // the other way round
		t.Fatal(err)
	}
	if got := s.shown("alex", third)[before:]; len(got) != 1 || !strings.Contains(got[0], "approved you") {
		t.Errorf("told %q", got)
	}
	s.clean()
}

// blockedTogether: who turns out to be somebody who is blocked is, without a word.
func (s *street) blockedTogether(first, second bridge.Platform) {
	s.Helper()
	for _, p := range []bridge.Platform{first, second} {
		s.reads("zhang", p, "你好", "管理员先批准")
	}
	blocked := s.newcomer(s.bot(second), "张伟").Person
	if err := s.GiveRole(s.ctx, blocked.ID, bridge.RoleBlocked); err != nil {
		s.Fatal(err)
	}
	before := len(s.shown("zhang", first))
	if err := s.MergePeople(s.ctx, s.newcomer(s.bot(first), "张伟").Person.ID, blocked.ID); err != nil {
		s.Fatal(err)
	}
	if told := s.shown("zhang", first)[before:]; len(told) != 0 || len(s.waiting()) != 0 {
		s.Errorf("told %q, waiting %q", told, s.waiting())
	}
}

// TestAlikeBecomeOne: with auto_link whom two directories know by the same
// address is one person, who goes on with one conversation. What the admin took
// apart stays apart.
func TestAlikeBecomeOne(t *testing.T) {
	t.Parallel()
	s := onBots(t, echoAgent+"people: {auto_link: true}\n", "", asUsual)
	s.reads("li", "feishu", "hello", "question 1")
	until(t, func() bool { return s.settled("hello") })
	s.reads("li", "dingtalk", "hello again", "question 1")
	one := func() bool {
		rows, err := s.People(s.ctx, bridge.PeopleQuery{Text: "李娜"})
		return err == nil && len(rows) == 1 && len(rows[0].Identities) == 2
	}
	until(t, one)
	s.reads("li", "feishu", "and now?", "hello again") // the latest of the two conversations
	rows, err := s.People(s.ctx, bridge.PeopleQuery{Text: "李娜"})
	if err != nil || len(rows) != 1 {
		t.Fatal(rows, err)
	}
	card, err := s.PersonCard(s.ctx, rows[0].Person.ID)
	if err != nil || len(card.History) == 0 || card.History[0].Kind != bridge.AuditMerged || card.History[0].By.Where != "rule" || !card.History[0].Undoable {
		t.Fatalf("history %+v, %v", card.History, err)
	}
	if err := s.UndoAct(s.ctx, card.History[0].ID); err != nil {
		t.Fatal(err)
	}
	s.reads("zhang", "feishu", "hello", "question 1") // the directory is asked, and all are looked through
	s.reads("zhang", "dingtalk", "hello", "question 1")
	until(t, func() bool {
		rows, err := s.People(s.ctx, bridge.PeopleQuery{Text: "张伟"})
		return err == nil && len(rows) == 1
	})
	if one() {
		t.Error("what was taken apart is one again")
	}
}

// TestSharedAddress: an address that three people share makes no two of them one,
// while one that two share does.
func TestSharedAddress(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(data, "switchboard.db")})
	if err != nil {
		t.Fatal(err)
	}
	for user, email := range map[string]string{"a": "desk@x.example", "b": "desk@x.example", "c": "desk@x.example", "y": "yi@x.example", "z": "yi@x.example"} {
		who := bridge.Identity{Platform: "feishu", Tenant: "t", User: bridge.UserID(user), Name: user}
		_, err := s.PersonOf(t.Context(), who)
		if err := errors.Join(err, s.SaveProfile(t.Context(), who, bridge.Profile{Email: email}, time.Now())); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	a, ctx := house(t, data, "people: {auto_link: true}\n")
	until(t, func() bool {
		rows, err := a.People(ctx, bridge.PeopleQuery{})
		return err == nil && len(rows) == 4
	})
	l, err := a.Likenesses(ctx)
	if err != nil || l.Total != 3 || len(l.Decided) != 1 || l.Decided[0].Audit.By.Where != "rule" {
		t.Errorf("%+v, %v", l, err)
	}
}
