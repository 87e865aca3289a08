package simulator_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/platform/simulator"
)

// card returns a card of version 2.0.
func card(change func(card map[string]any)) map[string]any {
	c := map[string]any{
		"schema": "2.0", "config": map[string]any{"update_multi": true, "streaming_mode": true, "summary": map[string]any{"content": "…"}},
		"body": map[string]any{"elements": []any{map[string]any{"tag": "markdown", "element_id": "answer", "content": ""}}},
	}
	if change != nil {
		change(c)
	}
	return c
}

func elements(all ...map[string]any) func(map[string]any) {
	return func(c map[string]any) { c["body"] = map[string]any{"elements": all} }
}

// shown makes a card entity and shows it to an employee.
func (l *lark) shown(employee string, c map[string]any) (entity, message string) {
	l.t.Helper()
	entity = l.good(http.MethodPost, "cardkit/v1/cards", map[string]any{"type": "card_json", "data": toJSON(l.t, c)}).text("data.card_id")
	if len(entity) > 20 {
		l.t.Errorf("the card id %q is longer than 20 characters", entity)
	}
	r := l.send(employee, "interactive", `{"type":"card","data":{"card_id":"`+entity+`"}}`, "")
	if r.code() != 0 {
		l.t.Fatal(r.body)
	}
	return entity, r.text("data.message_id")
}

func (l *lark) stream(entity, text string, sequence int) result {
	l.t.Helper()
	return l.do(http.MethodPut, "cardkit/v1/cards/"+entity+"/elements/answer/content", map[string]any{"content": text, "sequence": sequence})
}

func (l *lark) settings(entity, config string, sequence int) result {
	l.t.Helper()
	return l.do(http.MethodPatch, "cardkit/v1/cards/"+entity+"/settings", map[string]any{"settings": `{"config":` + config + `}`, "sequence": sequence})
}

// TestFeishuStreams is the life of an answer: a growing card, its end, and what
// people see of it in between.
func TestFeishuStreams(t *testing.T) {
	t.Parallel()
	l := newLark(t, simulator.Options{})
	id, err := l.Say(t.Context(), "li", feishu, "what is up?")
	if err != nil {
		t.Fatal(err)
	}
	entity, message := l.shown("li", card(nil))
	for n, text := range []string{"You", "You asked", "You asked: what is up?"} {
		if r := l.stream(entity, text, n+2); r.code() != 0 {
			t.Fatal(r.body)
		}
	}
	if diff := cmp.Diff([]string{"what is up?", "*…You asked: what is up?"}, l.lines("li")); diff != "" {
		t.Error(diff)
	}
	if r := l.settings(entity, `{"streaming_mode":false}`, 9); r.code() != 0 {
		t.Fatal(r.body)
	}
	if r := l.stream(entity, "more", 10); r.code() != 300309 {
		t.Errorf("a closed card streams: %s", r.body)
	}
	trace, ok := l.Trace(id)
	if !ok || trace.Tries != 1 || trace.Accepted != 1 || len(trace.Answers) != 1 || trace.Answers[0].ID != message ||
		trace.Answers[0].Growing || trace.Answers[0].Updates != 3 || trace.Answers[0].Text != "You asked: what is up?" {
		t.Errorf("trace %+v", trace)
	}
	if r := l.good(http.MethodPost, "cardkit/v1/cards/id_convert", map[string]string{"message_id": message}); r.text("data.card_id") != entity {
		t.Errorf("the entity of the message is %s", r.body)
	}
	l.noViolations()
}

// TestFeishuCardEdits changes a card in every other way.
func TestFeishuCardEdits(t *testing.T) {
	t.Parallel()
	l := newLark(t, simulator.Options{})
	entity, _ := l.shown("li", card(nil))
	base := "cardkit/v1/cards/" + entity
	button := map[string]any{
		"tag": "button", "element_id": "stop", "text": map[string]any{"tag": "plain_text", "content": "Stop"}, "type": "danger",
		"behaviors": []any{map[string]any{"type": "callback", "value": map[string]any{"a": "stop"}}},
	}
	note := func(id, text string) map[string]any {
		return map[string]any{"tag": "markdown", "element_id": id, "content": text}
	}
	for n, step := range []struct {
		method, path string
		body         map[string]any
		want         string
	}{
		{"PUT", base + "/elements/answer/content", map[string]any{"content": "one"}, "*…one"},
		{"POST", base + "/elements", map[string]any{"type": "append", "elements": toJSON(t, []any{button})}, "*…one\n\n[Stop]"},
		{"POST", base + "/elements", map[string]any{"type": "insert_before", "target_element_id": "answer", "elements": toJSON(t, []any{note("head", "zero")})}, "*…zero\n\none\n\n[Stop]"},
		{"PATCH", base + "/elements/head", map[string]any{"partial_element": `{"content":"nought"}`}, "*…nought\n\none\n\n[Stop]"},
		{"PUT", base + "/elements/head", map[string]any{"element": toJSON(t, note("top", "top"))}, "*…top\n\none\n\n[Stop]"},
		{"DELETE", base + "/elements/stop", map[string]any{}, "*…top\n\none"},
		{"POST", base + "/batch_update", map[string]any{"actions": toJSON(t, []any{
			map[string]any{"action": "delete_elements", "params": map[string]any{"element_ids": []string{"top"}}},
			map[string]any{"action": "partial_update_element", "params": map[string]any{"element_id": "answer", "partial_element": map[string]any{"content": "two"}}},
			map[string]any{"action": "add_elements", "params": map[string]any{"type": "insert_after", "target_element_id": "answer", "elements": []any{note("foot", "three")}}},
			map[string]any{"action": "partial_update_setting", "params": map[string]any{"settings": map[string]any{"config": map[string]any{"streaming_mode": false}}}},
		})}, "*two\n\nthree"},
		{"PUT", base, map[string]any{"card": map[string]any{"type": "card_json", "data": toJSON(t, card(elements(note("end", "the end"))))}}, "*…the end"},
	} {
		step.body["sequence"] = n + 1
		l.good(step.method, step.path, step.body)
		bubbles := l.Bubbles("li")
		got := l.lines("li")[len(bubbles)-1]
		for _, words := range bubbles[len(bubbles)-1].Buttons {
			got += "\n\n[" + words + "]"
		}
		if got != step.want {
			t.Errorf("step %d shows %q, want %q", n, got, step.want)
		}
	}
}

// TestFeishuCardRules breaks every rule of cards once.
func TestFeishuCardRules(t *testing.T) {
	t.Parallel()
	l := newLark(t, simulator.Options{})
	md := func(text string) map[string]any { return map[string]any{"tag": "markdown", "content": text} }
	many := make([]map[string]any, 201)
	for i := range many {
		many[i] = map[string]any{"tag": "hr"}
	}
	table := "|a|b|\n|---|---|\n|1|2|\n\n"
	for name, c := range map[string]struct {
		card map[string]any
		want int
	}{
		"version 1":          {card(func(c map[string]any) { delete(c, "schema") }), 300303},
		"not shared":         {card(func(c map[string]any) { c["config"] = map[string]any{"update_multi": false} }), 300302},
		"empty":              {card(elements()), 300307},
		"unknown field":      {card(func(c map[string]any) { c["elements"] = []any{} }), 200621},
		"unknown config":     {card(func(c map[string]any) { c["config"] = map[string]any{"wide_screen_mode": true} }), 200621},
		"unknown property":   {card(elements(map[string]any{"tag": "markdown", "content": "x", "href": "y"})), 200621},
		"no content":         {card(elements(map[string]any{"tag": "markdown"})), 200621},
		"tag of version 1":   {card(elements(map[string]any{"tag": "action"})), 200861},
		"note of version 1":  {card(elements(map[string]any{"tag": "note"})), 200861},
		"twice the same id":  {card(elements(map[string]any{"tag": "hr", "element_id": "a"}, map[string]any{"tag": "hr", "element_id": "a"})), 300301},
		"a bad id":           {card(elements(map[string]any{"tag": "hr", "element_id": "1a"})), 300312},
		"a long id":          {card(elements(map[string]any{"tag": "hr", "element_id": strings.Repeat("a", 21)})), 300312},
		"an id in a column":  {card(elements(map[string]any{"tag": "column_set", "columns": []any{map[string]any{"tag": "column", "elements": []any{map[string]any{"tag": "hr", "element_id": "-"}}}}})), 300312},
		"too many":           {card(elements(many...)), 300305},
		"an image's address": {card(elements(md("![x](https://example.com/x.png)"))), 200570},
		"an image in code":   {card(elements(md("```\n![x](https://example.com/x.png)\n```"))), 0},
		"an image's key":     {card(elements(md("![x](img_v3_x)"))), 0},
		"four tables":        {card(elements(md(strings.Repeat(table, 4)))), 0},
		"five tables":        {card(elements(md(strings.Repeat(table, 5)))), 11310},
		"six tables in two":  {card(elements(md(strings.Repeat(table, 3)), md(strings.Repeat(table, 3)))), 11310},
		"a button's type":    {card(elements(map[string]any{"tag": "button", "type": "warning"})), 200621},
		"a button's value":   {card(elements(map[string]any{"tag": "button", "value": map[string]any{"a": "b"}})), 200621},
		"a button's link":    {card(elements(map[string]any{"tag": "button", "behaviors": []any{map[string]any{"type": "open_url", "default_url": "javascript:x"}}})), 200621},
		"too large":          {card(elements(md(strings.Repeat("字", 10300)))), 200860},
		"just right":         {card(elements(md(strings.Repeat("字", 10100)))), 0},
	} {
		data := toJSON(t, c.card)
		if r := l.do(http.MethodPost, "cardkit/v1/cards", map[string]any{"type": "card_json", "data": data}); r.code() != c.want {
			t.Errorf("%s: the entity is %s, want %d", name, r.body, c.want)
		}
		if c.card["schema"] == nil || name == "empty" {
			continue // a message may be so
		}
		r, want := l.send("li", "interactive", data, ""), 0
		switch {
		case c.want == 200860:
			want = 230025
		case c.want != 0:
			want = 230099
		}
		if r.code() != want || want == 230099 && !strings.Contains(r.text("msg"), fmt.Sprintf("ErrCode: %d;", c.want)) {
			t.Errorf("%s: the message is %s, want %d", name, r.body, want)
		}
	}
}

// TestFeishuEditRules breaks every rule of changing a card once.
func TestFeishuEditRules(t *testing.T) {
	t.Parallel()
	l := newLark(t, simulator.Options{})
	rule := map[string]any{"tag": "hr", "element_id": "rule"}
	text := map[string]any{"tag": "markdown", "element_id": "answer", "content": ""}
	entity, _ := l.shown("li", card(elements(text, rule)))
	base := "cardkit/v1/cards/" + entity
	content := func(text string, sequence any) map[string]any {
		return map[string]any{"content": text, "sequence": sequence}
	}
	for _, c := range []struct {
		name, method, path string
		body               any
		want               int
	}{
		{"no sequence", "PUT", base + "/elements/answer/content", map[string]any{"content": "x"}, 10002},
		{"negative", "PUT", base + "/elements/answer/content", content("x", -1), 10002},
		{"beyond 32 bits", "PUT", base + "/elements/answer/content", content("x", 1<<31), 10002},
		{"empty", "PUT", base + "/elements/answer/content", content("", 5), 10002},
		{"unknown field", "PUT", base + "/elements/answer/content", map[string]any{"content": "x", "sequence": 5, "text": "x"}, 10002},
		{"a long uuid", "PUT", base + "/elements/answer/content", map[string]any{"content": "x", "sequence": 5, "uuid": strings.Repeat("u", 65)}, 10002},
		{"first", "PUT", base + "/elements/answer/content", map[string]any{"content": "one", "sequence": 5, "uuid": "u"}, 0},
		{"the same again", "PUT", base + "/elements/answer/content", map[string]any{"content": "one", "sequence": 5, "uuid": "u"}, 0},
		{"another under the uuid", "PUT", base + "/elements/answer/content", map[string]any{"content": "two", "sequence": 6, "uuid": "u"}, 200770},
		{"the same sequence", "PUT", base + "/elements/answer/content", content("two", 5), 300317},
		{"a lower sequence", "PATCH", base + "/settings", map[string]any{"settings": `{"config":{}}`, "sequence": 4}, 300317},
		{"no such element", "PUT", base + "/elements/nobody/content", content("x", 6), 300313},
		{"no text", "PUT", base + "/elements/rule/content", content("x", 6), 300310},
		{"no such card", "PUT", "cardkit/v1/cards/1/elements/answer/content", content("x", 6), 200740},
		{"not JSON", "PATCH", base + "/settings", map[string]any{"settings": `config`, "sequence": 6}, 10002},
		{"unknown setting", "PATCH", base + "/settings", map[string]any{"settings": `{"header":{}}`, "sequence": 6}, 10002},
		{"unknown config", "PATCH", base + "/settings", map[string]any{"settings": `{"config":{"wide_screen_mode":true}}`, "sequence": 6}, 200621},
		{"alone", "PATCH", base + "/settings", map[string]any{"settings": `{"config":{"update_multi":false}}`, "sequence": 6}, 300302},
		{"a second with that id", "POST", base + "/elements", map[string]any{"type": "append", "elements": toJSON(t, []any{rule}), "sequence": 6}, 300301},
		{"nowhere", "POST", base + "/elements", map[string]any{"type": "insert_after", "target_element_id": "x", "elements": "[]", "sequence": 6}, 300313},
		{"no such way", "POST", base + "/elements", map[string]any{"type": "prepend", "elements": "[]", "sequence": 6}, 10002},
		{"another tag", "PATCH", base + "/elements/rule", map[string]any{"partial_element": `{"tag":"img"}`, "sequence": 6}, 300314},
		{"no such action", "POST", base + "/batch_update", map[string]any{"actions": `[{"action":"x","params":{}}]`, "sequence": 6}, 10002},
		{"the last one", "DELETE", base + "/elements/rule", map[string]any{"sequence": 6}, 0},
		{"too large", "PUT", base + "/elements/answer/content", content(strings.Repeat("字", 10300), 7), 200860},
		{"not a card", "PUT", base, map[string]any{"card": map[string]any{"type": "template", "data": "{}"}, "sequence": 7}, 10002},
	} {
		if r := l.do(c.method, c.path, c.body); r.code() != c.want {
			t.Errorf("%s: %s, want %d", c.name, r.body, c.want)
		}
	}
	if got := l.lines("li"); !cmp.Equal(got, []string{"*…one"}) {
		t.Errorf("what was refused shows: %q", got)
	}
}

// TestFeishuCardAges lets the streaming mode and the card itself end.
func TestFeishuCardAges(t *testing.T) {
	t.Parallel()
	l := newLark(t, simulator.Options{})
	entity, _ := l.shown("li", card(nil))
	age := func(d time.Duration) {
		if err := l.Advance(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		l.renew()
	}
	age(9 * time.Minute)
	if r := l.stream(entity, "in time", 1); r.code() != 0 {
		t.Error(r.body)
	}
	age(time.Minute + time.Second)
	if r := l.stream(entity, "too late", 2); r.code() != 200850 {
		t.Errorf("after ten minutes: %s", r.body)
	}
	if r := l.settings(entity, `{"streaming_mode":true}`, 3); r.code() != 0 {
		t.Error(r.body)
	}
	if r := l.stream(entity, "again", 4); r.code() != 0 {
		t.Errorf("opened again: %s", r.body)
	}
	age(14 * 24 * time.Hour)
	if r := l.stream(entity, "much too late", 5); r.code() != 200750 {
		t.Errorf("after two weeks: %s", r.body)
	}
}
