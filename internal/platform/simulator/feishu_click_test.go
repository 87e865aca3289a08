package simulator_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
)

// TestFeishuClick presses a button, and gives every kind of answer.
func TestFeishuClick(t *testing.T) {
	t.Parallel()
	l := newLark(t, simulator.Options{})
	vote := card(elements(
		map[string]any{"tag": "markdown", "element_id": "answer", "content": "good?"},
		map[string]any{
			"tag": "button", "text": map[string]any{"tag": "plain_text", "content": "Yes"},
			"behaviors": []any{map[string]any{"type": "callback", "value": map[string]any{"vote": "yes"}}},
		},
		map[string]any{
			"tag": "button", "text": map[string]any{"tag": "plain_text", "content": "More"},
			"behaviors": []any{map[string]any{"type": "open_url", "default_url": "https://example.com"}},
		},
	))
	entity, message := l.shown("li", vote)
	click := func(employee, button, answer string) error {
		l.answers(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) })
		return l.Click(t.Context(), employee, bridge.MessageID(message), button)
	}
	raw := func(c any) string { return toJSON(t, map[string]any{"card": map[string]any{"type": "raw", "data": c}}) }
	thanks := card(elements(map[string]any{"tag": "markdown", "content": "thanks"}))
	for _, c := range []struct {
		name, employee, button, answer string
		good                           bool
	}{
		{"nothing", "li", "Yes", "{}", true},
		{"a toast", "li", "Yes", `{"toast":{"type":"success","content":"OK"}}`, true},
		{"a bad toast", "li", "Yes", `{"toast":{"type":"great","content":"OK"}}`, false},
		{"an empty body", "li", "Yes", ``, false},
		{"the old form", "li", "Yes", toJSON(t, thanks), false},
		{"a card while it grows", "li", "Yes", raw(thanks), false},
		{"somebody else", "zhang", "Yes", "{}", false},
		{"a link", "li", "More", "{}", false},
		{"no such button", "li", "No", "{}", false},
	} {
		if err := click(c.employee, c.button, c.answer); (err == nil) != c.good {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if r := l.settings(entity, `{"streaming_mode":false}`, 1); r.code() != 0 {
		t.Fatal(r.body)
	}
	if err := click("li", "Yes", raw(map[string]any{"elements": []any{}})); err == nil {
		t.Error("a card of version 2.0 becomes one of 1.0")
	}
	if err := click("li", "Yes", raw(thanks)); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"*thanks"}, l.lines("li")); diff != "" {
		t.Error(diff)
	}
	e := l.feishuEvent(l.delivered()[0])
	event, _ := e["event"].(map[string]any)
	header, _ := e["header"].(map[string]any)
	var got struct {
		Operator struct {
			ID string `json:"open_id"`
		}
		Action  struct{ Value map[string]string }
		Context struct {
			Message string `json:"open_message_id"`
		}
	}
	if err := json.Unmarshal([]byte(toJSON(t, event)), &got); err != nil {
		t.Fatal(err)
	}
	created, _ := header["create_time"].(string)
	if header["event_type"] != "card.action.trigger" || len(created) != 16 || got.Operator.ID != l.user("li") || got.Action.Value["vote"] != "yes" || got.Context.Message != message {
		t.Errorf("the click is %v", e)
	}
}
