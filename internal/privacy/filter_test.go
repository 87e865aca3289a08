package privacy_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/internal/privacy"
)

func newFilter(tb testing.TB, rules privacy.Rules) *privacy.Filter {
	tb.Helper()
	f, err := privacy.New(rules)
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

// maskCases are texts and what is left of them. The numbers are made up; those
// with check digits pass the check.
var maskCases = []struct{ name, in, want string }{
	{"mobile", "请拨打13812345678联系我", "请拨打138＊＊＊＊5678联系我"},
	{"mobile spaces", "电话 138 1234 5678。", "电话 138＊＊＊＊5678。"},
	{"mobile dashes", "电话:138-1234-5678", "电话:138＊＊＊＊5678"},
	{"mobile wide gaps", "138 - 1234 - 5678", "138＊＊＊＊5678"},
	{"mobile dots", "138.1234.5678，138.12345678，1.38.1234.5678", "138＊＊＊＊5678，138.12345678，1.38.1234.5678"},
	{"mobile no-break", "138\u00a01234\u00a05678", "138＊＊＊＊5678"},
	{"mobile zero width", "138\u200b1234\u200b5678", "138＊＊＊＊5678"},
	{"mobile full width", "手机１３８１２３４５６７８！", "手机１３８＊＊＊＊５６７８！"},
	{"mobile spelled", "1 3 8 1 2 3 4 5 6 7 8", "138＊＊＊＊5678"},
	{"mobile +86", "+8613812345678, +86 138 1234 5678, 0086-13812345678", "+86138＊＊＊＊5678, +86138＊＊＊＊5678, 0086138＊＊＊＊5678"},
	{"mobile (+86)", "（+86）13812345678", "（+86）138＊＊＊＊5678"},
	{"mobile label", "tel13812345678 Tel:13812345678 wx13812345678", "tel138＊＊＊＊5678 Tel:138＊＊＊＊5678 wx138＊＊＊＊5678"},
	{"mobile extension", "13812345678-801 or 13812345678ext.801", "138＊＊＊＊5678-801 or 138＊＊＊＊5678ext.801"},
	{"mobile list", "1.13812345678 2.13912345678", "1.138＊＊＊＊5678 2.139＊＊＊＊5678"},
	{"mobile code", "`13812345678` and ```\nphone = 13812345678\n```", "`138＊＊＊＊5678` and ```\nphone = 138＊＊＊＊5678\n```"},
	{"mobile link", "[13812345678](tel:13812345678)", "[138＊＊＊＊5678](tel:138＊＊＊＊5678)"},
	{"mobile table", "|张三|13812345678|\n|---|---|", "|张三|138＊＊＊＊5678|\n|---|---|"},
	{"mobile bold", "**13812345678**", "**138＊＊＊＊5678**"},
	{"mobile field of an address", "https://x.cn/u?phone=13812345678&a=1", "https://x.cn/u?phone=138＊＊＊＊5678&a=1"},
	{"no mobile: address", "https://x.cn/item/13812345678?id=13812345678", "https://x.cn/item/13812345678?id=13812345678"},
	{"no mobile: longer", "138123456789 0138123456781", "138123456789 0138123456781"},
	{"no mobile: code", "SN13812345678 SO-13812345678 13812345678abc", "SN13812345678 SO-13812345678 13812345678abc"},
	{"no mobile: amount", "¥13812345678 13812345678.50 0.13812345678 13812345678元", "¥13812345678 13812345678.50 0.13812345678 13812345678元"},
	{"no mobile: not allocated", "14012345678 12345678901 15412345678", "14012345678 12345678901 15412345678"},
	{"resident id", "身份证110101199003074514。", "身份证110101＊＊＊＊＊＊＊＊4514。"},
	{"resident id x", "44030519900101123X，44030519900101123x", "440305＊＊＊＊＊＊＊＊123X，440305＊＊＊＊＊＊＊＊123x"},
	{"resident id full width", "４４０３０５１９９００１０１１２３Ｘ", "４４０３０５＊＊＊＊＊＊＊＊１２３Ｘ"},
	{"resident id groups", "110101 19900307 4514 / 110101-1990-0307-4514 / 1101 0119 9003 0745 14", "110101＊＊＊＊＊＊＊＊4514 / 110101＊＊＊＊＊＊＊＊4514 / 110101＊＊＊＊＊＊＊＊4514"},
	{"resident id after letters", "ID110101199003074514", "ID110101＊＊＊＊＊＊＊＊4514"},
	{"resident id old", "旧号 110101900307451", "旧号 110101＊＊＊＊＊7451"},
	{"no resident id: check digit", "110101199003074515", "110101199003074515"},
	{"no resident id: date", "110101199013074518", "110101199013074518"},
	{"no resident id: region", "990101199003074514", "990101199003074514"},
	{"card", "卡号6222021234567890128", "卡号＊＊＊＊＊＊＊＊＊＊＊＊＊＊＊0128"},
	{"card groups", "4111 1111 1111 1111, 4111-1111-1111-1111, 3782 822463 10005", "＊＊＊＊＊＊＊＊＊＊＊＊1111, ＊＊＊＊＊＊＊＊＊＊＊＊1111, ＊＊＊＊＊＊＊＊＊＊＊0005"},
	{"card bold", "卡号**4111111111111111**已", "卡号**\u2060＊＊＊＊＊＊＊＊＊＊＊＊1111**已"},
	{"no card: luhn", "4111111111111112 4111111111111116", "4111111111111112 4111111111111116"},
	{"no card: decimal", "6222021234567890128.6222021234567890128", "6222021234567890128.＊＊＊＊＊＊＊＊＊＊＊＊＊＊＊0128"},
	{"no card: issuer", "1234567890123452 9787111213826", "1234567890123452 9787111213826"},
	{"no card: too long", "41111111111111111111", "41111111111111111111"},
	{"email", "邮箱zhang.san+x@mail.example.com，谢谢", "邮箱z＊＊＊@mail.example.com，谢谢"},
	{"email full width", "ｂｏｂ＠ｅｘａｍｐｌｅ．ｃｏｍ", "ｂ＊＊＊＠ｅｘａｍｐｌｅ．ｃｏｍ"},
	{"email number", "13812345678@qq.com", "1＊＊＊@qq.com"},
	{"email links", "<a@b.cn> [x](mailto:bob@b.cn) a@b.cn.", "<a＊＊＊@b.cn> [x](mailto:b＊＊＊@b.cn) a＊＊＊@b.cn."},
	{"email chain", "a@b.cn@c.cn 与 x@y@z.cn", "a＊＊＊@b.cn@c.cn 与 x@y＊＊＊@z.cn"},
	{"email bullet", "-bob@example.com", "-b＊＊＊@example.com"},
	{"no email", "git@github.com:a/b.git icon@2x.png v@1.2.3 @user a@b", "git@github.com:a/b.git icon@2x.png v@1.2.3 @user a@b"},
	{"passport", "护照E12345678，EA1234567，G87654321", "护照E1＊＊＊＊＊78，EA＊＊＊＊＊67，G8＊＊＊＊＊21"},
	{"passport announced", "passport no. 123456789; 护照号码：D20240115", "passport no. 12＊＊＊＊＊89; 护照号码：D2＊＊＊＊＊15"},
	{"no passport", "E20240115 D12345678 XE12345678 E123456789 SN-E12345678", "E20240115 D12345678 XE12345678 E123456789 SN-E12345678"},
	{"plate", "车牌京A12345，粤B·D12345，沪A12345D，苏E05EV8，川A1234学", "车牌京A＊＊＊45，粤B·＊＊＊＊45，沪A＊＊＊＊5D，苏E＊＊＊V8，川A＊＊＊4学"},
	{"no plate", "新APPLE12 京AB2C3D 京A1234 京A1234567 云B2B平台 京I12345", "新APPLE12 京AB2C3D 京A1234 京A1234567 云B2B平台 京I12345"},
	{"password", "密码：Abc@123，请修改", "密码：＊＊＊＊＊＊，请修改"},
	{"password then mobile", "密码：hunter2 138 1234 5678 bob@example.com", "密码：＊＊＊＊＊＊ 138＊＊＊＊5678 b＊＊＊@example.com"},
	{"email then mobile", "bob@example.com-13812345678 a@b.cn13812345678", "b＊＊＊@example.com-138＊＊＊＊5678 a＊＊＊@b.cn138＊＊＊＊5678"},
	{"password digits before text", "密码：123456请勿外传", "密码：＊＊＊＊＊＊请勿外传"},
	{"password marks", "**密码**：`p|x y`; password: \"my pass, phrase\" ok", "**密码**：`＊＊＊＊＊＊`; password: \"＊＊＊＊＊＊\" ok"},
	{"password bold", "密码：**hunter2**，", "密码：**\u2060＊＊＊＊＊＊\u2060**，"},
	{"password json", `{"password": "a\"b c", "n": 1}`, `{"password": "＊＊＊＊＊＊", "n": 1}`},
	{"password json long", `{"password": "abcdefghij0123456789abcdefgh\"\\", "n": 1}`, `{"password": "＊＊＊＊＊＊", "n": 1}`},
	{"password query", "https://x.cn/?pwd=a1b2c3&x=1", "https://x.cn/?pwd=＊＊＊＊＊＊&x=1"},
	{"password env", "DB_PASSWORD=s3cr3t!x. Next", "DB_PASSWORD=＊＊＊＊＊＊. Next"},
	{"password digits", "口令是123456。", "口令是＊＊＊＊＊＊。"},
	{"password is", "The password is Summer2024!", "The password is ＊＊＊＊＊＊!"},
	{"password table", "| 密码 | Abc@123 |", "| 密码 | ＊＊＊＊＊＊ |"},
	{"password note", "WiFi密码（访客）：welcome8", "WiFi密码（访客）：＊＊＊＊＊＊"},
	{"password of an address", "postgres://app:s3cret@db:5432/x", "postgres://app:＊＊＊＊＊＊@db:5432/x"},
	{"key", "sk-abcdefgh12345678ijklmnop, app-AbCdEfGhIjKlMnOpQr12 AKIAIOSFODNN7EXAMPLE", "sk-＊＊＊＊＊＊, app-＊＊＊＊＊＊ AKIA＊＊＊＊＊＊"},
	{"token", "api_key=0123456789abcdef token: 1500 token: accordingly", "api_key=＊＊＊＊＊＊ token: 1500 token: accordingly"},
	{"bearer", "Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.abc", "Authorization: Bearer ＊＊＊＊＊＊"},
	{"no password", "密码：请联系管理员。密码：8-16位。Password: required. password: see the wiki. 密码错误", "密码：请联系管理员。密码：8-16位。Password: required. password: see the wiki. 密码错误"},
	{"no password: program", "password = os.environ[\"PW\"]; password=${PW}; password: <password>", "password = os.environ[\"PW\"]; password=${PW}; password: <password>"},
	{"no password: ours", "密码：[PASSWORD_1]", "密码：[PASSWORD_1]"},
	{"two in a row", "13812345678 13912345678/13712345678", "138＊＊＊＊5678 139＊＊＊＊5678/137＊＊＊＊5678"},
	{"masked already", "138****5678 110101********4514 ****", "138****5678 110101********4514 ****"},
	{"uuid", "550e8400-e29b-41d4-a716-446655440000", "550e8400-e29b-41d4-a716-446655440000"},
}

func TestMask(t *testing.T) {
	t.Parallel()
	f := newFilter(t, privacy.Rules{})
	for _, c := range maskCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, _ := f.Mask(c.in)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if again, _ := f.Mask(got); again != got {
				t.Errorf("masked twice: %q", again)
			}
		})
	}
}

func TestFindingsHoldNoContent(t *testing.T) {
	t.Parallel()
	f := newFilter(t, privacy.Rules{})
	_, found := f.Mask("13812345678, 13912345678, bob@example.com, 密码：hunter2")
	want := privacy.Findings{privacy.Mobile: 2, privacy.Email: 1, privacy.Password: 1}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Error(diff)
	}
	if got, want := found.String(), "email 1, mobile 2, password 1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	found.Add(privacy.Findings{privacy.Mobile: 1})
	if found[privacy.Mobile] != 3 || found.Total() != 5 {
		t.Error(found)
	}
}

func TestRulesOff(t *testing.T) {
	t.Parallel()
	for _, rule := range privacy.BuiltIn() {
		f := newFilter(t, privacy.Rules{Off: []privacy.Rule{rule}})
		text := "13812345678 bob@example.com 密码：hunter2 110101199003074514 4111111111111111 E12345678 京A12345"
		_, found := f.Mask(text)
		if found[rule] != 0 || found.Total() != 6 {
			t.Errorf("without %s: %v", rule, found)
		}
	}
}

func TestCustomRules(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		rules    []bridge.MaskRule
		in, want string
	}{
		{"full", []bridge.MaskRule{{Name: "工号", Pattern: `EMP\d{6}`}}, "工号EMP123456，", "工号＊＊＊＊＊＊＊＊＊，"},
		{"kept", []bridge.MaskRule{{Name: "a", Pattern: `EMP\d{6}`, Mask: "3+2"}}, "EMP123456", "EMP＊＊＊＊56"},
		{"label", []bridge.MaskRule{{Name: "项目", Pattern: `Project \w+`, Mask: "label"}}, "in Project Phoenix!", "in 〔项目〕!"},
		{"full width", []bridge.MaskRule{{Name: "a", Pattern: `EMP\d{6}`}}, "ＥＭＰ１２３４５６", "＊＊＊＊＊＊＊＊＊"},
		{"chinese colon", []bridge.MaskRule{{Name: "a", Pattern: `编号：\d+`}}, "编号：12 编号:12", "＊＊＊＊＊ 编号:12"},
		{"greedy", []bridge.MaskRule{{Name: "a", Pattern: `x\d*`}}, "x123y", "＊＊＊＊y"},
		{"lazy", []bridge.MaskRule{{Name: "a", Pattern: `x\d+?`}}, "x123y", "＊＊23y"},
		{"first alternative", []bridge.MaskRule{{Name: "a", Pattern: `ab|abc`}}, "abc", "＊＊c"},
		{"case", []bridge.MaskRule{{Name: "a", Pattern: `(?i)secretplan`}}, "SecretPlan", "＊＊＊＊＊＊＊＊＊＊"},
		{"border", []bridge.MaskRule{{Name: "a", Pattern: `\bcat\b`}}, "cat concat cats 猫cat猫", "＊＊＊ concat cats 猫＊＊＊猫"},
		{"line", []bridge.MaskRule{{Name: "a", Pattern: `(?m)^ab$`}}, "ab c\nx\nab\ny", "ab c\nx\n＊＊\ny"},
		{"long", []bridge.MaskRule{{Name: "a", Pattern: `<.*>`}}, "<" + strings.Repeat("a", 70) + ">", "<" + strings.Repeat("a", 70) + ">"},
		{"built-in first", []bridge.MaskRule{{Name: "a", Pattern: `\d{6}`}}, "13812345678 123456", "138＊＊＊＊5678 ＊＊＊＊＊＊"},
		{"over a built-in", []bridge.MaskRule{{Name: "a", Pattern: `客户 1\d\d`, Mask: "3+3"}}, "客户 13812345678 好", strings.Repeat("＊", 14) + " 好"},
		{"round a built-in", []bridge.MaskRule{{Name: "a", Pattern: `客户 \d+号`, Mask: "2+2"}}, "客户 13812345678号", strings.Repeat("＊", 15)},
		{"order", []bridge.MaskRule{{Name: "a", Pattern: `ab`, Mask: "1+0"}, {Name: "b", Pattern: `abc`}}, "abc", "a＊c"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFilter(t, privacy.Rules{Custom: c.rules})
			got, _ := f.Mask(c.in)
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestBadRules(t *testing.T) {
	t.Parallel()
	many := make([]bridge.MaskRule, 51)
	for i := range many {
		many[i] = bridge.MaskRule{Name: strings.Repeat("a", i+1)[:min(i+1, 40)], Pattern: "x"}
	}
	for _, c := range []struct {
		code  string
		rules privacy.Rules
	}{
		{"pattern", privacy.Rules{Custom: []bridge.MaskRule{{Name: "a", Pattern: `(`}}}},
		{"pattern", privacy.Rules{Custom: []bridge.MaskRule{{Name: "a", Pattern: `(?=x)`}}}},
		{"empty", privacy.Rules{Custom: []bridge.MaskRule{{Name: "a", Pattern: ``}}}},
		{"empty", privacy.Rules{Custom: []bridge.MaskRule{{Name: "a", Pattern: `x*`}}}},
		{"empty", privacy.Rules{Custom: []bridge.MaskRule{{Name: "a", Pattern: `\b`}}}},
		{"long", privacy.Rules{Custom: []bridge.MaskRule{{Name: "a", Pattern: strings.Repeat("x", 501)}}}},
		{"long", privacy.Rules{Custom: []bridge.MaskRule{{Name: "a", Pattern: `(\w{1,90}){1,9}x{900}x{900}`}}}},
		{"mask", privacy.Rules{Custom: []bridge.MaskRule{{Name: "a", Pattern: `x`, Mask: "some"}}}},
		{"mask", privacy.Rules{Custom: []bridge.MaskRule{{Name: "a", Pattern: `x`, Mask: "1+99"}}}},
		{"mask", privacy.Rules{Custom: []bridge.MaskRule{{Name: "a", Pattern: `x`, Mask: "3"}}}},
		{"name", privacy.Rules{Custom: []bridge.MaskRule{{Pattern: `x`}}}},
		{"twice", privacy.Rules{Custom: []bridge.MaskRule{{Name: "a", Pattern: `x`}, {Name: "a", Pattern: `y`}}}},
		{"twice", privacy.Rules{Custom: []bridge.MaskRule{{Name: "mobile", Pattern: `x`}}}},
		{"many", privacy.Rules{Custom: many}},
		{"unknown", privacy.Rules{Off: []privacy.Rule{"landline"}}},
	} {
		_, err := privacy.New(c.rules)
		var e *bridge.Error
		if !errors.As(err, &e) || e.Code != c.code || e.Kind != bridge.KindInvalid {
			t.Errorf("%+v: %v, want code %s", c.rules, err, c.code)
			continue
		}
		for _, lang := range []bridge.Language{bridge.English, bridge.Chinese} {
			words := i18n.Explain(lang, err)
			if words.What == i18n.Text(lang, "error.invalid") || words.Next == "" || strings.Contains(words.String(), "{") {
				t.Errorf("%s: %s: %+v", lang, c.code, words)
			}
		}
		if _, err := privacy.Preview(c.rules, "x"); err == nil {
			t.Error("Preview takes them")
		}
	}
}

func TestEveryRuleHasWords(t *testing.T) {
	t.Parallel()
	for _, rule := range privacy.BuiltIn() {
		for _, lang := range []bridge.Language{bridge.English, bridge.Chinese} {
			if _, ok := i18n.Find(lang, "privacy.rule."+string(rule)); !ok {
				t.Errorf("%s: no words for %s", lang, rule)
			}
		}
	}
}

func TestPreview(t *testing.T) {
	t.Parallel()
	sample := "手机13812345678，密码：hunter2，EMP123456。"
	got, err := privacy.Preview(privacy.Rules{Custom: []bridge.MaskRule{{Name: "工号", Pattern: `EMP\d{6}`, Mask: "3+0"}}}, sample)
	if err != nil {
		t.Fatal(err)
	}
	var read []string
	for _, s := range got {
		read = append(read, string(s.Rule)+"="+sample[s.Start:s.End]+"="+s.Shown)
	}
	want := []string{"mobile=13812345678=138＊＊＊＊5678", "password=hunter2=＊＊＊＊＊＊", "工号=EMP123456=EMP＊＊＊＊＊＊"}
	if diff := cmp.Diff(want, read); diff != "" {
		t.Error(diff)
	}
}
