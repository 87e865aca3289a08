package engine_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/engine"
	"switchboard/internal/i18n"
	"switchboard/internal/privacy"
)

const (
	mobile = "13812345678"
	masked = "138＊＊＊＊5678"
)

func filter(t *testing.T) *privacy.Filter {
	t.Helper()
	f, err := privacy.New(privacy.Rules{Custom: []bridge.MaskRule{{Name: "工号", Pattern: `EMP\d{6}`, Mask: "3+2"}}})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// veiled is a bundle that hides values and notes what it hid.
func veiled(t *testing.T, p engine.Privacy, answer func(n int, q bridge.Question) []any) (*bundle, *[]string) {
	t.Helper()
	var notes []string
	p.Filter = filter(t)
	b := setupWith(true, answer, func(o *engine.Options) {
		o.Privacy = func() engine.Privacy { return p }
		o.Record = func(e bridge.Entry) {
			if e.Kind == bridge.EntryMasked {
				notes = append(notes, e.Note)
			}
		}
	})
	b.chat.Keyed = true
	return b, &notes
}

// slowly cuts a text everywhere and lets every piece be shown.
func slowly(text string) []any {
	steps := []any{started("c")}
	for _, r := range text {
		steps = append(steps, bridge.TextAdded{Text: string(r)}, 150*time.Millisecond)
	}
	return steps
}

// maskedIn is what the journal says was hidden in a job.
func (h *house) maskedIn(job int64) string {
	h.Helper()
	all, err := h.store.Entries(h.Context(), job)
	if err != nil {
		h.Fatal(err)
	}
	var notes []string
	for _, e := range all {
		if e.Kind == bridge.EntryMasked {
			notes = append(notes, e.Note)
		}
	}
	return strings.Join(notes, " | ")
}

// everShown is all that could ever be read, status lines aside.
func everShown(b *bundle) []string {
	var all []string
	for _, s := range b.chat.Shown() {
		for _, text := range s.Updates {
			if text != "" && text != i18n.Text(bridge.English, "reply.thinking") && text != i18n.Text(bridge.Chinese, "reply.thinking") {
				all = append(all, text)
			}
		}
	}
	return all
}

// TestNothingFlashesUp: at no moment more is shown than the finished mask shows,
// wherever the answer is cut, and the store has nothing else.
func TestNothingFlashesUp(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"in the middle":  "请致电 13812345678 或写信给 zhang.wei@example.com 谢谢。",
		"at the start":   "13812345678 是客服电话",
		"at the end":     "工号 EMP123456，电话 +86 138-1234-5678",
		"a password":     "密码：Abc12345xyz 请尽快修改",
		"nothing but it": "13812345678",
		"nothing":        "没有要隐藏的内容，订单 2024-00017 共 138 元。",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b, notes := veiled(t, engine.Privacy{Answers: true}, func(int, bridge.Question) []any { return append(slowly(text), bridge.Ended{}) })
				want, found := filter(t).Mask(text)
				if last, _ := b.live(t); last.State != bridge.JobCompleted {
					t.Fatal(last)
				}
				all := everShown(b)
				for _, shown := range all {
					if !strings.HasPrefix(want, shown) {
						t.Errorf("%q was shown", shown)
					}
				}
				if utf8.RuneCountInString(text) > 11 && len(all) < 5 {
					t.Errorf("it did not grow: %q", all)
				}
				if kept := b.store.replies[1].Text; all[len(all)-1] != want || kept != want {
					t.Errorf("shown %q, kept %q", all[len(all)-1], kept)
				}
				wantNotes := []string{found.String()}
				if found.Total() == 0 {
					wantNotes = nil
				}
				if diff := cmp.Diff(wantNotes, *notes); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// TestBrokenOffInAValue: what was being written when an answer broke off stays
// hidden, because nobody knows what it would have been.
func TestBrokenOffInAValue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, notes := veiled(t, engine.Privacy{Answers: true}, func(int, bridge.Question) []any {
			return append(slowly("电话 "+mobile+" 或 1390013"), fault(bridge.KindInterrupted))
		})
		b.live(t)
		all := everShown(b)
		for _, shown := range all {
			if strings.Contains(shown, "1234") || strings.Contains(shown, "1390") {
				t.Errorf("%q was shown", shown)
			}
		}
		if last := all[len(all)-1]; !strings.HasPrefix(last, "电话 "+masked+" 或\n\n") || len(*notes) != 1 || (*notes)[0] != "mobile 1" {
			t.Errorf("shown %q, noted %q", last, *notes)
		}
	})
}

// TestStoppedInAValue is the same for an answer the person wanted no more of.
func TestStoppedInAValue(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.opt.Privacy = func() engine.Privacy { return engine.Privacy{Filter: filter(h.T), Answers: true} }
		h.agents["help"].Answer = func(int, bridge.Question) []any {
			return append(append(slowly("电话 "+mobile+" 或 1390013"), time.Minute), bridge.Ended{})
		}
		h.open()
		h.accept(h.message("one", "zhang", "who?"))
		time.Sleep(20 * time.Second)
		h.say("one", "zhang", "/stop")
		if got := h.chats["one"].Texts()[0]; !strings.HasPrefix(got, "电话 "+masked+" 或\n\n") || strings.Contains(got, "1390") {
			h.Errorf("shown %q", got)
		}
		if got := h.maskedIn(1); got != "mobile 1" {
			h.Errorf("noted %q", got)
		}
	})
}

// TestBesideTheAnswer: the names of documents, files and tools, forms and text
// that takes the place of other text go the same way.
func TestBesideTheAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		steps        []any
		part, hidden string
	}{
		{"title", []any{bridge.TextAdded{Text: "fine"}, bridge.Ended{Sources: []bridge.Source{{Title: "张伟 " + mobile}}}}, "1. 张伟 " + masked, mobile},
		{"file", []any{bridge.FileAdded{Name: mobile + ".pdf", URL: "https://x.example/1"}, bridge.Ended{}}, "[" + masked + ".pdf](https://x.example/1)", mobile},
		{"tool", []any{bridge.Working{Tool: "call " + mobile}, time.Second, bridge.TextAdded{Text: "fine"}, bridge.Ended{}}, "fine", mobile},
		{"form", []any{bridge.Paused{Form: bridge.Form{Text: "Call " + mobile + "?"}}}, "Call " + masked + "?", mobile},
		{
			"replaced",
			[]any{bridge.TextAdded{Text: "call us"}, time.Second, bridge.TextReplaced{Text: "or " + mobile[:9]}, time.Second, bridge.TextAdded{Text: mobile[9:]}, bridge.Ended{}},
			"or " + masked, mobile[:9],
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b, notes := veiled(t, engine.Privacy{Answers: true}, func(int, bridge.Question) []any { return c.steps })
				b.live(t)
				if diff := cmp.Diff([]string{"mobile 1"}, *notes); diff != "" {
					t.Error(diff)
				}
				all := everShown(b)
				if len(all) == 0 || !strings.Contains(all[len(all)-1], c.part) {
					t.Errorf("shown %q", all)
				}
				for _, shown := range all {
					if strings.Contains(shown, c.hidden) {
						t.Errorf("%q was shown", shown)
					}
				}
			})
		})
	}
}

// TestWithdrawnForAValue: what was taken back leaves the screen at once, also when
// what takes its place cannot be shown yet.
func TestWithdrawnForAValue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, _ := veiled(t, engine.Privacy{Answers: true}, func(int, bridge.Question) []any {
			return []any{started("c"), bridge.TextAdded{Text: "bad words "}, time.Second, bridge.TextReplaced{Text: "1381"}, time.Minute, bridge.Ended{}}
		})
		ended := make(chan struct{})
		go func() { b.Handle(t.Context(), b.job); close(ended) }()
		time.Sleep(10 * time.Second)
		if got := b.chat.Texts(); len(got) != 1 || strings.Contains(got[0], "bad words") || strings.Contains(got[0], "1381") {
			t.Errorf("shown %q", got)
		}
		<-ended
	})
}

// TestNothingIsHidden: what is switched off leaves every byte as it was.
func TestNothingIsHidden(t *testing.T) {
	t.Parallel()
	const text = "打 13812345678，[MOBILE_1]，密码：Abc12345，**a**\u2060 \xff \x00 zhang@example.com"
	for _, c := range []struct {
		name            string
		privacy         engine.Privacy
		filter          bool
		asked, answered bool // as they were
	}{
		{"all off", engine.Privacy{}, true, true, true},
		{"no filter", engine.Privacy{Answers: true, ToAgent: true}, false, true, true},
		{"answers only", engine.Privacy{Answers: true}, true, true, false},
		{"to the agent only", engine.Privacy{ToAgent: true}, true, false, false}, // [MOBILE_1] is given back
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := setupWith(true, func(int, bridge.Question) []any {
					return []any{started("c"), bridge.TextAdded{Text: text[:9]}, time.Second, bridge.TextAdded{Text: text[9:]}, bridge.Ended{}}
				}, func(o *engine.Options) {
					if c.filter {
						c.privacy.Filter = filter(t)
					}
					o.Privacy = func() engine.Privacy { return c.privacy }
				})
				b.job.Message.Text = text
				b.live(t)
				if got := b.chat.Texts()[0]; (got == text) != c.answered {
					t.Errorf("answered %q", got)
				}
				if got := b.agent.Questions()[0].Text; (got == text) != c.asked || b.store.sessions["l"].Vault.Empty() != c.asked {
					t.Errorf("asked %q", got)
				}
			})
		})
	}
}

// TestAgentSeesPlaceholders: an agent never learns a value. Who wrote it reads it
// in the answer, others in the group read a mask, and /new forgets it.
func TestAgentSeesPlaceholders(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.opt.Privacy = func() engine.Privacy { return engine.Privacy{Filter: filter(h.T), Answers: true, ToAgent: true} }
		h.agents["help"].Answer = func(_ int, q bridge.Question) []any {
			return append(slowly("听到 "+q.Text+"；[mobile_1] 和 15800001111。"), bridge.Ended{})
		}
		h.open()
		ask := func(user, text string) string { return h.hear(h.inGroup("one", user, text)) }
		if got := ask("zhang", "我是 "+mobile+"，工号 EMP123456"); got != "听到 我是 "+mobile+"，工号 EMP123456；"+mobile+" 和 158＊＊＊＊1111。" {
			h.Errorf("zhang reads %q", got)
		}
		if got := ask("zhang", "再说一次 138 1234 5678"); !strings.Contains(got, "再说一次 "+mobile) {
			h.Errorf("zhang reads %q", got)
		}
		if got := ask("li", "张伟的号码？"); !strings.Contains(got, "；"+masked+" 和") || strings.Contains(got, mobile) {
			h.Errorf("li reads %q", got)
		}
		if got := ask("li", "也是 "+mobile); !strings.Contains(got, "也是 "+mobile+"；"+masked) {
			h.Errorf("li reads %q", got)
		}
		ask("zhang", "/new")
		if got := ask("zhang", "我的号码？"); !strings.Contains(got, "；[mobile_1] 和") {
			h.Errorf("after /new zhang reads %q", got)
		}
		var asked []string
		for _, q := range h.agents["help"].Questions() {
			asked = append(asked, q.Text)
		}
		want := []string{"我是 [MOBILE_1]，工号 [VALUE_1]", "再说一次 [MOBILE_1]", "张伟的号码？", "也是 [MOBILE_2]", "我的号码？"}
		if diff := cmp.Diff(want, asked); diff != "" {
			h.Error(diff)
		}
	})
}

// TestInputsAreHidden: a name may be a number too.
func TestInputsAreHidden(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.opt.Privacy = func() engine.Privacy { return engine.Privacy{Filter: filter(h.T), ToAgent: true} }
		h.open()
		h.want("one", mobile, "hello")
		if q := h.agents["help"].Questions()[0]; q.Title != "" || q.Known["user_name"] != "[MOBILE_1]" || q.Known["platform"] != "one" {
			h.Errorf("inputs %v", q.Known)
		}
	})
}

// TestHiddenThroughACrash: the values are stored before the agent is asked, so an
// answer that is taken up after a crash is completed; the journal has each
// finding once.
func TestHiddenThroughACrash(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b *bundle
		b, notes := veiled(t, engine.Privacy{Answers: true, ToAgent: true}, func(_ int, q bridge.Question) []any {
			if b.store.sessions["l"].Vault.Empty() {
				t.Error("asked before the values were stored")
			}
			if q.Run.Run != "" {
				return []any{bridge.TextAdded{Text: "您的号码是 [MOBILE_1]，客服 15800001111"}, bridge.Ended{}}
			}
			return []any{
				bridge.Started{Conversation: bridge.Conversation{ID: "c"}, Run: bridge.Run{Task: "t", Run: "r"}},
				bridge.TextAdded{Text: "您的号码是 [MOBI"},
				time.Minute,
				bridge.Ended{},
			}
		})
		b.job.Message.Text = "我是 " + mobile
		ctx, crash := context.WithTimeout(t.Context(), 5*time.Second)
		defer crash()
		if s := b.Handle(ctx, b.job); s.State != bridge.JobRetryable {
			t.Fatalf("cut off as %+v", s)
		}
		if got := b.chat.Texts(); len(got) != 1 || got[0] != "您的号码是 " {
			t.Errorf("shown %q", got)
		}
		b.job.Attempt++
		if last, _ := b.live(t); last.State != bridge.JobCompleted || b.chat.Texts()[0] != "您的号码是 "+mobile+"，客服 158＊＊＊＊1111" {
			t.Errorf("%s, shown %q", last.State, b.chat.Texts())
		}
		for _, q := range b.agent.Questions() {
			if q.Text != "我是 [MOBILE_1]" {
				t.Errorf("asked %q", q.Text)
			}
		}
		if diff := cmp.Diff([]string{"mobile 1", "mobile 1"}, *notes); diff != "" {
			t.Error(diff)
		}
	})
}

// TestHiddenInALostConversation: the new conversation begins with placeholders of
// its own.
func TestHiddenInALostConversation(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.opt.Privacy = func() engine.Privacy { return engine.Privacy{Filter: filter(h.T), ToAgent: true} }
		forgotten := false
		h.agents["help"].Answer = func(_ int, q bridge.Question) []any {
			if forgotten && q.Conversation.ID == "old" {
				return []any{fault(bridge.KindConversationLost)}
			}
			return []any{started(map[bool]string{false: "old", true: "new"}[forgotten]), bridge.TextAdded{Text: "heard " + q.Text}, bridge.Ended{}}
		}
		h.open()
		h.want("one", "zhang", "first "+mobile, "heard first "+mobile)
		forgotten = true
		h.want("one", "zhang", "then 15800001111", "heard then 15800001111")
		h.want("one", "zhang", "what was [MOBILE_1]?", "what was 15800001111?")
		if got := h.maskedIn(2); got != "mobile 1" {
			h.Errorf("noted %q", got)
		}
		asked := h.agents["help"].Questions()
		if got := []string{asked[1].Text, asked[2].Text}; cmp.Diff([]string{"then [MOBILE_2]", "then [MOBILE_1]"}, got) != "" {
			h.Errorf("asked %q", got)
		}
	})
}

// TestUnreadableVault: what cannot be read any more keeps nobody from an answer.
func TestUnreadableVault(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, _ := veiled(t, engine.Privacy{ToAgent: true}, func(_ int, q bridge.Question) []any {
			return []any{started("c"), bridge.TextAdded{Text: q.Text}, bridge.Ended{}}
		})
		b.store.sessions["l"] = bridge.Session{ID: "s", Lane: "l", Vault: bridge.NewSecret("{")}
		b.job.Message.Text = "我是 " + mobile
		if last, _ := b.live(t); last.State != bridge.JobCompleted || b.chat.Texts()[0] != "我是 "+mobile || b.agent.Questions()[0].Text != "我是 [MOBILE_1]" {
			t.Errorf("%s, shown %q", last.State, b.chat.Texts())
		}
	})
}
