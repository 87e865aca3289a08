package privacy_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"switchboard/internal/bridge"
	"switchboard/internal/privacy"
)

// customRules are used wherever rules of the admin's should take part.
func customRules() privacy.Rules {
	return privacy.Rules{Custom: []bridge.MaskRule{
		{Name: "工号", Pattern: `EMP-?\d{4,8}`, Mask: "3+2"},
		{Name: "项目", Pattern: `(?i)\bproject [a-z]+\b`, Mask: "label"},
		{Name: "合同", Pattern: `合同(编?号)?[:：]?\s?[A-Z0-9-]{6,20}`},
	}}
}

// texts are the texts of the corpus, alone and run together into long answers.
func texts(tb testing.TB) []string {
	tb.Helper()
	var all []string
	for _, line := range corpus(tb) {
		all = append(all, line.Text)
	}
	for _, c := range maskCases {
		all = append(all, c.in)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		var b strings.Builder
		for range 12 {
			b.WriteString(all[rnd.IntN(len(all))])
			b.WriteString([]string{"", " ", "\n\n", "，", "-", "："}[rnd.IntN(6)])
		}
		all = append(all, b.String())
	}
	return all
}

// TestStreamIsMask cuts texts at random, also inside characters: what comes out
// is the finished mask piece by piece, so nothing that it hides ever shows.
func TestStreamIsMask(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, rules := range []privacy.Rules{{}, customRules()} {
		f := newFilter(t, rules)
		for _, text := range texts(t) {
			want, found := f.Mask(text)
			for range 4 {
				pushed, safe := f.Stream(), f.Stream()
				var out strings.Builder
				for at := 0; at < len(text); {
					n := min(1+rnd.IntN(1+rnd.IntN(12)), len(text)-at)
					out.WriteString(pushed.Push(text[at : at+n]))
					at += n
					got := safe.Safe(text[:at], false)
					if got != out.String() || !strings.HasPrefix(want, got) {
						t.Fatalf("%q cut at %d shows %q, Push gave %q, want the beginning of %q", text, at, got, out.String(), want)
					}
				}
				out.WriteString(pushed.Close())
				if out.String() != want || safe.Safe(text, true) != want {
					t.Fatalf("%q:\n got %q\nwant %q", text, out.String(), want)
				}
				if pushed.Findings().String() != found.String() {
					t.Fatalf("%q: found %v, want %v", text, pushed.Findings(), found)
				}
			}
		}
	}
}

// TestStreamEveryBoundary shows a text up to each of its characters, and asks
// what any other ending would have made of what is shown already.
func TestStreamEveryBoundary(t *testing.T) {
	t.Parallel()
	f := newFilter(t, customRules())
	endings := []string{"", "1", "x", "@example.com", " 1234 5678", "-5678", "元", ".5", "＊＊", "**", " is", "D", "/", "密码：a1b2", "\n"}
	for _, c := range maskCases {
		for at := range c.in + " " {
			shown := f.Stream().Safe(c.in[:at], false)
			for _, ending := range endings {
				if whole, _ := f.Mask(c.in[:at] + ending); !strings.HasPrefix(whole, shown) {
					t.Fatalf("%q shows %q, but with %q it becomes %q", c.in[:at], shown, ending, whole)
				}
			}
		}
	}
}

// TestStreamDelay feeds what is most likely to be held back and measures how
// much is.
func TestStreamDelay(t *testing.T) {
	t.Parallel()
	long := strings.Repeat
	all := append(texts(t),
		long("a", 2000), long("a.", 500)+"@"+long("b.", 500), long("a", 64)+"@"+long("b1.", 300), "x@"+long("b", 500),
		long("1", 500), long("1 ", 500), long("4 - ", 500), "4111 - 1111 - "+long("- ", 90), "密码："+long("a", 900), "密码：\""+long("a ", 900),
		"密码：a"+long(".", 900), "密码："+long("!", 900), "https://a:"+long("b", 900), "sk-"+long("a", 900), "eyJ"+long("b1", 900),
		"合同"+long("A", 900), "EMP"+long("1", 900), "project "+long("a", 900), "合同编号：ABCDEF-"+long("a", 64)+"@"+long("b1.", 300), long(" ", 900), long("*", 900), long("＊", 900),
	)
	all = append(all, "题"+long("，", 62)+long("a", 64)+"@"+long("b1.", 300))
	rules := customRules()
	rules.Custom = append(rules.Custom, bridge.MaskRule{Name: "题", Pattern: "题.{9,99}"})
	f := newFilter(t, rules)
	worst := 0
	for _, text := range all {
		s := f.Stream()
		at := 0
		for i := range text {
			s.Safe(text[:i], false)
			at++
			held := at - utf8.RuneCountInString(text[:s.Decided()])
			worst = max(worst, held)
		}
	}
	t.Logf("held back at most %d characters", worst)
	if worst > privacy.MaxDelay {
		t.Errorf("held back %d characters, more than %d", worst, privacy.MaxDelay)
	}
}

func TestStreamStartsOver(t *testing.T) {
	t.Parallel()
	s := newFilter(t, privacy.Rules{}).Stream()
	if got := s.Safe("电话 138123", false); got != "电话 " {
		t.Errorf("got %q", got)
	}
	if got := s.Safe("号码 13812345678，", false); got != "号码 138＊＊＊＊5678，" {
		t.Errorf("after a replaced text: %q", got)
	}
	if got := s.Safe("号码 13812345678，", true); got != "号码 138＊＊＊＊5678，" {
		t.Errorf("final: %q", got)
	}
	if got := s.Safe("号码 13812345678，1", false); got != "号码 138＊＊＊＊5678，" {
		t.Errorf("after the end: %q", got)
	}
	if got := s.Safe("", true); got != "" {
		t.Errorf("empty: %q", got)
	}
}

// TestStreamIsPrompt makes sure that ordinary text is held back by the word that
// is being written and no more.
func TestStreamIsPrompt(t *testing.T) {
	t.Parallel()
	f := newFilter(t, privacy.Rules{})
	for in, want := range map[string]string{
		"你好，请问":     "你好，请问",
		"Hello wor": "Hello ",
		"2024 年":    "2024 年",
		"共 20":      "共 ",
		"电话 138":    "电话 ",
		"密码：":       "密码：",
		"密码：Abc@12": "密码：",
		"新的":        "新的",
	} {
		if got := f.Stream().Safe(in, false); got != want {
			t.Errorf("%q shows %q, want %q", in, got, want)
		}
	}
}
