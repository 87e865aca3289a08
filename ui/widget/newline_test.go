package widget_test

import (
	"strings"
	"testing"

	"switchboard/ui/widget"
)

func TestChatKeepsItsLines(t *testing.T) {
	tests := map[string]struct{ source, want string }{
		"bullets of a platform": {"Steps:\n• one\n• two", "Steps:\n• one\n• two"},
		"after bold":            {"**Steps**\none", "Steps\none"},
		"code stays":            {"```\na\nb\n```", "a\nb"},
		"heading stays":         {"# Steps\none", "Steps|one"},
		"paragraphs stay":       {"one\n\ntwo", "one|two"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			text := widget.NewText(true)
			window(t, text, 300, 200)
			text.Set(tt.source)
			var b strings.Builder
			for _, s := range text.Rich().Segments {
				b.WriteString(s.Textual())
				if !s.Inline() {
					b.WriteString("|")
				}
			}
			if got := strings.Trim(b.String(), "|\n"); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if text.Source() != tt.source {
				t.Error("the source was changed")
			}
		})
	}
}
