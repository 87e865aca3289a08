package assets

import (
	"embed"
	"encoding/json"
	"fmt"
	"image/color"
	"sync"
)

//go:embed fonts/NotoSansSC-Regular.otf
var regular []byte

//go:embed fonts/NotoSansSC-Bold.otf
var bold []byte

//go:embed fonts/NotoSansMono-Latin.otf
var mono []byte

//go:embed icons
var icons embed.FS

//go:embed platforms.json
var platforms []byte

// Regular returns the face for everything: Latin and 9,409 Chinese characters.
func Regular() []byte { return regular }

// Bold returns the bold face with the same characters.
func Bold() []byte { return bold }

// Mono returns the face for ids, addresses and keys; it is Latin only.
func Mono() []byte { return mono }

// Icon returns an icon by its file name, for example "app.svg". A name that
// does not exist returns nothing; every name in use is covered by a test.
func Icon(name string) []byte {
	data, err := icons.ReadFile("icons/" + name)
	if err != nil {
		return nil
	}
	return data
}

// tints reads the embedded file once; it cannot change.
var tints = sync.OnceValue(func() map[string]color.NRGBA { //nolint:gochecknoglobals // a memoised pure function
	var raw map[string]struct{ Tint string }
	if err := json.Unmarshal(platforms, &raw); err != nil {
		panic(err) // embedded at build time and read by every test
	}
	all := map[string]color.NRGBA{}
	for p, r := range raw {
		all[p] = Hex(r.Tint)
	}
	return all
})

// Tint returns the colour a platform is marked with. White text is readable on
// it, and it stands out on light and dark backgrounds. It is a colour of ours,
// not the platform's trademark.
func Tint(platform string) color.NRGBA {
	if c, ok := tints()[platform]; ok {
		return c
	}
	return Hex("#6B7280")
}

// Hex reads a colour written as #RRGGBB; anything else is black.
func Hex(s string) color.NRGBA {
	c := color.NRGBA{A: 0xFF}
	_, _ = fmt.Sscanf(s, "#%02x%02x%02x", &c.R, &c.G, &c.B)
	return c
}
