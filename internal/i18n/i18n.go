package i18n

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"switchboard/internal/bridge"
)

//go:embed catalog
var files embed.FS

// catalogs reads the embedded files once; they cannot change.
var catalogs = sync.OnceValue(func() map[bridge.Language]map[string]string { //nolint:gochecknoglobals // a memoised pure function
	all := map[bridge.Language]map[string]string{}
	for lang, dir := range map[bridge.Language]string{bridge.Chinese: "zh", bridge.English: "en"} {
		words, err := read(dir)
		if err != nil {
			panic(err) // embedded at build time and read by every test
		}
		all[lang] = words
	}
	return all
})

func read(dir string) (map[string]string, error) {
	words := map[string]string{}
	names, err := fs.Glob(files, path.Join("catalog", dir, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("i18n: %w", err)
	}
	for _, name := range names {
		data, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("i18n: %w", err)
		}
		var part map[string]string
		if err := json.Unmarshal(data, &part); err != nil {
			return nil, fmt.Errorf("i18n: %s: %w", name, err)
		}
		for key, text := range part {
			if _, twice := words[key]; twice {
				return nil, fmt.Errorf("i18n: %s: %q is there twice", name, key)
			}
			words[key] = text
		}
	}
	return words, nil
}

// Text returns the text of a key with its placeholders filled. Args are pairs
// of name and value. A key without a text returns the key itself, so that a
// missing word is seen and found rather than hidden.
func Text(lang bridge.Language, key string, args ...any) string {
	text, ok := Find(lang, key)
	if !ok {
		return key
	}
	return fill(text, args)
}

// Find returns the text of a key as it is written, and whether there is one.
func Find(lang bridge.Language, key string) (string, bool) {
	all := catalogs()
	words, ok := all[lang]
	if !ok {
		words = all[bridge.English]
	}
	text, ok := words[key]
	return text, ok
}

// Keys returns every key of a language, sorted.
func Keys(lang bridge.Language) []string {
	return slices.Sorted(maps.Keys(catalogs()[lang]))
}

func fill(text string, args []any) string {
	if len(args) < 2 || !strings.Contains(text, "{") {
		return text
	}
	pairs := make([]string, 0, len(args))
	for i := 0; i+1 < len(args); i += 2 {
		pairs = append(pairs, "{"+fmt.Sprint(args[i])+"}", fmt.Sprint(args[i+1]))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// Parse turns a locale name such as "zh_CN.UTF-8", "zh-Hans" or "en" into a
// language; anything that is not Chinese is English.
func Parse(locale string) bridge.Language {
	l := strings.ToLower(strings.TrimSpace(locale))
	if l == "zh" || strings.HasPrefix(l, "zh_") || strings.HasPrefix(l, "zh-") {
		return bridge.Chinese
	}
	return bridge.English
}

// Guess tells the language of a text somebody wrote: Chinese when a fair part
// of its letters are Chinese, otherwise English. A text without letters, such
// as a number or an emoji, returns the fallback.
func Guess(text string, fallback bridge.Language) bridge.Language {
	han, other := 0, 0
	for _, r := range text {
		switch {
		case r >= 0x4E00 && r <= 0x9FFF || r >= 0x3400 && r <= 0x4DBF:
			han++
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z':
			other++
		}
	}
	switch {
	case han == 0 && other == 0:
		return fallback
	case han*4 >= other: // a Chinese sentence may quote an English name
		return bridge.Chinese
	default:
		return bridge.English
	}
}
