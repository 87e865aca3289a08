package privacy_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"switchboard/internal/privacy"
)

func FuzzMask(f *testing.F) {
	for _, c := range maskCases {
		f.Add(c.in)
	}
	filter := newFilter(f, privacy.Rules{})
	f.Fuzz(func(t *testing.T, text string) {
		got, found := filter.Mask(text)
		if utf8.ValidString(text) && !utf8.ValidString(got) {
			t.Fatalf("%q becomes %q, which is no text", text, got)
		}
		if again, more := filter.Mask(got); again != got || more.Total() > 0 {
			t.Fatalf("%q\nbecomes     %q\nand then    %q", text, got, again)
		}
		if found.Total() == 0 && got != text {
			t.Fatalf("%q becomes %q without a finding", text, got)
		}
	})
}

func FuzzStream(f *testing.F) {
	for i, c := range maskCases {
		f.Add(c.in, uint8(i), uint8(3*i))
	}
	filter := newFilter(f, customRules())
	f.Fuzz(func(t *testing.T, text string, a, b uint8) {
		want, _ := filter.Mask(text)
		stream, safe := filter.Stream(), filter.Stream()
		var out strings.Builder
		for at, step := 0, 0; at < len(text); step++ {
			n := min([]int{1 + int(a)%7, 1 + int(b)%31}[step%2], len(text)-at)
			out.WriteString(stream.Push(text[at : at+n]))
			at += n
			if got := safe.Safe(text[:at], false); got != out.String() || !strings.HasPrefix(want, got) {
				t.Fatalf("%q up to %d shows %q of %q", text, at, got, want)
			}
		}
		out.WriteString(stream.Close())
		if out.String() != want {
			t.Fatalf("%q:\n got %q\nwant %q", text, out.String(), want)
		}
	})
}

func FuzzRule(f *testing.F) {
	for _, r := range customRules().Custom {
		f.Add(r.Pattern, r.Mask, "合同 A1B2C3-9 EMP123456 in Project Phoenix 13812345678")
	}
	f.Add(`(a|ab)(c|bcd)(d*)`, "1+1", "abcd")
	f.Add(`^\s+$|(?s).{3,9}?x\B`, "label", "a b cx d")
	f.Fuzz(func(t *testing.T, pattern, mask, text string) {
		checkRule(t, pattern, mask, text)
	})
}

func FuzzRestore(f *testing.F) {
	f.Add("call 13812345678 or bob@example.com", "tell [mobile 1] and 【EMAIL_1】 or \\[MOBILE\\_1\\] MOBILE_1", uint8(3))
	filter := newFilter(f, privacy.Rules{})
	f.Fuzz(func(t *testing.T, question, answer string, step uint8) {
		v := privacy.NewVault()
		hidden, found := v.Hide(filter, "a", question)
		if found.Total() == 0 && hidden != question {
			t.Fatalf("%q becomes %q without a finding", question, hidden)
		}
		want := v.Restore("a", answer)
		s := v.Restorer("a")
		var out strings.Builder
		for at := 0; at < len(answer); {
			n := min(1+int(step)%9, len(answer)-at)
			out.WriteString(s.Push(answer[at : at+n]))
			at += n
			if !strings.HasPrefix(want, out.String()) {
				t.Fatalf("%q up to %d gives %q of %q", answer, at, out.String(), want)
			}
		}
		out.WriteString(s.Close())
		if out.String() != want {
			t.Fatalf("%q:\n got %q\nwant %q", answer, out.String(), want)
		}
	})
}
