package feishu

import (
	"errors"
	"net/url"

	"switchboard/internal/bridge"
	"switchboard/internal/form"
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

// fields lists every setting and secret.
func fields() []bridge.Field {
	app := []bridge.ModeID{modeWebhook}
	webhook := []bridge.ModeID{modeWebhook}
	return []bridge.Field{
		{Key: keyAppID, Required: true, Modes: app, Check: form.Word},
		{Key: keyAppSecret, Secret: true, Required: true, Modes: app, Check: form.Line},
		// Either of the two proves where a request is from; see newConfig.
		{Key: keyEncryptKey, Secret: true, Advised: true, Modes: webhook, Check: form.Line},
		{Key: keyVerificationToken, Secret: true, Modes: webhook, Check: form.Line},
		{Key: keyBaseURL, Default: defaultBaseURL, Modes: app, Check: form.CheckURL},
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
	values, err := form.Values(opOpen, fields(), c)
	if err != nil {
		return config{}, err
	}
	if values[keyEncryptKey] == "" && values[keyVerificationToken] == "" {
		return config{}, form.Wrong(opOpen, keyVerificationToken, errors.New("is missing, and there is no "+keyEncryptKey+" either"))
	}
	base, err := form.URL(values[keyBaseURL])
	if err != nil {
		return config{}, form.Wrong(opOpen, keyBaseURL, err)
	}
	return config{
		id: c.ID, appID: values[keyAppID], secret: bridge.NewSecret(values[keyAppSecret]),
		encryptKey: bridge.NewSecret(values[keyEncryptKey]), token: bridge.NewSecret(values[keyVerificationToken]), base: base,
	}, nil
}
