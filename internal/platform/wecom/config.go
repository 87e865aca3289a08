package wecom

import (
	"errors"
	"net/url"
	"strconv"
	"strings"

	"switchboard/internal/bridge"
	"switchboard/internal/form"
)

// modeApp is a self-built app: messages come by webhook and go by API.
const modeApp bridge.ModeID = "app"

// The keys of the settings and secrets.
const (
	keyCorpID  = "corp_id"
	keyAgentID = "agent_id"
	keySecret  = "secret"
	keyToken   = "token"
	keyAESKey  = "aes_key"
	keyFormat  = "format"
	keyBaseURL = "base_url"
)

const defaultBaseURL = "https://qyapi.weixin.qq.com"

// The values of the setting "format".
const (
	formatMarkdown = "markdown"
	formatText     = "text"
)

// fields lists every setting and secret.
func fields() []bridge.Field {
	app := []bridge.ModeID{modeApp}
	return []bridge.Field{
		{Key: keyCorpID, Required: true, Modes: app, Check: checkCorpID},
		{Key: keyAgentID, Required: true, Number: true, Modes: app, Check: checkAgentID},
		{Key: keySecret, Secret: true, Required: true, Modes: app, Check: checkWord},
		{Key: keyToken, Secret: true, Required: true, Modes: app, Check: checkToken},
		{Key: keyAESKey, Secret: true, Required: true, Modes: app, Check: checkAESKey},
		{Key: keyFormat, Default: formatMarkdown, Modes: app, Check: checkFormat},
		{Key: keyBaseURL, Default: defaultBaseURL, Modes: app, Check: form.CheckURL},
	}
}

// config is a checked bridge.Config.
type config struct {
	id      string // of the bot, in our settings
	corpID  string
	agentID int64
	secret  bridge.Secret
	token   bridge.Secret
	aesKey  []byte
	hidden  []bridge.Secret // all of them, to be taken out of foreign words
	plain   bool            // answers are written without markup
	base    *url.URL
}

func newConfig(c bridge.Config) (config, error) {
	values, err := form.Values(opOpen, fields(), c)
	if err != nil {
		return config{}, err
	}
	if values[keySecret] == values[keyAESKey] { // both have 43 characters
		return config{}, wrong(keySecret, errors.New("is the same as the EncodingAESKey"))
	}
	agentID, err := strconv.ParseInt(values[keyAgentID], 10, 64)
	if err != nil {
		return config{}, wrong(keyAgentID, errNumber)
	}
	key, err := decodeKey(values[keyAESKey])
	if err != nil {
		return config{}, wrong(keyAESKey, err)
	}
	base, err := form.URL(values[keyBaseURL])
	if err != nil {
		return config{}, wrong(keyBaseURL, err)
	}
	return config{
		id: c.ID, corpID: values[keyCorpID], agentID: agentID,
		secret: bridge.NewSecret(values[keySecret]), token: bridge.NewSecret(values[keyToken]), aesKey: key,
		hidden: []bridge.Secret{bridge.NewSecret(values[keySecret]), bridge.NewSecret(values[keyToken]), bridge.NewSecret(values[keyAESKey])},
		plain:  values[keyFormat] == formatText, base: base,
	}, nil
}

// wrong is the error for a setting that cannot be used.
func wrong(key string, err error) error { return form.Wrong(opOpen, key, err) }

var errNumber = errors.New("is not a number such as 1000002")

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// checkCorpID catches the other values that stand in the same console.
func checkCorpID(s string) error {
	switch {
	case digits(s):
		return errors.New("looks like the AgentId, not the CorpID")
	case len(s) == keyChars:
		return errors.New("looks like the Secret, not the CorpID")
	default:
		return checkWord(s)
	}
}

func checkAgentID(s string) error {
	_, err := strconv.ParseInt(s, 10, 64)
	switch {
	case strings.HasPrefix(s, "ww") || strings.HasPrefix(s, "wx"):
		return errors.New("looks like the CorpID, not the AgentId")
	case !digits(s) || err != nil:
		return errNumber
	default:
		return nil
	}
}

// checkWord refuses what is not one word; the words for people that surround a
// copied value are often Chinese.
func checkWord(s string) error {
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7F }) {
		return errors.New("contains a blank, a line break or a letter that cannot be part of it")
	}
	return nil
}

func checkToken(s string) error {
	const maxToken = 32
	switch {
	case len(s) == keyChars:
		return errors.New("looks like the EncodingAESKey, not the Token")
	case len(s) > maxToken || strings.ContainsFunc(s, func(r rune) bool { return !alphanumeric(r) }):
		return errors.New("is not at most 32 letters and digits")
	default:
		return nil
	}
}

func checkAESKey(s string) error {
	_, err := decodeKey(s)
	return err
}

func checkFormat(s string) error {
	if s != formatMarkdown && s != formatText {
		return errors.New("is neither markdown nor text")
	}
	return nil
}
