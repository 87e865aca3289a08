package engine_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/people"
	"switchboard/internal/router"
)

func TestRulesAnswer(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.route.Rules = []router.Rule{
			{Name: "hr", Prefixes: []string{"hr", "人事"}, Then: router.ToAgent{Agent: "hr"}},
			{Name: "fixed", Keywords: []string{"wifi"}, Then: router.FixedReply{Text: "The password is on the wall."}},
			{Name: "no", Keywords: []string{"salary"}, Then: router.Refuse{Text: "Not here."}},
			{Name: "never", Keywords: []string{"gossip"}, Then: router.Refuse{}},
			{Name: "invoice", Keywords: []string{"invoice"}, Then: router.Forward{Bot: "three", Chat: "accounting"}},
			{Name: "lost", Keywords: []string{"parcel"}, Then: router.Forward{Bot: "nobody", Chat: "x"}},
		}
		h.open()
		h.want("one", "zhang", "hello", "help: hello (1 in help-1)")
		h.want("one", "zhang", "/hr how much leave?", "hr: how much leave? (1 in hr-1)")
		h.want("one", "zhang", "/人事 请假", "hr: 请假 (2 in hr-1)")
		h.want("one", "zhang", "and now?", "help: and now? (2 in help-1)")
		h.want("one", "zhang", "/hr", "in the same message, after `/hr`")
		h.want("one", "zhang", "WiFi?", "on the wall")
		h.want("one", "zhang", "my salary?", "Not here.")
		if got := h.say("one", "zhang", "my salary!"); got != "" {
			h.Errorf("refused twice: %q", got)
		}
		h.want("one", "zhang", "/help", "/retry")
		h.want("one", "li", "gossip?", "I may not answer this here")
		h.want("one", "zhang", "An invoice, please", "passed your message on")
		if got := h.chats["three"].Shown(); len(got) != 1 || got[0].To.Chat != "accounting" || !strings.Contains(got[0].Text, "zhang (one) wrote:\n\nAn invoice, please") {
			h.Errorf("forwarded %+v", got)
		}
		h.want("one", "zhang", "/new", "new conversation")
		h.want("one", "zhang", "/hr again", "(1 in hr-3)")
		if n := len(h.agents["help"].Questions()) + len(h.agents["hr"].Questions()); n != 5 {
			h.Errorf("the agents were asked %d times", n)
		}
	})
}

// TestHandOver: a human takes over a chat; the agent keeps quiet there, and only
// there, until it is called or the time is over.
func TestHandOver(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.opt.GroupID = func(_ context.Context, bot, name string) string { return "the " + name + " of " + bot }
		h.route.Rules = []router.Rule{
			{Name: "human", Keywords: []string{"human", "人工"}, Then: router.HandOver{For: time.Hour, Bot: "three", Chat: "desk"}},
			{Name: "back", Keywords: []string{"come back"}, Then: router.ToIntent{Command: router.CommandBot}},
			{Name: "help", Keywords: []string{"help"}, Then: router.ToIntent{Command: router.CommandHelp}},
		}
		h.open()
		h.want("one", "zhang", "/bot", "I am here")
		h.want("one", "zhang", "a human please", "called a colleague", "/bot")
		if got := h.chats["three"].Shown(); len(got) != 1 || got[0].To.Chat != "the desk of three" || !strings.Contains(got[0].Text, "60 minutes") || !strings.Contains(got[0].Text, "a human please") {
			h.Errorf("the desk reads %+v", got)
		}
		for _, text := range []string{"hello?", "are you there?", "human!", "help!", "/retry"} {
			if got := h.say("one", "zhang", text); got != "" {
				h.Errorf("%q was answered: %q", text, got)
			}
		}
		h.want("one", "zhang", "/help", "/retry")
		h.want("one", "li", "hello", "help: hello")
		h.want("one", "zhang", "/机器人", "我回来了")
		h.want("one", "zhang", "hello again", "help: hello again")
		h.want("one", "zhang", "a human once more", "called a colleague")
		h.want("one", "zhang", "please come back", "I am back")
		h.want("one", "zhang", "转人工", "已通知同事")
		time.Sleep(time.Hour)
		h.want("one", "zhang", "hello?", "help: hello?")
		if got := h.audits(); strings.Count(got, "handed_over") != 3 {
			h.Errorf("audit %q", got)
		}
	})
	inHouse(t, func(h *house) { // a desk that cannot be reached is no reason not to hand over
		h.route.Rules = []router.Rule{{Keywords: []string{"human"}, Then: router.HandOver{For: time.Hour, Bot: "nobody", Chat: "desk"}}}
		h.open()
		h.want("one", "zhang", "human", "called a colleague")
	})
}

// TestHandOverThroughTrouble: who was handed over is told so, also when the first
// tries to say it fail and the chat is muted already.
func TestHandOverThroughTrouble(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.route.Rules = []router.Rule{{Keywords: []string{"human"}, Then: router.HandOver{For: time.Hour}}}
		h.chats["one"].Fail = func(call string, n int) error {
			if call == "send" && n < 3 {
				return &bridge.Error{Kind: bridge.KindUnavailable}
			}
			return nil
		}
		h.open()
		h.accept(h.message("one", "zhang", "human"))
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := h.chats["one"].Texts(); len(got) != 1 || !strings.Contains(got[0], "called a colleague") {
			h.Errorf("shown %q", got)
		}
	})
}

// TestForwardToNobody: what cannot be passed on is not said to be.
func TestForwardToNobody(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.route.Rules = []router.Rule{{Keywords: []string{"invoice"}, Then: router.Forward{Bot: "three", Chat: "gone"}}}
		h.chats["three"].Fail = func(string, int) error { return &bridge.Error{Kind: bridge.KindNotFound} }
		h.open()
		h.want("one", "zhang", "invoice", "could not answer")
	})
}

func TestPermission(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		var waiting []string
		h.opt.Waiting = func(_ context.Context, p bridge.Person, bot string) { waiting = append(waiting, p.Name+"@"+bot) }
		h.route.Admission = func(bot string) router.Admission {
			return map[string]router.Admission{"two": router.AdmitApproved, "three": router.AdmitKnown}[bot]
		}
		h.route.Allowed = map[bridge.Role][]string{bridge.RoleGuest: {"hr"}}
		h.open()
		for _, c := range []struct {
			bot, user string
			role      bridge.Role
			text      string
			en, zh    string
		}{
			{"one", "blocked", bridge.RoleBlocked, "hello", "may not answer you", "不能回答"},
			{"one", "linker", bridge.RoleBlocked, "/link", "may not answer you", ""},
			{"two", "new", bridge.RoleNew, "hello", "has to approve you", "批准"},
			{"three", "new3", bridge.RoleNew, "hello", "only answer people", "只回答"},
			{"one", "guest", bridge.RoleGuest, "hello", "not available to you", "不能使用"},
		} {
			h.role(c.bot, c.user, c.role)
			h.want(c.bot, c.user, c.text, c.en)
			if got := h.say(c.bot, c.user, c.text); got != "" {
				h.Errorf("%s is told twice: %q", c.user, got)
			}
			time.Sleep(10 * time.Minute)
			if c.zh != "" {
				h.want(c.bot, c.user, "你好", c.zh)
			}
		}
		h.role("one", "new1", bridge.RoleNew)
		h.want("one", "new1", "hello", "help: hello")
		before := len(h.chats["two"].Texts())
		if err := h.engine.Decide(h.Context(), h.person("two", "new"), bridge.RoleMember, bridge.Actor{Where: "window"}); err != nil {
			h.Error(err)
		}
		if got := h.chats["two"].Texts()[before:]; len(got) != 1 || got[0] != "管理员已批准，可以直接提问了。" {
			h.Errorf("told %q", got)
		}
		h.want("two", "new", "hello", "help: hello")
		if err := h.engine.Decide(h.Context(), h.person("two", "new"), bridge.RoleBlocked, bridge.Actor{Where: "window"}); err != nil {
			h.Error(err)
		}
		if got := strings.Join(h.chats["two"].Texts(), " "); !strings.HasSuffix(got, "not to admit you.") {
			h.Errorf("told %q", got)
		}
		if err := h.engine.Decide(h.Context(), h.person("two", "silent"), bridge.RoleMember, bridge.Actor{}); err != nil {
			h.Error(err)
		}
		h.role("three", "guest3", bridge.RoleGuest)
		h.want("three", "guest3", "hello", "hr: hello")
		if n := len(h.agents["help"].Questions()) + len(h.agents["hr"].Questions()); n != 3 {
			h.Errorf("the agents were asked %d times", n)
		}
		if len(waiting) != 2 || waiting[0] != "new@two" || waiting[1] != "new@two" {
			h.Errorf("waiting: %s", waiting)
		}
		if got := h.audits(); strings.Count(got, "refused") != 7 || strings.Count(got, "approval") != 2 {
			h.Errorf("audit %q", got)
		}
	})
}

// TestBlockedMeanwhile: whoever loses the permission while an answer grows reads
// a refusal in its place, even when they were told a moment ago.
func TestBlockedMeanwhile(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.agents["help"].Answer = func(int, bridge.Question) []any { return []any{&bridge.Error{Kind: bridge.KindUnavailable}} }
		h.open()
		h.accept(h.message("one", "zhang", "hello"))
		time.Sleep(time.Second)
		h.role("one", "zhang", bridge.RoleBlocked)
		h.accept(h.message("one", "zhang", "hello?"))
		h.want("one", "zhang", "/stop", "may not answer you") // beside the talk, so at once
		time.Sleep(time.Minute)
		synctest.Wait()
		got := h.chats["one"].Shown()
		if len(got) != 2 || !strings.Contains(got[0].Text, "may not answer you") || got[0].Growing {
			h.Errorf("shown %+v", got)
		}
	})
}

// TestDecidedInGroup: who wrote in a group only is told there, as the answer to
// what they wrote.
func TestDecidedInGroup(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.route.Admission = func(string) router.Admission { return router.AdmitApproved }
		h.open()
		h.role("two", "new", bridge.RoleNew)
		h.role("two", "newer", bridge.RoleNew)
		m := h.inGroup("two", "new", "hello")
		m.Address.User = "new"
		if got := h.hear(m); !strings.Contains(got, "has to approve you") {
			h.Fatalf("told %q", got)
		}
		time.Sleep(time.Second)
		h.hear(h.inGroup("two", "newer", "hello"))
		before := len(h.chats["two"].Shown())
		if err := h.engine.Decide(h.Context(), h.person("two", "new"), bridge.RoleMember, bridge.Actor{Where: "window"}); err != nil {
			h.Error(err)
		}
		got := h.chats["two"].Shown()[before:]
		if len(got) != 1 || !strings.Contains(got[0].Text, "approved you") || got[0].To.Chat != "room" || got[0].To.Kind != bridge.Group || got[0].To.User != "new" {
			h.Errorf("told %+v", got)
		}
	})
}

// TestInputs: what a rule says goes before what is said for the bot; what is known
// of the person is told apart.
func TestInputs(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.opt.Inputs = func(bot string) map[string]string { return map[string]string{"bot": bot, "city": "Berlin"} }
		h.route.Rules = []router.Rule{{Keywords: []string{"trip"}, Then: router.ToAgent{Agent: "help", Inputs: map[string]string{"city": "Rome", "note": ""}}}}
		h.open()
		h.hear(h.message("one", "zhang", "hello"))
		h.hear(h.message("one", "zhang", "a trip"))
		all := h.agents["help"].Questions()
		for n, want := range []map[string]string{{"bot": "one", "city": "Berlin"}, {"bot": "one", "city": "Rome", "note": ""}} {
			if diff := cmp.Diff(want, all[n].Inputs); diff != "" || all[n].Known["role"] != "member" || all[n].Known["city"] != "" {
				h.Error(diff, all[n].Known)
			}
		}
	})
}

// TestIncomplete: what an agent cannot do without is named to the person at once.
func TestIncomplete(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.agents["help"].Answer = func(int, bridge.Question) []any {
			return []any{&bridge.Error{Kind: bridge.KindIncomplete, Args: map[string]string{"fields": "City, Days"}}}
		}
		h.open()
		h.want("one", "zhang", "hello", "cannot answer without this: City, Days.")
		if n := len(h.agents["help"].Questions()); n != 1 {
			h.Errorf("asked %d times", n)
		}
	})
}

// TestProfile: the directory is asked at first sight, and what it says reaches
// the agent with the first question.
func TestProfile(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		asked := 0
		department := "HR"
		lookUp := func(_ context.Context, bot string, user bridge.UserID) (bridge.Profile, error) {
			asked++
			return bridge.Profile{Name: "张伟", Department: department, Email: string(user) + "@" + bot}, nil
		}
		h.opt.Profiles = people.NewProfiles(h.store, lookUp, slog.New(slog.DiscardHandler))
		h.open()
		ask := func() bridge.Question {
			m := h.message("one", "u1", "hello")
			m.Sender.Name = ""
			h.hear(m)
			all := h.agents["help"].Questions()
			return all[len(all)-1]
		}
		for range 2 {
			if q := ask(); q.Known["user_name"] != "张伟" || q.Known["department"] != "HR" || asked != 1 {
				h.Errorf("inputs %v, asked %d times", q.Known, asked)
			}
		}
		time.Sleep(7 * 24 * time.Hour)
		department = "IT"
		if q := ask(); q.Known["department"] != "HR" {
			h.Errorf("the answer waited for the directory: %v", q.Known)
		}
		if q := ask(); q.Known["department"] != "IT" || asked != 2 {
			h.Errorf("inputs %v, asked %d times", q.Known, asked)
		}
	})
}

// TestGroupsAreApart: what is said in a group and in a direct chat never shares a
// conversation, and members share theirs only as the bot has it.
func TestGroupsAreApart(t *testing.T) {
	t.Parallel()
	for policy, want := range map[router.GroupPolicy]string{
		router.GroupShared: "(2 in help-2)", router.GroupPerMember: "(1 in help-3)",
	} {
		inHouse(t, func(h *house) {
			h.route.Group = func(string) router.GroupPolicy { return policy }
			h.open()
			h.want("one", "zhang", "hello", "(1 in help-1)")
			if got := h.hear(h.inGroup("one", "zhang", "hello")); !strings.Contains(got, "(1 in help-2)") {
				h.Errorf("zhang reads %q", got)
			}
			if got := h.hear(h.inGroup("one", "li", "hello")); !strings.Contains(got, want) {
				h.Errorf("%s: li reads %q", policy, got)
			}
			h.want("one", "zhang", "hello", "(2 in help-1)")
		})
	}
}

// TestEntered: who opens the chat is looked up before the first question, so that
// a rule about departments holds for that one.
func TestEntered(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.opt.Profiles = people.NewProfiles(h.store, func(context.Context, string, bridge.UserID) (bridge.Profile, error) {
			return bridge.Profile{Department: "HR"}, nil
		}, slog.New(slog.DiscardHandler))
		h.route.Departments = func(ctx context.Context, _ string, who bridge.Identity) router.Membership {
			p, _, err := h.store.Profile(ctx, who)
			if err != nil {
				h.Error(err)
			}
			return router.Membership{Of: []string{p.Department}}
		}
		h.route.Rules = []router.Rule{{Departments: []string{"HR"}, Then: router.ToAgent{Agent: "hr"}}}
		h.open()
		m := h.message("one", "zhang", "")
		entered := bridge.Action{ID: "e", Bot: m.Bot, Platform: m.Platform, Kind: bridge.ActionEntered, Chat: m.Chat, Sender: m.Sender, At: m.SentAt}
		if _, err := h.inbox.Accept(h.Context(), bridge.Delivery{Actions: []bridge.Action{entered}}); err != nil {
			h.Fatal(err)
		}
		time.Sleep(time.Second)
		h.want("one", "zhang", "hello", "hr: hello")
		h.want("one", "li", "hello", "help: hello")
		h.want("one", "li", "hello", "hr: hello")
	})
}

// TestTitle: a conversation may be called after the person, or after the group.
func TestTitle(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.open()
		direct, group := h.message("one", "u1", "hello"), h.inGroup("one", "u1", "hello")
		direct.Sender.Name, group.Chat.Title = "Ann", "The team"
		h.hear(direct)
		h.hear(group)
		all := h.agents["help"].Questions()
		if len(all) != 2 || all[0].Title != "Ann" || all[1].Title != "The team" {
			h.Errorf("asked %+v", all)
		}
	})
}
