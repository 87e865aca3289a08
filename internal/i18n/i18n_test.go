package i18n_test

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
)

func TestLanguagesHaveTheSameWords(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff(i18n.Keys(bridge.English), i18n.Keys(bridge.Chinese)); diff != "" {
		t.Error(diff)
	}
	holes := regexp.MustCompile(`\{[a-z_]+\}`)
	for _, key := range i18n.Keys(bridge.English) {
		var found [2][]string
		for i, lang := range []bridge.Language{bridge.English, bridge.Chinese} {
			text, _ := i18n.Find(lang, key)
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s: %q is empty", lang, key)
			}
			found[i] = holes.FindAllString(text, -1)
			slices.Sort(found[i])
			found[i] = slices.Compact(found[i])
		}
		if diff := cmp.Diff(found[0], found[1]); diff != "" {
			t.Errorf("%s: placeholders differ: %s", key, diff)
		}
	}
}

func TestEveryKindHasWords(t *testing.T) {
	t.Parallel()
	for _, lang := range []bridge.Language{bridge.English, bridge.Chinese} {
		for _, kind := range bridge.Kinds() {
			e := i18n.Explain(lang, &bridge.Error{Kind: kind})
			if strings.HasPrefix(e.What, "error.") || e.Next == "" {
				t.Errorf("%s: %s: %+v", lang, kind, e)
			}
		}
		for _, kind := range bridge.EntryKinds() {
			if _, ok := i18n.Find(lang, "entry."+string(kind)); !ok {
				t.Errorf("%s: no words for entry %s", lang, kind)
			}
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	if got := i18n.Text(bridge.English, "reply.working", "tool", "search"); got != "Working with search…" {
		t.Error(got)
	}
	if got := i18n.Text("fr", "reply.thinking"); got != "Thinking…" {
		t.Error(got)
	}
	if got := i18n.Text(bridge.Chinese, "no.such.key"); got != "no.such.key" {
		t.Error(got)
	}
}

func TestExplainTakesTheMostExact(t *testing.T) {
	t.Parallel()
	exact := i18n.Explain(bridge.English, &bridge.Error{Kind: bridge.KindNotFound, Op: "secret: x", Code: "missing_env", Args: map[string]string{"name": "N", "where": "W"}})
	if !strings.Contains(exact.What, "variable W for N") {
		t.Error(exact)
	}
	general := i18n.Explain(bridge.English, errors.New("boom"))
	if general.What != i18n.Text(bridge.English, "error.internal") || strings.Contains(general.String(), "boom") {
		t.Error(general)
	}
}

func TestParseAndGuess(t *testing.T) {
	t.Parallel()
	for locale, want := range map[string]bridge.Language{"zh_CN.UTF-8": bridge.Chinese, "zh-Hans": bridge.Chinese, "ZH": bridge.Chinese, "en_US": bridge.English, "C": bridge.English, "": bridge.English, "zhuang": bridge.English} {
		if got := i18n.Parse(locale); got != want {
			t.Errorf("Parse(%q) = %s", locale, got)
		}
	}
	for text, want := range map[string]bridge.Language{"怎么用 Switchboard？": bridge.Chinese, "What is the 总机 app good for?": bridge.English, "12345": "xx", "": "xx", "👍": "xx"} {
		if got := i18n.Guess(text, "xx"); got != want {
			t.Errorf("Guess(%q) = %s", text, got)
		}
	}
}
