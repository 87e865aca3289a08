package inputs

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"switchboard/internal/bridge"
)

// Layer is a place where values come from.
type Layer struct {
	From   bridge.InputSource
	Values map[string]string
}

// Fill gives each variable of a form the value of the first layer that has one.
// An empty value of the settings is the wish to send none; what is not known of a
// person is just that. Of a person, only what fits counts.
func Fill(form []bridge.Input, layers ...Layer) []bridge.InputValue {
	all := make([]bridge.InputValue, 0, len(form))
	for _, in := range form {
		all = append(all, fill(in, layers))
	}
	return all
}

func fill(in bridge.Input, layers []Layer) bridge.InputValue {
	for _, l := range layers {
		text, have := l.Values[in.Name]
		person := l.From == bridge.InputByPerson
		if !have || person && text == "" {
			continue
		}
		if text == "" {
			return absent(in, l.From)
		}
		if person && in.MaxLength > 0 {
			text = cut(text, in.MaxLength)
		}
		trouble := Check(in, text)
		if person && trouble != "" {
			continue
		}
		return bridge.InputValue{Input: in, From: l.From, Text: text, Trouble: trouble}
	}
	switch {
	case in.Default != "":
		return bridge.InputValue{Input: in, From: bridge.InputByApp, Text: in.Default}
	case in.Kind == bridge.InputCheckbox && in.Required: // a box nobody has ticked
		return bridge.InputValue{Input: in, From: bridge.InputByApp, Text: "false"}
	}
	return absent(in, "")
}

// absent is no value, which is a trouble where one is required. Files come with
// the message.
func absent(in bridge.Input, from bridge.InputSource) bridge.InputValue {
	v := bridge.InputValue{Input: in, From: from}
	if in.Required && in.Kind != bridge.InputFile {
		v.Trouble = bridge.InputMissing
	}
	return v
}

func cut(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most])
	}
	return text
}

// Check says what is wrong with a value, "" when nothing is.
func Check(in bridge.Input, text string) bridge.InputTrouble {
	switch in.Kind {
	case bridge.InputSelect:
		if !slices.Contains(in.Options, text) {
			return bridge.InputNoOption
		}
	case bridge.InputNumber:
		if _, ok := number(text); !ok {
			return bridge.InputNoNumber
		}
	case bridge.InputCheckbox:
		if text != "true" && text != "false" {
			return bridge.InputNoFlag
		}
	case bridge.InputJSON:
		var object map[string]any
		if json.Unmarshal([]byte(text), &object) != nil {
			return bridge.InputNoJSON
		}
	case bridge.InputFile:
		return bridge.InputByFile
	case bridge.InputText, bridge.InputParagraph:
		if in.MaxLength > 0 && utf8.RuneCountInString(text) > in.MaxLength {
			return bridge.InputTooLong
		}
	}
	return ""
}

// number reads what JSON takes for a number.
func number(text string) (json.Number, bool) {
	text = strings.TrimSpace(text)
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) || !json.Valid([]byte(text)) {
		return "", false
	}
	return json.Number(text), true
}

// Value is a value as it is sent; false when there is none to send.
func Value(v bridge.InputValue) (any, bool) {
	if v.Text == "" || v.Trouble != "" || Check(v.Input, v.Text) != "" {
		return nil, false
	}
	switch v.Input.Kind {
	case bridge.InputNumber:
		return number(v.Text)
	case bridge.InputCheckbox:
		return v.Text == "true", true
	case bridge.InputJSON:
		return json.RawMessage(v.Text), true
	case bridge.InputText, bridge.InputParagraph, bridge.InputSelect, bridge.InputFile:
	}
	return v.Text, true
}

// Missing lists those that are required and have no value that can be sent.
func Missing(all []bridge.InputValue) []bridge.Input {
	var missing []bridge.Input
	for _, v := range all {
		if _, sent := Value(v); v.Input.Required && v.Input.Kind != bridge.InputFile && !sent {
			missing = append(missing, v.Input)
		}
	}
	return missing
}

// Names writes inputs for people, by their labels where they have some.
func Names(all []bridge.Input) []string {
	names := make([]string, 0, len(all))
	for _, in := range all {
		name := in.Label
		if name == "" {
			name = in.Name
		}
		names = append(names, name)
	}
	return names
}
