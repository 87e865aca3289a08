package engine_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/bridge/bridgetest"
	"switchboard/internal/engine"
	"switchboard/internal/i18n"
	"switchboard/internal/router"
)

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// code is a link code that zhang asked for on platform one.
func (h *house) code() string {
	h.Helper()
	got := h.want("one", "zhang", "/link", "10 minutes")
	code := sixDigits.FindString(got)
	if code == "" {
		h.Fatalf("no code in %q", got)
	}
	return code
}

// TestOneConversationEverywhere links two platforms by typing the code alone and
// goes on talking on the other one.
func TestOneConversationEverywhere(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.open()
		h.want("one", "zhang", "hello", "help: hello (1 in help-1)")
		h.want("two", "zhang2", "hello", "(1 in help-2)")
		code := h.code()
		before := len(h.chats["one"].Texts())
		h.want("two", "zhang2", code, "belongs to zhang", "/unlink")
		told := strings.Join(h.chats["one"].Texts()[before:], "")
		if !strings.Contains(told, "two was linked to you") {
			h.Errorf("the other side was told %q", told)
		}
		h.want("two", "zhang2", "and now?", "(2 in help-2)") // the conversation that was active last
		h.want("one", "zhang", "and here?", "(3 in help-2)")
		h.want("one", "zhang", "/me", "You are zhang", "one zhang, two zhang2", "3 questions")
		h.want("two", "zhang2", "/new", "new conversation")
		h.want("one", "zhang", "/me", "no conversation")
		h.want("one", "zhang", "fresh?", "(1 in help-5)")
		h.want("two", "zhang2", "still?", "(2 in help-5)")
		h.want("two", "zhang2", "/unlink", "on its own")
		h.want("two", "zhang2", "alone?", "(1 in help-")
		h.want("one", "zhang", "me too?", "(3 in help-5)")
		h.want("two", "zhang2", "/unlink", "not linked")
		if got := h.audits(); got != "unlinked merged" {
			h.Errorf("audit %q", got)
		}
	})
}

func TestLinkCommand(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.open()
		if got := h.hear(h.inGroup("one", "zhang", "/link")); !strings.Contains(got, "private chat") || sixDigits.MatchString(got) {
			h.Errorf("in a group: %q", got)
		}
		code := h.code()
		h.want("one", "zhang", code, "your own code")
		h.want("two", "eve", "/link 000000", "not right")
		h.want("two", "zhang2", "／绑定 "+code, "现在属于 zhang")
		h.want("three", "eve", "/link "+code, "not right")
		for n := 2; n <= 4; n++ {
			h.want("two", "eve", "/link 000000", "not right")
		}
		h.want("two", "eve", "/link 000000", "60 minutes")
		h.want("two", "eve", "/link "+h.code(), "60 minutes")
		if h.person("two", "eve").ID == h.person("one", "zhang").ID {
			h.Error("eve was linked")
		}
		h.role("two", "boss", bridge.RoleAdmin)
		h.want("two", "boss", "/link "+h.code(), "other way round")
	})
	inHouse(t, func(h *house) {
		h.opt.Linker = nil
		h.open()
		h.want("one", "zhang", "/link", "switched off")
	})
}

// TestCodeIsNowhere: a code is shown and not stored, neither with the answer nor
// in the journal.
func TestCodeIsNowhere(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.open()
		code := h.code()
		talks, err := h.store.Talks(h.Context(), bridge.TalkQuery{})
		if err != nil || len(talks) != 1 {
			h.Fatal(talks, err)
		}
		all, err := h.store.Exchanges(h.Context(), talks[0].Lane, 0, 10)
		if err != nil || strings.Contains(fmt.Sprintf("%+v", all), code) {
			h.Errorf("stored: %+v %v", all, err)
		}
		if x := all[0]; x.Reply.State != bridge.ReplyDelivered || x.Job.State != bridge.JobCompleted || !strings.Contains(x.Reply.Text, "link code") {
			h.Errorf("exchange %+v", x)
		}
	})
}

// TestDigitsMayBeAQuestion: six digits are a code only if there is one to type,
// and they go to the agent when it is another one.
func TestDigitsMayBeAQuestion(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.open()
		h.want("two", "eve", "123456", "help: 123456")
		code := h.code()
		wrong := "000000"
		if code == wrong {
			wrong = "111111"
		}
		for range 6 {
			h.want("two", "eve", wrong, "help: "+wrong)
		}
		h.want("two", "eve", code, "help: "+code) // locked by now, and not told
		if got := h.hear(h.inGroup("two", "li", code)); !strings.Contains(got, "help: ") {
			h.Errorf("in a group: %q", got)
		}
		h.want("two", "li", code, "belongs to zhang")
	})
}

// TestUseOnceThroughCrashes repeats the job that typed a code, as after a crash
// between linking and saying so.
func TestUseOnceThroughCrashes(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.chats["two"].Fail = func(call string, n int) error {
			if call == "send" && n < 3 {
				return &bridge.Error{Kind: bridge.KindUnavailable}
			}
			return nil
		}
		h.open()
		code := h.code()
		h.accept(h.message("two", "zhang2", code))
		time.Sleep(time.Minute)
		if got := h.chats["two"].Texts(); len(got) != 1 || !strings.Contains(got[0], "belongs to zhang") {
			h.Errorf("shown %q", got)
		}
		if got := h.chats["one"].Texts(); len(got) != 2 {
			h.Errorf("the other side was told %q", got)
		}
	})
}

func TestLanguageCommand(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.open()
		h.want("one", "zhang", "/lang", "/lang zh")
		h.want("one", "zhang", "/lang zh", "我会用中文")
		h.want("one", "zhang", "/help", "开始新的对话")
		h.want("one", "zhang", "/语言 英文", "I will speak English")
		h.want("one", "zhang", "/帮助", "starts a new conversation")
		h.want("one", "zhang", "/lang auto", "the language you write in")
		h.want("one", "zhang", "/帮助", "开始新的对话")
		h.want("one", "li", "/LANG fr", "/lang zh")
	})
}

// slow answers word by word, one each second.
func slow(_ int, q bridge.Question) []any {
	steps := []any{bridge.Started{Conversation: bridge.Conversation{ID: "c"}, Run: bridge.Run{Task: "task"}}}
	for n := range 60 {
		steps = append(steps, time.Second, bridge.TextAdded{Text: q.Text + strconv.Itoa(n) + " "})
	}
	return append(steps, bridge.Ended{})
}

func TestStop(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.agents["help"].Answer = slow
		h.open()
		h.want("one", "zhang", "/stop", "no answer to stop")
		h.accept(h.message("one", "zhang", "word"))
		h.accept(h.message("one", "zhang", "next"))
		h.accept(h.message("one", "li", "other"))
		time.Sleep(5500 * time.Millisecond)
		h.accept(h.message("one", "zhang", "/停止"))
		time.Sleep(2 * time.Second)
		synctest.Wait()
		shown := h.chats["one"].Shown()[1:]
		texts := map[string]bool{}
		for _, s := range shown {
			texts[s.Text] = s.Growing
		}
		if growing, ok := texts["word0 word1 word2 word3 word4\n\n(stopped)"]; !ok || growing {
			h.Errorf("shown %v", texts)
		}
		if _, ok := texts["Stopped."]; !ok && !slices.ContainsFunc(shown, func(s bridgetest.Shown) bool { return strings.Contains(s.Text, "已停止。") }) {
			h.Errorf("shown %v", texts)
		}
		if len(h.stops) != 1 || h.stops[0].Task != "task" {
			h.Errorf("the agent was told to stop %+v", h.stops)
		}
		time.Sleep(time.Minute + 5*time.Second) // the agent does not end, so it is listened to for a while
		synctest.Wait()
		all := strings.Join(h.chats["one"].Texts(), " | ")
		if !strings.Contains(all, "next59") || !strings.Contains(all, "other59") || strings.Contains(all, "word59") {
			h.Errorf("after a minute %q", all)
		}
	})
}

// TestStopBeforeTheNextTry: who reads "thinking" while the agent is busy may stop
// that too.
func TestStopBeforeTheNextTry(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.agents["help"].Answer = func(n int, _ bridge.Question) []any {
			if n < 3 {
				return []any{&bridge.Error{Kind: bridge.KindRateLimited}}
			}
			return []any{time.Second, bridge.TextAdded{Text: "late"}, bridge.Ended{}}
		}
		h.open()
		h.accept(h.message("one", "zhang", "hello"))
		time.Sleep(3 * time.Second) // the second try failed, the third comes in 7 s
		h.accept(h.message("one", "zhang", "/stop"))
		time.Sleep(20 * time.Second)
		synctest.Wait()
		got := h.chats["one"].Texts()
		if len(got) != 2 || !slices.Contains(got, "(stopped)") || !slices.Contains(got, "Stopped.") || len(h.agents["help"].Questions()) > 3 {
			h.Errorf("shown %q, asked %d", got, len(h.agents["help"].Questions()))
		}
	})
}

// TestStopTooLate: an answer that was heard to the end is delivered.
func TestStopTooLate(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.chats["one"].Slow = 3 * time.Second
		h.open()
		h.accept(h.message("one", "zhang", "hello"))
		time.Sleep(time.Second)
		h.accept(h.message("one", "zhang", "/stop"))
		time.Sleep(time.Minute)
		synctest.Wait()
		got := h.chats["one"].Texts()
		if len(got) != 2 || !slices.Contains(got, "There is no answer to stop.") || !slices.Contains(got, "help: hello (1 in help-1)") {
			h.Errorf("shown %q", got)
		}
	})
}

// TestStopWhileTakingUp: an answer that broke and is being taken up is stopped
// without being asked for once more.
func TestStopWhileTakingUp(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.agents["help"].Answer = func(n int, _ bridge.Question) []any {
			if n == 1 {
				return []any{
					bridge.Started{Conversation: bridge.Conversation{ID: "c"}, Run: bridge.Run{Run: "r"}},
					bridge.TextAdded{Text: "half"},
					time.Second, &bridge.Error{Kind: bridge.KindInterrupted},
				}
			}
			return []any{time.Minute, bridge.TextAdded{Text: "whole"}, bridge.Ended{}}
		}
		h.open()
		h.accept(h.message("one", "zhang", "hello"))
		time.Sleep(5 * time.Second)
		h.want("one", "zhang", "/stop", "Stopped.")
		if got := h.chats["one"].Texts(); got[0] != "half\n\n(stopped)" || len(h.agents["help"].Questions()) != 2 {
			h.Errorf("shown %q, asked %d", got, len(h.agents["help"].Questions()))
		}
	})
}

func TestStopInAGroup(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.agents["help"].Answer = slow
		h.open()
		h.role("one", "boss", bridge.RoleAdmin)
		h.accept(h.inGroup("one", "zhang", "word"))
		time.Sleep(2 * time.Second)
		if got := h.hear(h.inGroup("one", "li", "@Bot /stop")); !strings.Contains(got, "Only the person who asked") {
			h.Errorf("somebody else reads %q", got)
		}
		if got := h.say("one", "zhang", "/stop"); !strings.Contains(got, "no answer to stop") {
			h.Errorf("from a direct chat: %q", got)
		}
		if got := h.hear(h.inGroup("one", "boss", "@Bot /stop")); !strings.Contains(got, "Stopped.") {
			h.Errorf("an admin reads %q", got)
		}
	})
}

func TestRetry(t *testing.T) {
	t.Parallel()
	fails := func(_ int, q bridge.Question) []any {
		if strings.Contains(q.Text, "bad") {
			return []any{&bridge.Error{Kind: bridge.KindAgentFailed}}
		}
		return []any{bridge.TextAdded{Text: "fine: " + q.Text}, bridge.Ended{}}
	}
	inHouse(t, func(h *house) {
		good := h.agents["help"].Answer
		h.agents["help"].Answer = fails
		h.open()
		h.want("one", "zhang", "/retry", "nothing to ask again")
		h.want("one", "zhang", "good", "fine: good")
		h.want("one", "zhang", "/retry", "nothing to ask again")
		h.want("one", "zhang", "bad", "had a problem")
		h.want("one", "zhang", "/help", "/retry")
		h.want("one", "zhang", "/重试", "助手处理这个问题时出错了")
		h.agents["help"].Answer = good
		h.want("one", "zhang", "/retry", "help: bad (1 in")
		h.want("one", "zhang", "/retry", "nothing to ask again")
		h.want("one", "li", "/retry", "nothing to ask again")
	})
	inHouse(t, func(h *house) { // in a group everybody retries their own
		h.agents["help"].Answer = fails
		h.open()
		h.hear(h.inGroup("one", "zhang", "bad of zhang"))
		h.hear(h.inGroup("one", "li", "bad of li"))
		h.agents["help"] = chatty("help")
		if got := h.hear(h.inGroup("one", "zhang", "/retry")); !strings.Contains(got, "help: bad of zhang") {
			h.Errorf("zhang reads %q", got)
		}
		if got := h.hear(h.inGroup("one", "wang", "/retry")); !strings.Contains(got, "nothing to ask again") {
			h.Errorf("wang reads %q", got)
		}
	})
	inHouse(t, func(h *house) { // after we were away, and after a stop
		h.open()
		m := h.message("one", "zhang", "old question")
		m.SentAt = time.Now().Add(-3 * time.Hour)
		if got := h.hear(m); !strings.Contains(got, "offline") {
			h.Errorf("read %q", got)
		}
		h.want("one", "zhang", "/retry", "help: old question")
		h.agents["help"].Answer = slow
		h.accept(h.message("one", "zhang", "word"))
		time.Sleep(3 * time.Second)
		h.say("one", "zhang", "/stop")
		h.agents["help"] = chatty("help")
		h.want("one", "zhang", "/retry", "help: word")
	})
}

// TestBusinessIntent: a function of one's own is a name, some words and a function.
func TestBusinessIntent(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		days := engine.Typed(
			func(v engine.Visit) (int, error) {
				n, err := strconv.Atoi(v.Argument)
				if err != nil {
					return 0, errors.New("Please tell me how many days.") //nolint:revive // people read it
				}
				return n, nil
			},
			func(_ context.Context, v engine.Visit, n int) (engine.Answer, error) {
				return engine.Answer{Text: fmt.Sprintf("%d days for %s", n, v.Person.Name)}, nil
			},
		)
		leave := engine.Intent{
			Spec:   router.Spec{Command: "leave", Words: []string{"leave", "请假"}, Takes: func(string) bool { return true }},
			Handle: days, Help: map[bridge.Language]string{bridge.English: "asks for days off"},
		}
		broken := engine.Intent{
			Spec: router.Spec{Command: "broken", Words: []string{"broken"}},
			Handle: func(context.Context, engine.Visit) (engine.Answer, error) {
				return engine.Answer{}, errors.New("no database")
			},
		}
		hijack := engine.Intent{Spec: router.Spec{Command: router.CommandHelp, Words: []string{"help"}}, Handle: days}
		h.opt.Intents = []engine.Intent{leave, broken, hijack}
		h.route.Commands = []router.Spec{leave.Spec, broken.Spec, hijack.Spec}
		h.route.Rules = []router.Rule{{Name: "leave", Keywords: []string{"holiday"}, Then: router.ToIntent{Command: "leave"}}}
		h.open()
		h.want("one", "zhang", "/请假 3", "3 days for zhang")
		h.want("one", "zhang", "/leave soon", "how many days")
		h.want("one", "zhang", "I need a holiday", "how many days")
		h.want("one", "zhang", "/broken", "something went wrong")
		h.want("one", "zhang", "/help", "`/leave` asks for days off", "/retry")
		if n := len(h.agents["help"].Questions()); n != 0 {
			h.Errorf("the agent was asked %d times", n)
		}
	})
}

// TestTwoPlatformsInOrder: what one person writes on two platforms at once is
// asked one after the other, in the order it came in.
func TestTwoPlatformsInOrder(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.open()
		h.want("two", "zhang2", "/link "+h.code(), "belongs to zhang")
		var mu sync.Mutex
		var begun []time.Time
		h.agents["help"].Answer = func(int, bridge.Question) []any {
			mu.Lock()
			defer mu.Unlock()
			begun = append(begun, time.Now())
			return []any{bridge.Started{Conversation: bridge.Conversation{ID: "c"}}, 300 * time.Millisecond, bridge.TextAdded{Text: "x"}, bridge.Ended{}}
		}
		var want []string
		for n := range 20 {
			bot, user := "one", "zhang"
			if n%3 == 1 {
				bot, user = "two", "zhang2"
			}
			want = append(want, strconv.Itoa(n))
			h.accept(h.message(bot, user, strconv.Itoa(n)))
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		var got []string
		for i, q := range h.agents["help"].Questions() {
			got = append(got, q.Text)
			if wantConversation := map[bool]string{true: "", false: "c"}[i == 0]; q.Conversation.ID != wantConversation {
				h.Errorf("question %d was asked in %q", i, q.Conversation.ID)
			}
		}
		if !slices.Equal(got, want) {
			h.Errorf("asked %v", got)
		}
		for i := 1; i < len(begun); i++ {
			if begun[i].Sub(begun[i-1]) < 300*time.Millisecond {
				h.Errorf("question %d was asked during the one before", i)
			}
		}
	})
}

func TestEveryCommandHasWords(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"router.command.help", "router.command.new", "people.link.code", "people.me.name", "router.human"} {
		for _, lang := range []bridge.Language{bridge.English, bridge.Chinese} {
			if _, ok := i18n.Find(lang, key); !ok {
				t.Errorf("%s: no words for %s", lang, key)
			}
		}
	}
}
