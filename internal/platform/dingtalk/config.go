package dingtalk

import (
	"cmp"
	"errors"
	"net/url"
	"strings"

	"switchboard/internal/bridge"
	"switchboard/internal/form"
)

// The modes. Webhook is DingTalk's "HTTP mode".
const modeWebhook bridge.ModeID = "webhook"

// The keys of the settings and secrets.
const (
	keyClientID     = "client_id"
	keyClientSecret = "client_secret"
	keyRobotCode    = "robot_code"
	keyCorpID       = "corp_id"
	keyTemplate     = "card_template_id"
	keyVariable     = "card_content_key"
	keyButtons      = "card_buttons_key"
	keyBaseURL      = "base_url"
	keyOapiURL      = "oapi_url"
)

const (
	defaultBaseURL = "https://api.dingtalk.com"
	defaultOapiURL = "https://oapi.dingtalk.com"
	officialHost   = "oapi.dingtalk.com"
	sessionPath    = "/robot/sendBySession"
)

// fields lists every setting and secret.
func fields() []bridge.Field {
	robot := []bridge.ModeID{modeWebhook}
	return []bridge.Field{
		{Key: keyClientID, Required: true, Modes: robot, Check: checkClientID},
		{Key: keyClientSecret, Secret: true, Required: true, Modes: robot, Check: form.Line},
		{Key: keyRobotCode, Modes: robot, Check: form.Word},
		{Key: keyCorpID, Modes: robot, Check: form.Word},
		{Key: keyTemplate, Modes: robot, Check: form.Word},
		{Key: keyVariable, Default: "content", Modes: robot, Check: form.Word},
		{Key: keyButtons, Modes: robot, Check: form.Word},
		{Key: keyBaseURL, Default: defaultBaseURL, Modes: robot, Check: form.CheckURL},
		{Key: keyOapiURL, Default: defaultOapiURL, Check: form.CheckURL},
	}
}

// config is a checked bridge.Config.
type config struct {
	id        string // of the bot, in our settings
	clientID  string
	secret    bridge.Secret
	robotCode string
	corpID    string // empty accepts every company
	template  string // empty: answers do not grow
	variable  string // the template's variable that holds the text
	buttons   string // the one that holds the buttons; empty: it has none
	base      *url.URL
	oapi      *url.URL
}

func newConfig(c bridge.Config) (config, error) {
	values, err := form.Values(opOpen, fields(), c)
	if err != nil {
		return config{}, err
	}
	base, err := form.URL(values[keyBaseURL])
	if err != nil {
		return config{}, form.Wrong(opOpen, keyBaseURL, err)
	}
	oapi, err := form.URL(values[keyOapiURL])
	if err != nil {
		return config{}, form.Wrong(opOpen, keyOapiURL, err)
	}
	return config{
		id: c.ID, clientID: values[keyClientID], secret: bridge.NewSecret(values[keyClientSecret]),
		robotCode: cmp.Or(values[keyRobotCode], values[keyClientID]), corpID: values[keyCorpID],
		template: values[keyTemplate], variable: values[keyVariable], buttons: values[keyButtons], base: base, oapi: oapi,
	}, nil
}

// ours tells whether a robot code belongs to this bot.
func (c config) ours(robotCode string) bool {
	return robotCode == c.robotCode || robotCode == c.clientID
}

// route names the way that clicks take to this bot.
func (c config) route() string { return digest(c.clientID, c.id) }

// trusts tells whether a session webhook may be called. It came in a body that
// no signature covers, so it could name any address inside the company network;
// only DingTalk's own endpoint, or the one in the settings, is taken.
func (c config) trusts(webhook string) bool {
	u, err := url.Parse(webhook)
	if err != nil || u.User != nil || u.Opaque != "" || u.EscapedPath() != sessionPath {
		return false
	}
	host := strings.ToLower(u.Host)
	switch u.Scheme {
	case "https":
		return strings.TrimSuffix(host, ":443") == officialHost || host == strings.ToLower(c.oapi.Host)
	case "http":
		return c.oapi.Scheme == "http" && host == strings.ToLower(c.oapi.Host) // on this machine, or it would not be in the settings
	default:
		return false
	}
}

// checkClientID catches the two other ids that stand beside the right one.
func checkClientID(s string) error {
	digits := strings.Trim(s, "0123456789") == ""
	switch {
	case digits:
		return errors.New("looks like the AgentId, not the Client ID")
	case len(s) == 36 && strings.Count(s, "-") == 4:
		return errors.New("looks like the App ID, not the Client ID")
	default:
		return form.Word(s)
	}
}
