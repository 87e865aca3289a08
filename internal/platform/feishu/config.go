package feishu

import (
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"

	"switchboard/internal/bridge"
)

// The modes. In webhook mode Feishu posts events to an address of ours.
const modeWebhook bridge.ModeID = "webhook"

// The keys of the settings and secrets.
const (
	keyAppID             = "app_id"
	keyAppSecret         = "app_secret"
	keyBaseURL           = "base_url"
	keyEncryptKey        = "encrypt_key"
	keyVerificationToken = "verification_token"
)

const defaultBaseURL = "https://open.feishu.cn"

// form lists every setting and secret.
func form() []bridge.Field {
	app := []bridge.ModeID{modeWebhook}
	webhook := []bridge.ModeID{modeWebhook}
	return []bridge.Field{
		{Key: keyAppID, Required: true, Modes: app, Check: checkWord},
		{Key: keyAppSecret, Secret: true, Required: true, Modes: app, Check: checkSecret},
		// Either of the two proves where a request is from; see newConfig.
		{Key: keyEncryptKey, Secret: true, Modes: webhook, Check: checkSecret},
		{Key: keyVerificationToken, Secret: true, Modes: webhook, Check: checkSecret},
		{Key: keyBaseURL, Default: defaultBaseURL, Modes: app, Check: checkURL},
	}
}

// config is a checked bridge.Config.
type config struct {
	id         string // of the bot, in our settings
	appID      string
	secret     bridge.Secret
	encryptKey bridge.Secret // empty: events are not encrypted
	token      bridge.Secret // the verification token; may be empty with an encrypt key
	base       *url.URL
}

func newConfig(c bridge.Config) (config, error) {
	values := map[string]string{}
	for _, f := range form() {
		value := c.Setting(f.Key)
		if f.Secret {
			value = strings.TrimSpace(c.Secrets[f.Key].Reveal()) // blanks come along when pasting
		}
		if value == "" {
			value = f.Default
		}
		if value == "" && f.Required {
			return config{}, wrong(f.Key, errors.New("is missing"))
		}
		if value != "" && f.Check != nil {
			if err := f.Check(value); err != nil {
				return config{}, wrong(f.Key, err)
			}
		}
		values[f.Key] = value
	}
	if values[keyEncryptKey] == "" && values[keyVerificationToken] == "" {
		return config{}, wrong(keyVerificationToken, errors.New("is missing, and there is no "+keyEncryptKey+" either"))
	}
	base, err := parseURL(values[keyBaseURL])
	if err != nil {
		return config{}, wrong(keyBaseURL, err)
	}
	return config{
		id: c.ID, appID: values[keyAppID], secret: bridge.NewSecret(values[keyAppSecret]),
		encryptKey: bridge.NewSecret(values[keyEncryptKey]), token: bridge.NewSecret(values[keyVerificationToken]), base: base,
	}, nil
}

// wrong is the error for a setting that cannot be used.
func wrong(key string, err error) error {
	return &bridge.Error{
		Kind: bridge.KindInvalid, Op: "feishu: open", Detail: key + " " + err.Error(), Args: map[string]string{"field": key},
	}
}

func checkWord(s string) error {
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7F || r == 0xA0 || r == 0x3000 }) {
		return errors.New("contains a blank or a line break")
	}
	return nil
}

func checkSecret(s string) error {
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7F }) {
		return errors.New("contains a line break")
	}
	return nil
}

func checkURL(s string) error {
	_, err := parseURL(s)
	return err
}

// parseURL reads an API address. Without TLS only this machine may be meant.
func parseURL(s string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(s, "/"))
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return nil, errors.New("is not an address such as https://host")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("must not hold a user, a query or a fragment")
	case u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()):
		return u, nil
	default:
		return nil, errors.New("must begin with https://")
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// first returns the first value that is not empty.
func first[T ~string](values ...T) T {
	if i := slices.IndexFunc(values, func(v T) bool { return v != "" }); i >= 0 {
		return values[i]
	}
	return ""
}
