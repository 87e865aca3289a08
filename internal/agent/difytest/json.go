package difytest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
)

// object is a JSON object that keeps its order: key, value, key, value … The
// server's order is not one of the alphabet.
type object []any

// with returns the object with more at its end.
func (o object) with(more ...any) object { return append(o[:len(o):len(o)], more...) }

// get returns the value of a key, or nil.
func (o object) get(key string) any {
	for i := 0; i+1 < len(o); i += 2 {
		if o[i] == key {
			return o[i+1]
		}
	}
	return nil
}

// writer writes JSON in one of the two ways the server has.
type writer struct {
	comma, colon string
	ascii        bool
}

// compact is how events are written.
func compact(v any) string { return writer{",", ":", false}.text(v) }

// spaced is how everything else is.
func spaced(v any) string { return writer{", ", ": ", true}.text(v) }

func (w writer) text(v any) string {
	switch v := v.(type) {
	case object:
		var all []string
		for i := 0; i+1 < len(v); i += 2 {
			all = append(all, w.text(v[i])+w.colon+w.text(v[i+1]))
		}
		return "{" + strings.Join(all, w.comma) + "}"
	case []any:
		var all []string
		for _, one := range v {
			all = append(all, w.text(one))
		}
		return "[" + strings.Join(all, w.comma) + "]"
	case string:
		return w.quote(v)
	case float64:
		text := strconv.FormatFloat(v, 'f', -1, 64)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		return text
	case nil:
		return "null"
	default: // a number, a bool
		return fmt.Sprint(v)
	}
}

func (w writer) quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case strings.ContainsRune("\"\\\n\r\t\b\f", r):
			b.WriteString(map[rune]string{'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\b': `\b`, '\f': `\f`}[r])
		case r > 0xffff && w.ascii:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		case r < ' ' || r > '~'+1 && w.ascii:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// parse reads JSON and keeps its order.
func parse(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	v, err := value(d)
	if err == nil && d.More() {
		err = fmt.Errorf("difytest: more than one value")
	}
	return v, err
}

func value(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil || token != json.Delim('{') && token != json.Delim('[') {
		return token, err
	}
	var all []any
	for d.More() {
		v, err := value(d)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	if _, err := d.Token(); err != nil { // the end
		return nil, err
	}
	if token == json.Delim('{') {
		return object(all), nil
	}
	return all, nil
}

// repr is a value as Python shows it.
func repr(v any) string {
	var all []string
	switch v := v.(type) {
	case object:
		for i := 0; i+1 < len(v); i += 2 {
			all = append(all, repr(v[i])+": "+repr(v[i+1]))
		}
		return "{" + strings.Join(all, ", ") + "}"
	case []any:
		for _, one := range v {
			all = append(all, repr(one))
		}
		return "[" + strings.Join(all, ", ") + "]"
	case string:
		return "'" + strings.ReplaceAll(v, "'", `\'`) + "'"
	case bool:
		return map[bool]string{true: "True", false: "False"}[v]
	case nil:
		return "None"
	default:
		return fmt.Sprint(v)
	}
}

// typeName is the name of the type of a value in Python.
func typeName(v any) string {
	switch v := v.(type) {
	case object:
		return "dict"
	case []any:
		return "list"
	case string:
		return "str"
	case bool:
		return "bool"
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return "float"
		}
		return "int"
	default:
		return "NoneType"
	}
}
