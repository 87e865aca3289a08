package wecom

import (
	"errors"
	"net/url"
	"strconv"
	"strings"

	"switchboard/internal/bridge"
	"switchboard/internal/form"
)

// The modes.
const (
	// modeApp is a self-built app: messages come by webhook and go by API.
	modeApp bridge.ModeID = "app"
	// modeService is an account of customer service, for people outside the
	// company: the webhook only rings, and messages are fetched.
	modeService bridge.ModeID = "kf"
)

// The keys of the settings and secrets.
const (
	keyCorpID  = "corp_id"
	keyAgentID = "agent_id"
	keyAccount = "open_kfid"
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
	app, service := []bridge.ModeID{modeApp}, []bridge.ModeID{modeService}
	both := []bridge.ModeID{modeApp, modeService}
	return []bridge.Field{
		{Key: keyCorpID, Required: true, Modes: both, Check: checkCorpID},
		{Key: keyAgentID, Required: true, Number: true, Modes: app, Check: checkAgentID},
		{Key: keyAccount, Required: true, Modes: service, Check: checkAccount},
		{Key: keySecret, Secret: true, Required: true, Modes: both, Check: checkWord},
		{Key: keyToken, Secret: true, Required: true, Modes: both, Check: checkToken},
		{Key: keyAESKey, Secret: true, Required: true, Modes: both, Check: checkAESKey},
		{Key: keyFormat, Default: formatMarkdown, Modes: app, Check: checkFormat},
		{Key: keyBaseURL, Default: defaultBaseURL, Modes: both, Check: form.CheckURL},
	}
}

// config is a checked bridge.Config.
type config struct {
	id      string // of the bot, in our settings
	corpID  string
	agentID int64  // of an app; 0 in other modes
	account string // of customer service; empty in other modes
	secret  bridge.Secret
	token   bridge.Secret
	aesKey  []byte
	hidden  []bridge.Secret // all of them, to be taken out of foreign words
	plain   bool            // answers are written without markup
	base    *url.URL
}

func newConfig(c bridge.Config) (config, error) {
	values, err := form.Values(opOpen, Connector().Fields(c.Mode), c)
	if err != nil {
		return config{}, err
	}
	if values[keySecret] == values[keyAESKey] { // both have 43 characters
		return config{}, wrong(keySecret, errors.New("is the same as the EncodingAESKey"))
	}
	var agentID int64
	if c.Mode != modeService {
		if agentID, err = strconv.ParseInt(values[keyAgentID], 10, 64); err != nil {
			return config{}, wrong(keyAgentID, errNumber)
		}
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
		id: c.ID, corpID: values[keyCorpID], agentID: agentID, account: values[keyAccount],
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

// checkAccount wants the id that the API knows an account of customer service by,
// not the one in the link that customers open.
func checkAccount(s string) error {
	switch {
	case strings.HasPrefix(s, "kfc"):
		return errors.New("is the id in the link for customers, not the account's own, which begins with wk")
	case !strings.HasPrefix(s, "wk"):
		return errors.New("does not begin with wk")
	default:
		return checkWord(s)
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
