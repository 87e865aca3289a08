package router_test

import (
	"strings"
	"testing"

	"switchboard/internal/bridge"
	"switchboard/internal/router"
)

func TestCommands(t *testing.T) {
	t.Parallel()
	r, _ := setupWith(router.Options{Commands: []router.Spec{
		{Command: "oncall", Words: []string{"OnCall", "值班"}, Takes: func(string) bool { return true }},
		{Command: "evil", Words: []string{"help", "evil"}},
	}})
	for text, want := range map[string]string{
		"/help": "help", " ／HELP ": "help", "/帮助": "help", "/ help": "help", "/?": "help", "／？": "help", "/ｈｅｌｐ": "help",
		"/new": "new", "/New\n": "new", "／新对话": "new", "/reset": "new", "\u3000/new\u3000": "new",
		"/stop": "stop", "/停止": "stop", "/retry": "retry", "/重试": "retry", "/me": "me", "/我": "me", "/解绑": "unlink", "/unlink": "unlink",
		"/link": "link", "/绑定": "link", "/link 123456": "link:123456", "/绑定123456": "link:123456", "/绑定 １２３４５６": "link:１２３４５６",
		"/link 123 456": "link:123 456", "/link to the handbook": "", "/绑定手机怎么弄": "", "/link123456": "link:123456",
		"/lang": "lang", "/lang ZH": "lang:ZH", "/语言 英文": "lang:英文", "/lang of the contract": "",
		"/bot": "bot", "/机器人": "bot",
		"/oncall": "oncall", "/ONCALL Who Is It": "oncall:Who Is It", "/值班 今天": "oncall:今天", "/evil": "evil",
		"new": "", "/newer": "", "/new topic": "", "/": "", "//new": "", "/etc/passwd": "", "how do I use /help": "", "": "",
		"@Bot /new": "", "/unknown": "", "/help1": "", "新对话": "",
	} {
		got := route(t, r, direct("one", "zhang", text))
		if said := strings.TrimSuffix(string(got.Command)+":"+got.Argument, ":"); said != want {
			t.Errorf("%q is %q, want %q", text, said, want)
		}
	}
}

func TestCommandsInGroups(t *testing.T) {
	t.Parallel()
	r, _ := setup()
	for text, want := range map[string]router.Command{
		"@Switchboard /new": router.CommandNew, "@总机\u2005／新对话": router.CommandNew, "@a @b /help": router.CommandHelp,
		"＠总机 /stop": router.CommandStop, "/new": router.CommandNew, "@Switchboard": router.CommandNone, "@Switchboard hello /new": router.CommandNone,
		"hello @Switchboard /new": router.CommandNone,
	} {
		m := group("zhang")
		m.Text = text
		if got := route(t, r, m).Command; got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// TestAside: what stops an answer does not wait behind it.
func TestAside(t *testing.T) {
	t.Parallel()
	r, _ := setupWith(router.Options{Desk: "desk"})
	talk, stop := job(t, r, direct("one", "zhang", "hello")), job(t, r, direct("one", "zhang", "/stop"))
	if stop.Queue != "desk" || stop.Lane == talk.Lane || !strings.HasSuffix(stop.Lane, talk.Lane) {
		t.Errorf("stop is in %q %q", stop.Queue, stop.Lane)
	}
	a, b := route(t, r, direct("one", "zhang", "hello")), route(t, r, direct("two", "zhang", "/stop"))
	if a.Agent != "help" || b.Agent != "help" || a.Scope == b.Scope {
		t.Errorf("routes %+v %+v", a, b)
	}
	if again := route(t, r, direct("one", "zhang", "/stop")); again.Scope != a.Scope {
		t.Errorf("scopes %q %q", again.Scope, a.Scope)
	}
	for _, text := range []string{"/help", "/me"} {
		if got := job(t, r, direct("one", "zhang", text)); got.Lane != stop.Lane || got.Queue != "desk" {
			t.Errorf("%s is in %q %q", text, got.Queue, got.Lane)
		}
	}
	for _, text := range []string{"/new", "/lang zh", "/bot", "/retry", "/link", "/unlink"} { // what is asked after them counts on them
		if got := job(t, r, direct("one", "zhang", text)); got.Lane != talk.Lane || got.Queue != "help" {
			t.Errorf("%s is in %q %q", text, got.Queue, got.Lane)
		}
	}
	r, _ = setup()
	if got := job(t, r, direct("one", "zhang", "/stop")); got.Queue != "help" || got.Lane != job(t, r, direct("one", "zhang", "hello")).Lane {
		t.Errorf("without a desk it is in %q %q", got.Queue, got.Lane)
	}
}

func FuzzCommand(f *testing.F) {
	for _, text := range []string{"/help", "@x ／绑定１２３", "/lang zh", "//", "＠", "/\u2005", "/绑定٣"} {
		f.Add(text, true)
	}
	f.Fuzz(func(t *testing.T, text string, inGroup bool) {
		r, _ := setupWith(router.Options{Desk: "desk"})
		m := direct("one", "zhang", text)
		if inGroup {
			m.Chat = bridge.Chat{ID: "room", Kind: bridge.Group}
		}
		got := route(t, r, m)
		if got.Command != router.CommandNone && !strings.ContainsAny(text, "/／") {
			t.Errorf("%q is %q", text, got.Command)
		}
		if got.Argument != "" && (got.Command == router.CommandNone || !strings.Contains(text, got.Argument)) {
			t.Errorf("%q has argument %q", text, got.Argument)
		}
	})
}
