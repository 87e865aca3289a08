package settings_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/settings"
)

func TestOutline(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"agents:\n  - {id: help, kind: dify, timeout: 5m, max_concurrent: 3}": "agents:\n  - {id: (4 characters), kind: dify, timeout: 5m, max_concurrent: 3}",
		"base_url: https://dify.corp:8443/v1":                                 "base_url: (25 characters)",
		"language: \"auto\" # my key is app-1234":                             "language: \"auto\" #",
		"password: 12345": "password: (5 characters)",
		"api_key: true":   "api_key: (4 characters)",
		"secrets: {bot/fs/app_secret: env:FEISHU, tunnel/authtoken: keyring}": "secrets: {bot/fs/app_secret: env:FEISHU, tunnel/authtoken: keyring}",
		"  bot/fs/app_secret: \"a b: c\"":                                     "  bot/fs/app_secret: (6 characters)",
		"  bot/fs/app_secret: file:/home/lin/key":                             "  bot/fs/app_secret: (18 characters)",
		"  bot/fs/app_secret: env:lower":                                      "  bot/fs/app_secret: (9 characters)",
		"app-Zq81kkWv02mmPd: x":                                               "(18 characters): (1 characters)",
		"0123456789abcdef0123: x":                                             "(20 characters): (1 characters)",
		"reply: 您好 'unfinished":                                               "reply: (2 characters) (10 characters)",
		"on: yes\r\nx: [":                                                     "on: (3 characters)\nx: [",
		"":                                                                    "",
	} {
		if diff := cmp.Diff(want, strings.TrimSuffix(settings.Outline(text, []string{"dify", "auto"}), "\n")); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}
