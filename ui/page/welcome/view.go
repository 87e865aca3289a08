package welcome

import (
	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/ui/live"
	"switchboard/ui/widget"
)

// describe says one finding of a check in words.
func describe(w live.Words, f bridge.Finding) (widget.Tone, string) {
	var args []any
	for name, value := range f.Args {
		args = append(args, name, value)
	}
	key := "finding.dify." + f.Code
	text := i18n.Text(w.Lang, key, args...)
	if text == key {
		text = w.T("finding.unknown", "code", f.Code)
	}
	if f.OK {
		return widget.ToneOK, text
	}
	if _, ok := i18n.Find(w.Lang, key+".next"); ok {
		return widget.ToneError, text + w.T("list.colon") + i18n.Text(w.Lang, key+".next", args...)
	}
	if f.Err != nil {
		return widget.ToneError, text + w.T("list.colon") + w.Explain(f.Err)
	}
	return widget.ToneError, text
}
