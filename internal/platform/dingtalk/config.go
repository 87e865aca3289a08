package dingtalk

import (
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"

	"switchboard/internal/bridge"
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
	keyBaseURL      = "base_url"
	keyOapiURL      = "oapi_url"
)

const (
	defaultBaseURL = "https://api.dingtalk.com"
	defaultOapiURL = "https://oapi.dingtalk.com"
	officialHost   = "oapi.dingtalk.com"
	sessionPath    = "/robot/sendBySession"
)

// form lists every setting and secret.
func form() []bridge.Field {
	robot := []bridge.ModeID{modeWebhook}
	return []bridge.Field{
		{Key: keyClientID, Required: true, Modes: robot, Check: checkClientID},
		{Key: keyClientSecret, Secret: true, Required: true, Modes: robot, Check: checkSecret},
		{Key: keyRobotCode, Modes: robot, Check: checkWord},
		{Key: keyCorpID, Modes: robot, Check: checkWord},
		{Key: keyTemplate, Modes: robot, Check: checkWord},
		{Key: keyVariable, Default: "content", Modes: robot, Check: checkWord},
		{Key: keyBaseURL, Default: defaultBaseURL, Modes: robot, Check: checkURL},
		{Key: keyOapiURL, Default: defaultOapiURL, Check: checkURL},
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
	base      *url.URL
	oapi      *url.URL
}

func newConfig(c bridge.Config) (config, error) {
	values := map[string]string{}
	for _, f := range form() {
		value := c.Setting(f.Key)
		if f.Secret {
			// The console's copy button is often missed by a character: a blank
			// around the secret would make every signature wrong.
			value = strings.TrimSpace(c.Secrets[f.Key].Reveal())
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
	base, err := parseURL(values[keyBaseURL])
	if err != nil {
		return config{}, wrong(keyBaseURL, err)
	}
	oapi, err := parseURL(values[keyOapiURL])
	if err != nil {
		return config{}, wrong(keyOapiURL, err)
	}
	return config{
		id: c.ID, clientID: values[keyClientID], secret: bridge.NewSecret(values[keyClientSecret]),
		robotCode: first(values[keyRobotCode], values[keyClientID]), corpID: values[keyCorpID],
		template: values[keyTemplate], variable: values[keyVariable], base: base, oapi: oapi,
	}, nil
}

// wrong is the error for a setting that cannot be used.
func wrong(key string, err error) error {
	return &bridge.Error{
		Kind: bridge.KindInvalid, Op: "dingtalk: open", Detail: key + " " + err.Error(), Args: map[string]string{"field": key},
	}
}

// ours tells whether a robot code belongs to this bot.
func (c config) ours(robotCode string) bool {
	return robotCode == c.robotCode || robotCode == c.clientID
}

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
		return c.oapi.Scheme == "http" && host == strings.ToLower(c.oapi.Host) && loopback(c.oapi.Hostname())
	default:
		return false
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

// checkClientID catches the two other ids that stand beside the right one.
func checkClientID(s string) error {
	digits := strings.Trim(s, "0123456789") == ""
	switch {
	case digits:
		return errors.New("looks like the AgentId, not the Client ID")
	case len(s) == 36 && strings.Count(s, "-") == 4:
		return errors.New("looks like the App ID, not the Client ID")
	default:
		return checkWord(s)
	}
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
