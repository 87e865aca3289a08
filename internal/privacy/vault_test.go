package privacy_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/privacy"
)

func TestHideAndRestore(t *testing.T) {
	t.Parallel()
	f := newFilter(t, privacy.Rules{Custom: customRules().Custom})
	v := privacy.NewVault()
	question := "我是13812345678，邮箱Bob@example.com，密码：hunter2，EMP123456，身份证110101199003074514，卡4111111111111111，E12345678，京A12345"
	got, found := v.Hide(f, "zhang", question)
	want := "我是[MOBILE_1]，邮箱[EMAIL_1]，密码：[PASSWORD_1]，[VALUE_1]，身份证[ID_1]，卡[CARD_1]，[PASSPORT_1]，[PLATE_1]"
	if got != want || found.Total() != 8 || v.Len() != 8 {
		t.Fatalf("got %q, %v", got, found)
	}
	if again, _ := v.Hide(f, "zhang", got); again != got {
		t.Errorf("hidden twice: %q", again)
	}
	if back := v.Restore("zhang", got); back != question {
		t.Errorf("restored %q", back)
	}
	next, _ := v.Hide(f, "zhang", "+86 138 1234 5678 is new, 138-1234-5678, 13912345678, bob@EXAMPLE.com")
	if next != "+[MOBILE_2] is new, [MOBILE_1], [MOBILE_3], [EMAIL_1]" {
		t.Errorf("a second question: %q", next)
	}
}

// TestRestoreForgives writes placeholders as agents do.
func TestRestoreForgives(t *testing.T) {
	t.Parallel()
	f := newFilter(t, privacy.Rules{})
	v := privacy.NewVault()
	v.Hide(f, "a", "13812345678 13912345678 密码：hunter2 110101199003074514")
	for in, want := range map[string]string{
		"[MOBILE_1]": "13812345678", "[mobile_2]": "13912345678", "[ Mobile_1 ]": "13812345678", "[MOBILE 1]": "13812345678",
		"[MOBILE-1]": "13812345678", "[MOBILE1]": "13812345678", "【MOBILE_1】": "13812345678", "［ＭＯＢＩＬＥ＿１］": "13812345678",
		`\[MOBILE\_1\]`: "13812345678", "**[MOBILE_1]**": "**13812345678**", "`[MOBILE_1]`": "`13812345678`", "MOBILE_1": "13812345678",
		"号码MOBILE_1。": "号码13812345678。", "[MOBILE _ 1]": "13812345678", "(MOBILE_1)": "(13812345678)", "[ID_1], [PASSWORD_1]": "110101199003074514, hunter2",
		"[MOBILE_3]": "[MOBILE_3]", "[MOBILE_0]": "[MOBILE_0]", "MOBILE 1": "MOBILE 1", "[MOBILE_1": "13812345678", "MOBILE_12": "MOBILE_12", "AUTOMOBILE_1": "AUTOMOBILE_1",
		"[OTHER_1]": "[OTHER_1]", "[mobile]": "[mobile]", "ID": "ID", "[": "[", `\`: `\`, "[1](https://x.cn)": "[1](https://x.cn)", "id_1x": "id_1x",
	} {
		if got := v.Restore("a", in); !strings.HasSuffix(got, want) || len(got) > len(want)+1 {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

// TestRestoreForOthers makes sure that in a group nobody reads the values of
// another member.
func TestRestoreForOthers(t *testing.T) {
	t.Parallel()
	f := newFilter(t, privacy.Rules{})
	v := privacy.NewVault()
	v.Hide(f, "a", "13812345678")
	v.Hide(f, "b", "13812345678 b@example.com")
	answer := "[MOBILE_1] [MOBILE_2] [EMAIL_1]"
	if got, want := v.Restore("a", answer), "13812345678 138＊＊＊＊5678 b＊＊＊@example.com"; got != want {
		t.Errorf("a reads %q, want %q", got, want)
	}
	if got, want := v.Restore("b", answer), "138＊＊＊＊5678 13812345678 b@example.com"; got != want {
		t.Errorf("b reads %q, want %q", got, want)
	}
}

func TestRestorerStreams(t *testing.T) {
	t.Parallel()
	f := newFilter(t, privacy.Rules{})
	v := privacy.NewVault()
	v.Hide(f, "a", "13812345678 bob@example.com")
	answer := "好的，[MOBILE_1] 与 [ email 1 ]（MOBILE_1）[x] \\[EMAIL\\_1\\] mob ID。"
	want := v.Restore("a", answer)
	rnd := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		pushed, safe := v.Restorer("a"), v.Restorer("a")
		var out strings.Builder
		for at := 0; at < len(answer); {
			n := min(1+rnd.IntN(6), len(answer)-at)
			out.WriteString(pushed.Push(answer[at : at+n]))
			at += n
			if got := safe.Safe(answer[:at], false); got != out.String() || !strings.HasPrefix(want, got) {
				t.Fatalf("shows %q of %q", got, want)
			}
		}
		out.WriteString(pushed.Close())
		if out.String() != want {
			t.Fatalf("got %q, want %q", out.String(), want)
		}
	}
}

// TestMaskThenRestore is the way of an answer: what the agent knows by itself is
// masked, what the asker wrote comes back.
func TestMaskThenRestore(t *testing.T) {
	t.Parallel()
	f := newFilter(t, privacy.Rules{})
	v := privacy.NewVault()
	v.Hide(f, "a", "13812345678 密码：hunter2")
	mask, restore := f.Stream(), v.Restorer("a")
	const answer, want = "[MOBILE_1] 的经理是 13912345678，密码：[PASSWORD_1]", "13812345678 的经理是 139＊＊＊＊5678，密码：hunter2"
	for at := range answer {
		if shown := restore.Safe(mask.Safe(answer[:at], false), false); !strings.HasPrefix(want, shown) {
			t.Errorf("shows %q of %q", shown, want)
		}
	}
	if shown := restore.Safe(mask.Safe(answer, true), true); shown != want {
		t.Errorf("got %q, want %q", shown, want)
	}
}

func TestVaultIsStored(t *testing.T) {
	t.Parallel()
	f := newFilter(t, privacy.Rules{})
	v := privacy.NewVault()
	v.Hide(f, "a", "13812345678")
	data, err := v.Export()
	if err != nil {
		t.Fatal(err)
	}
	again, err := privacy.OpenVault(data)
	if err != nil {
		t.Fatal(err)
	}
	if got := again.Restore("a", "[MOBILE_1]"); got != "13812345678" {
		t.Errorf("got %q", got)
	}
	if got, _ := again.Hide(f, "a", "13812345678 13912345678"); got != "[MOBILE_1] [MOBILE_2]" {
		t.Errorf("got %q", got)
	}
	if empty, err := privacy.OpenVault(nil); err != nil || empty.Len() != 0 {
		t.Error(err)
	}
	if _, err := privacy.OpenVault([]byte(`[{"value":"13812345678"`)); err == nil || strings.Contains(err.Error(), "138") {
		t.Error(err)
	}
}

func TestVaultNeverPrints(t *testing.T) {
	t.Parallel()
	f := newFilter(t, privacy.Rules{})
	v := privacy.NewVault()
	v.Hide(f, "a", "13812345678")
	type outer struct {
		V     *privacy.Vault
		inner *privacy.Vault
		plain privacy.Vault
	}
	o := outer{v, v, *v}
	var log strings.Builder
	timeless := &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{} // its digits may be any
		}
		return a
	}}
	for _, h := range []slog.Handler{slog.NewJSONHandler(&log, timeless), slog.NewTextHandler(&log, timeless)} {
		slog.New(h).InfoContext(t.Context(), "x", "vault", v, "outer", o, "list", []any{v})
	}
	_, jerr := json.Marshal(o)
	for _, printed := range []string{
		fmt.Sprint(v), fmt.Sprintf("%v %+v %#v %s %q %x", v, v, v, v, v, v), fmt.Sprintf("%v %+v %#v", o, o, o), fmt.Sprintf("%+v", &o), log.String(), fmt.Sprint(jerr),
	} {
		if strings.Contains(printed, "13812") || strings.Contains(printed, fmt.Sprintf("%x", "13812345678")) {
			t.Errorf("the value shows in %q", printed)
		}
	}
	if jerr == nil {
		t.Error("a vault is encoded by accident")
	}
	if diff := cmp.Diff("vault of 1 values", v.String()); diff != "" {
		t.Error(diff)
	}
}

func TestVaultIsBounded(t *testing.T) {
	t.Parallel()
	f := newFilter(t, privacy.Rules{})
	v := privacy.NewVault()
	for i := range 1002 {
		got, _ := v.Hide(f, "a", fmt.Sprintf("1381234%04d", i))
		if i >= 1000 && got != fmt.Sprintf("138＊＊＊＊%04d", i) {
			t.Fatalf("value %d: %q", i, got)
		}
	}
	if v.Len() != 1000 {
		t.Error(v.Len())
	}
}
