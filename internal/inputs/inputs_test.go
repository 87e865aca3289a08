package inputs_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/inputs"
)

func layers(route, bot, agent, person map[string]string) []inputs.Layer {
	return []inputs.Layer{
		{From: bridge.InputByRoute, Values: route},
		{From: bridge.InputByBot, Values: bot},
		{From: bridge.InputByAgent, Values: agent},
		{From: bridge.InputByPerson, Values: person},
	}
}

type values = map[string]string

// TestOrder: the rule goes before the bot, the bot before the agent, that before
// what is known of the person, and the app's own default comes last.
func TestOrder(t *testing.T) {
	t.Parallel()
	in := bridge.Input{Name: "city", Kind: bridge.InputText, Default: "Rome"}
	needed := in
	needed.Required, needed.Default = true, ""
	for _, c := range []struct {
		in                       bridge.Input
		route, bot, agent, known values
		want                     bridge.InputValue
	}{
		{in, values{"city": "a"}, values{"city": "b"}, values{"city": "c"}, values{"city": "d"}, bridge.InputValue{From: bridge.InputByRoute, Text: "a"}},
		{in, values{"town": "a"}, values{"city": "b"}, values{"city": "c"}, values{"city": "d"}, bridge.InputValue{From: bridge.InputByBot, Text: "b"}},
		{in, nil, nil, values{"city": "c"}, values{"city": "d"}, bridge.InputValue{From: bridge.InputByAgent, Text: "c"}},
		{in, nil, nil, nil, values{"city": "d"}, bridge.InputValue{From: bridge.InputByPerson, Text: "d"}},
		{in, nil, nil, nil, values{"city": ""}, bridge.InputValue{From: bridge.InputByApp, Text: "Rome"}},
		{in, nil, values{"city": ""}, values{"city": "c"}, values{"city": "d"}, bridge.InputValue{From: bridge.InputByBot}},
		{needed, nil, nil, nil, values{"city": ""}, bridge.InputValue{Trouble: bridge.InputMissing}},
		{needed, values{"city": ""}, nil, nil, values{"city": "d"}, bridge.InputValue{From: bridge.InputByRoute, Trouble: bridge.InputMissing}},
	} {
		c.want.Input = c.in
		got := inputs.Fill([]bridge.Input{c.in}, layers(c.route, c.bot, c.agent, c.known)...)
		if diff := cmp.Diff([]bridge.InputValue{c.want}, got); diff != "" {
			t.Errorf("%v %v %v %v: %s", c.route, c.bot, c.agent, c.known, diff)
		}
	}
}

// TestValues: what fits is sent as the app wants it; what does not is a trouble of
// the settings, and of a person just not known.
func TestValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind    bridge.InputKind
		text    string
		want    any
		trouble bridge.InputTrouble
	}{
		{bridge.InputText, "Berlin", "Berlin", ""},
		{bridge.InputText, "北京市朝阳区", nil, bridge.InputTooLong},
		{bridge.InputParagraph, "北京市朝", "北京市朝", bridge.InputTooLong},
		{bridge.InputNumber, "-7.5", json.Number("-7.5"), ""},
		{bridge.InputNumber, " 7 ", json.Number("7"), ""},
		{bridge.InputNumber, "seven", nil, bridge.InputNoNumber},
		{bridge.InputNumber, "0x10", nil, bridge.InputNoNumber},
		{bridge.InputNumber, "Inf", nil, bridge.InputNoNumber},
		{bridge.InputNumber, "1e999", nil, bridge.InputNoNumber},
		{bridge.InputSelect, "b", "b", ""},
		{bridge.InputSelect, "B", nil, bridge.InputNoOption},
		{bridge.InputCheckbox, "true", true, ""},
		{bridge.InputCheckbox, "false", false, ""},
		{bridge.InputCheckbox, "yes", nil, bridge.InputNoFlag},
		{bridge.InputJSON, `{"a":1}`, json.RawMessage(`{"a":1}`), ""},
		{bridge.InputJSON, `[1]`, nil, bridge.InputNoJSON},
		{bridge.InputFile, "f1", nil, bridge.InputByFile},
	} {
		in := bridge.Input{Name: "x", Kind: c.kind, Options: []string{"a", "b"}}
		if c.trouble == bridge.InputTooLong {
			in.MaxLength = 3
			c.want = nil
		}
		got := inputs.Fill([]bridge.Input{in}, layers(values{"x": c.text}, nil, nil, nil)...)[0]
		value, sent := inputs.Value(got)
		if diff := cmp.Diff(c.want, value); diff != "" || sent != (c.want != nil) || got.Trouble != c.trouble {
			t.Errorf("%s %q: %v sent %v, trouble %q", c.kind, c.text, value, sent, got.Trouble)
		}
		known := inputs.Fill([]bridge.Input{in}, layers(nil, nil, nil, values{"x": c.text})...)[0]
		if known.Trouble != "" || c.trouble != "" && c.trouble != bridge.InputTooLong && known.Text != "" {
			t.Errorf("%s %q: of a person it is %+v", c.kind, c.text, known)
		}
	}
	in := bridge.Input{Name: "x", Kind: bridge.InputText, MaxLength: 3}
	if got := inputs.Fill([]bridge.Input{in}, layers(nil, nil, nil, values{"x": "王小明明"})...)[0]; got.Text != "王小明" {
		t.Errorf("a long name becomes %+v", got)
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	form := []bridge.Input{
		{Name: "a", Label: "City", Kind: bridge.InputText, Required: true},
		{Name: "b", Kind: bridge.InputSelect, Options: []string{"x"}, Required: true},
		{Name: "c", Kind: bridge.InputText},
		{Name: "d", Kind: bridge.InputFile, Required: true}, // comes with the message
		{Name: "e", Kind: bridge.InputCheckbox, Required: true},
		{Name: "f", Kind: bridge.InputNumber, Required: true, Default: "3"},
	}
	all := inputs.Fill(form, layers(values{"b": "y"}, nil, nil, nil)...)
	if got := strings.Join(inputs.Names(inputs.Missing(all)), " "); got != "City b" {
		t.Errorf("missing %s", got)
	}
	if v, ok := inputs.Value(all[4]); v != false || !ok {
		t.Errorf("a box nobody ticked is %v", v)
	}
}
