package i18n

import (
	"errors"
	"strings"

	"switchboard/internal/bridge"
)

// Explanation is an error in words for people: what happened, and what to do.
type Explanation struct{ What, Next string }

// String joins the two sentences.
func (e Explanation) String() string {
	if e.Next == "" {
		return e.What
	}
	return e.What + " " + e.Next
}

// Explain says in words what an error means for the admin. It takes the most
// exact text there is: "error.<platform>.<code>", the platform being what stands
// before the colon in Op, otherwise "error.<kind>"; each with an optional
// "….next" for the next step.
func Explain(lang bridge.Language, err error) Explanation {
	var e *bridge.Error
	if !errors.As(err, &e) {
		e = &bridge.Error{Kind: bridge.KindOf(err), Err: err}
	}
	args := []any{"code", e.Code, "detail", e.Detail, "op", e.Op}
	for name, value := range e.Args {
		args = append(args, name, value)
	}
	key := "error." + string(e.Kind)
	if where, _, found := strings.Cut(e.Op, ":"); found && e.Code != "" {
		exact := "error." + where + "." + e.Code
		if _, ok := Find(lang, exact); ok {
			key = exact
		}
	}
	next := ""
	if _, ok := Find(lang, key+".next"); ok {
		next = Text(lang, key+".next", args...)
	}
	return Explanation{Text(lang, key, args...), next}
}
