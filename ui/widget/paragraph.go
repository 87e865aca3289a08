package widget

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// NewParagraph makes wrapped text without the padding of a label.
func NewParagraph(text string) fyne.CanvasObject {
	return Tight(wrapped(text, theme.ColorNameForeground))
}

// NewQuiet makes wrapped text in the quiet colour.
func NewQuiet(text string) fyne.CanvasObject { return Tight(wrapped(text, theme.ColorNamePlaceHolder)) }

func wrapped(text string, color fyne.ThemeColorName) *widget.RichText {
	rich := widget.NewRichText(&widget.TextSegment{Text: Breakable(text), Style: widget.RichTextStyle{ColorName: color, SizeName: theme.SizeNameText}})
	rich.Wrapping = fyne.TextWrapWord
	return rich
}

// Tight takes away the padding the toolkit puts around text.
func Tight(o fyne.CanvasObject) fyne.CanvasObject { return container.New(tightLayout{}, o) }

type tightLayout struct{}

// Layout implements fyne.Layout.
func (tightLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	p := theme.InnerPadding()
	for _, o := range objects {
		o.Resize(size.AddWidthHeight(2*p, 2*p))
		o.Move(fyne.NewPos(-p, -p))
	}
}

// MinSize implements fyne.Layout.
func (tightLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	p := theme.InnerPadding()
	var s fyne.Size
	for _, o := range objects {
		s = s.Max(o.MinSize().SubtractWidthHeight(2*p, 2*p))
	}
	return s
}

// Text is wrapped text that can change: plain, or Markdown as agents write it.
type Text struct {
	widget.BaseWidget
	rich     *widget.RichText
	tight    fyne.CanvasObject
	source   string
	markdown bool
}

// NewText makes an empty text; with markdown its source is rendered.
func NewText(markdown bool) *Text {
	t := &Text{rich: widget.NewRichText(), markdown: markdown}
	t.rich.Wrapping = fyne.TextWrapWord
	t.tight = Tight(t.rich)
	t.ExtendBaseWidget(t)
	return t
}

// Set changes the text.
func (t *Text) Set(source string) {
	if source == t.source {
		return
	}
	t.source = source
	if !t.markdown {
		t.rich.Segments = []widget.RichTextSegment{&widget.TextSegment{Text: Breakable(source), Style: widget.RichTextStyleInline}}
		t.rich.Refresh()
		return
	}
	t.rich.ParseMarkdown(keepLines(source))
	calm(t.rich.Segments)
	t.rich.Segments = trim(t.rich.Segments)
	t.rich.Refresh()
}

// Source returns the text as it was set.
func (t *Text) Source() string { return t.source }

// CreateRenderer implements fyne.Widget.
func (t *Text) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(t.tight) }

// calm makes headings small enough for a chat, keeps Chinese out of the
// monospace face, which has none, and lets its lines end.
func calm(segments []widget.RichTextSegment) {
	pull(segments)
	for _, s := range segments {
		switch s := s.(type) {
		case *widget.TextSegment:
			if s.Style.SizeName == theme.SizeNameHeadingText || s.Style.SizeName == theme.SizeNameSubHeadingText {
				s.Style.SizeName = theme.SizeNameText
				s.Style.TextStyle.Bold = true
			}
			if strings.ContainsFunc(s.Text, chinese) {
				s.Style.TextStyle.Monospace = false
			}
			s.Text = Breakable(breakLines(s.Text))
		case *widget.ListSegment:
			calm(s.Items)
		case *widget.ParagraphSegment:
			calm(s.Texts)
		}
	}
}

// pull moves a closing sign at the start of a run of text to the end of the run
// before it, so that it cannot start a line.
func pull(segments []widget.RichTextSegment) {
	for i := 1; i < len(segments); i++ {
		before, ok := segments[i-1].(*widget.TextSegment)
		here, also := segments[i].(*widget.TextSegment)
		if !ok || !also || !before.Style.Inline || before.Text == "" || before.Style.TextStyle.Monospace {
			continue
		}
		rest := strings.TrimLeft(here.Text, closing)
		before.Text += here.Text[:len(here.Text)-len(rest)]
		here.Text = rest
	}
}

// trim drops the empty line Markdown ends with.
func trim(segments []widget.RichTextSegment) []widget.RichTextSegment {
	for len(segments) > 0 {
		last, ok := segments[len(segments)-1].(*widget.TextSegment)
		if !ok || last.Text != "" {
			break
		}
		segments = segments[:len(segments)-1]
	}
	return segments
}
