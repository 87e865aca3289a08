package privacy_test

import (
	"flag"
	"math/rand/v2"
	"strings"
	"testing"

	"switchboard/internal/privacy"
)

var rounds = flag.Int("rounds", 20_000, "how many random texts are masked twice")

// pieces are what random texts are made of: values, halves of values, and
// everything that decides whether something next to it is one.
var pieces = []string{
	"13812345678", "138", "1234", "5678", "86", "+86", "0086", "1", "5", "62", "X", "x", "110101199003074514", "110101", "19900307", "4514", "44030519900101123X",
	"4111111111111111", "4111", "1111", "6222021234567890128", "330106850307451", "E12345678", "EA1234567", "passport ", "护照", "京A12345", "粤B", "D12345", "A",
	"bob@example.com", "bob", "@", "a.cn", ".cn", "@b.cn", "a@b.cc", "git", "密码", "密码：", "password", "pwd=", ": ", "：", "=", " is ", "是", "为", "|", "| ", "token: ",
	"api_key=", "secret", "hunter2", "Abc@123", "abc", "sk-abcdefgh12345678ijklmnop", "sk-", "AKIAIOSFODNN7EXAMPLE", "Bearer ", "https://", "http://a:", "x.cn/", "?phone=", "&",
	" ", "  ", "-", ".", ",", "，", "。", "\n", "*", "**", "_", "`", "\"", "'", "“", "”", "(", ")", "（", "）", "[", "]", "<", ">", "{", "\\", "/", "#", "~", "!", "＊", "＊＊", "＊＊＊＊",
	"\u2060", "\u200b", "\u3000", "　", "元", "号", "¥", "$", "ext", "EMP123456", "project ", "合同", "[MOBILE_1]", "PASSWORD_1", "１３８", "１２３４", "＠", "é", "😀", "\xff", "%", "0.", "e",
}

// TestMaskTwice makes texts at random and wants that masking a masked text
// changes nothing, and that a stream shows what the whole gives.
func TestMaskTwice(t *testing.T) {
	t.Parallel()
	f, with := newFilter(t, privacy.Rules{}), newFilter(t, customRules())
	rnd := rand.New(rand.NewPCG(7, uint64(*rounds)))
	for range *rounds {
		var b strings.Builder
		for range 1 + rnd.IntN(12) {
			b.WriteString(pieces[rnd.IntN(len(pieces))])
		}
		text := b.String()
		got, _ := f.Mask(text)
		if again, _ := f.Mask(got); again != got {
			t.Errorf("\ntext  %q\nonce  %q\ntwice %q", text, got, again)
		}
		want, _ := with.Mask(text)
		s := with.Stream()
		for at := range len(text) {
			if shown := s.Safe(text[:at], false); !strings.HasPrefix(want, shown) {
				t.Errorf("\ntext  %q\nwhole %q\nshown %q", text, want, shown)
				break
			}
		}
		if shown := s.Safe(text, true); shown != want {
			t.Errorf("\ntext  %q\nwhole %q\nshown %q", text, want, shown)
		}
	}
}
