package assets_test

import (
	"strings"
	"testing"

	"golang.org/x/image/font/sfnt"

	"switchboard/assets"
	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
)

// TestEveryWordHasGlyphs draws nothing but looks every character of both
// catalogues up in the faces they are shown with.
func TestEveryWordHasGlyphs(t *testing.T) {
	t.Parallel()
	for name, data := range map[string][]byte{"regular": assets.Regular(), "bold": assets.Bold()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			has := glyphs(t, data)
			for _, lang := range []bridge.Language{bridge.Chinese, bridge.English} {
				for _, key := range i18n.Keys(lang) {
					text := i18n.Text(lang, key)
					for _, r := range text {
						if !has(r) && !emoji(r) && r != '\n' {
							t.Errorf("%s %s: no glyph for %q (%U)", lang, key, r, r)
						}
					}
				}
			}
			for _, r := range "珺玥喆堃昇旻骉翀龘，。“”￥①→\u200A" {
				if r != '龘' && !has(r) {
					t.Errorf("no glyph for %q (%U)", r, r)
				}
			}
		})
	}
}

func TestMonoIsForAddresses(t *testing.T) {
	t.Parallel()
	has := glyphs(t, assets.Mono())
	for _, r := range "https://a.example/hook/x-1?y=Z&_~…+{}" {
		if !has(r) {
			t.Errorf("no glyph for %q", r)
		}
	}
	if has('中') {
		t.Error("the face for addresses was meant to stay small")
	}
}

// TestHairSpaceHasNoWidth guards the trick that lets lines of Chinese end.
func TestHairSpaceHasNoWidth(t *testing.T) {
	t.Parallel()
	font, err := sfnt.Parse(assets.Regular())
	if err != nil {
		t.Fatal(err)
	}
	var buf sfnt.Buffer
	glyph, err := font.GlyphIndex(&buf, '\u200A')
	if err != nil || glyph == 0 {
		t.Fatal("no hair space", err)
	}
	advance, err := font.GlyphAdvance(&buf, glyph, 1000<<6, 0)
	if err != nil || advance != 0 {
		t.Errorf("advance %v, %v; want 0", advance, err)
	}
}

func TestIcon(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"app.svg", "tray-ok.svg", "tray-paused.svg", "state-busy.svg"} {
		svg := string(assets.Icon(name))
		if !strings.HasPrefix(svg, "<svg") {
			t.Errorf("%s is no SVG", name)
		}
		// The toolkit does not scale the width of strokes.
		if strings.Contains(svg, "stroke-width") {
			t.Errorf("%s has strokes", name)
		}
	}
	if assets.Icon("none.svg") != nil {
		t.Error("an icon out of nothing")
	}
}

func TestTint(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, p := range []string{"feishu", "wecom", "dingtalk", "unheard of"} {
		c := assets.Tint(p)
		key := string([]byte{c.R, c.G, c.B})
		if other, twice := seen[key]; twice {
			t.Errorf("%s looks like %s", p, other)
		}
		seen[key] = p
		if c.A != 0xFF {
			t.Errorf("%s is transparent", p)
		}
	}
}

func TestHex(t *testing.T) {
	t.Parallel()
	if c := assets.Hex("#0A10FF"); c.R != 0x0A || c.G != 0x10 || c.B != 0xFF || c.A != 0xFF {
		t.Errorf("got %v", c)
	}
	if c := assets.Hex("nonsense"); c.R != 0 || c.A != 0xFF {
		t.Errorf("got %v", c)
	}
}

func glyphs(t *testing.T, data []byte) func(rune) bool {
	t.Helper()
	font, err := sfnt.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	var buf sfnt.Buffer
	return func(r rune) bool {
		glyph, err := font.GlyphIndex(&buf, r)
		return err == nil && glyph != 0
	}
}

// emoji come from the toolkit's own face.
func emoji(r rune) bool { return r >= 0x1F000 || r == 0xFE0F || r >= 0x2600 && r <= 0x27BF }
