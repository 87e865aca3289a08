package simulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/bridge"
)

const (
	dingTemplate = "00000000-0000-0000-0000-000000000001.schema"
	dingContent  = "content"        // its variable for the text
	dingButtons  = "buttons"        // its list of buttons
	dingFrame    = 20000            // bytes; the pages suggest less, and take more
	dingPatience = 2 * time.Second  // for the answer to a click
	dingSpace    = "dtv1.card//IM_" // begins the place of a card
)

// dingCard is a card on screens.
type dingCard struct {
	id, track, space string
	at               talk
	text, buttons    string
	route            string // where clicks go; empty for the stream
	final            bool
	frames           []string // the ids of those that were taken
}

// dingRoute is a registered callback.
type dingRoute struct{ url, secret string }

type dingButton struct {
	Text  string `json:"text"`
	Value string `json:"value"`
}

func (s *dingServer) cardRoutes(mux *http.ServeMux) {
	for path, h := range map[string]http.HandlerFunc{
		"POST /dingtalk/v1.0/card/instances/createAndDeliver": s.dealCard, "POST /dingtalk/v1.0/card/instances": s.dealCard,
		"PUT /dingtalk/v1.0/card/instances": s.changeCard, "PUT /dingtalk/v1.0/card/streaming": s.streamCard,
		"POST /dingtalk/v1.0/card/callbacks/register": s.register,
	} {
		name := path[strings.LastIndex(path, "/")+1:]
		mux.HandleFunc(path, s.call(dingtalk, name, &s.tokens, h))
	}
}

// takes reads a call that has to carry a token.
func (s *dingServer) takes(w http.ResponseWriter, r *http.Request, body any) bool {
	_, refused := s.dice.strike(dingtalk, FaultSecret)
	err := strict(r, body)
	switch {
	case refused || !s.tokens.valid(r.Header.Get("x-acs-dingtalk-access-token")):
		derr(w, http.StatusBadRequest, "InvalidAuthentication", "不合法的access_token")
	case err != nil:
		derr(w, http.StatusBadRequest, "param.body", err.Error())
	default:
		return !s.overload(w)
	}
	return false
}

func (s *dingServer) done(w http.ResponseWriter, result any) {
	if !s.breakOff(w, dingtalk) {
		reply(w, http.StatusOK, map[string]any{"success": true, "result": result})
	}
}

type dingDeal struct {
	Template string `json:"cardTemplateId"`
	Track    string `json:"outTrackId"`
	Callback string `json:"callbackType"`
	Route    string `json:"callbackRouteKey"`
	Data     struct {
		Params map[string]string `json:"cardParamMap"`
	} `json:"cardData"`
	Space        string         `json:"openSpaceId"`
	UserIDType   int            `json:"userIdType"`
	GroupSpace   map[string]any `json:"imGroupOpenSpaceModel"`
	GroupDeliver map[string]any `json:"imGroupOpenDeliverModel"`
	RobotSpace   map[string]any `json:"imRobotOpenSpaceModel"`
	RobotDeliver map[string]any `json:"imRobotOpenDeliverModel"`
}

// wrong says what is wrong with it.
func (s *dingServer) wrongDeal(m dingDeal) string {
	_, routed := s.callbacks[m.Route]
	switch {
	case m.Template != dingTemplate:
		return "param.templateNotExist"
	case m.Track == "":
		return "param.outTrackIdEmpty"
	case m.Data.Params == nil:
		return "param.cardDataEmpty"
	case m.Callback != "STREAM" && m.Callback != "HTTP" || m.Callback == "HTTP" && !routed:
		return "param.callbackRouteKey"
	}
	for _, space := range []map[string]any{m.GroupSpace, m.RobotSpace} {
		if _, there := space["supportForward"]; space != nil && !there {
			return "param.supportForwardEmpty"
		}
	}
	return ""
}

// place finds where a card is to be shown.
func (s *dingServer) place(m dingDeal) (talk, bool) {
	kind, id, _ := strings.Cut(strings.TrimPrefix(m.Space, dingSpace), ".")
	if g, ok := s.group(func(name string) bool { return dingGroup(name) == id }); ok && kind == "GROUP" && m.GroupDeliver["robotCode"] == dingClient {
		return talk{platform: dingtalk, group: g.ID}, true
	}
	if e, ok := s.people.find(byDing, id); ok && kind == "ROBOT" && m.RobotDeliver["robotCode"] == dingClient && m.RobotDeliver["spaceType"] == "IM_ROBOT" {
		return talk{platform: dingtalk, employee: e.ID}, true
	}
	return talk{}, false
}

// dealCard makes a card, and shows it where it is to be delivered. A card that is
// there stays as it is.
func (s *dingServer) dealCard(w http.ResponseWriter, r *http.Request) {
	var m dingDeal
	if !s.takes(w, r, &m) {
		return
	}
	deliver := strings.HasSuffix(r.URL.Path, "createAndDeliver")
	s.mu.Lock()
	wrong := s.wrongDeal(m)
	c, known := s.cards.get(m.Track)
	s.mu.Unlock()
	at, found := s.place(m)
	_, left := s.dice.strike(dingtalk, FaultLeft)
	switch {
	case wrong != "":
		derr(w, http.StatusBadRequest, wrong, "the card is wrong")
		return
	case known || !deliver:
	case !found || left || s.dissolved(at):
		s.done(w, map[string]any{"outTrackId": m.Track, "deliverResults": []any{map[string]any{"success": false, "errorMsg": "spaceId is illegal"}}})
		return
	default:
		c = &dingCard{id: s.nextID("ding-"), track: m.Track, space: m.Space, at: at, text: m.Data.Params[dingContent]}
		if m.Callback == "HTTP" {
			c.route = m.Route
		}
		s.mu.Lock()
		s.cards.put(m.Track, c)
		s.tracks.put(c.id, c)
		s.mu.Unlock()
		s.shown(at, c.id, c.text, "", true)
		s.relabel(c, m.Data.Params)
	}
	if c == nil {
		s.done(w, m.Track)
		return
	}
	s.done(w, map[string]any{"outTrackId": m.Track, "deliverResults": []any{map[string]any{"success": true, "carrierId": c.id, "spaceId": m.Space}}})
}

// relabel shows the buttons that the variables of a card hold.
func (s *dingServer) relabel(c *dingCard, params map[string]string) {
	list, there := params[dingButtons]
	if !there {
		return
	}
	var all []dingButton
	if strictJSON([]byte(list), &all) != nil {
		s.violate("dingtalk: a list of buttons that the template cannot show")
		return
	}
	s.mu.Lock()
	c.buttons = list
	s.mu.Unlock()
	var words []string
	for _, b := range all {
		words = append(words, b.Text)
	}
	s.board.label(c.id, words)
}

func (s *dingServer) card(track string) *dingCard {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, known := s.cards.get(track)
	if _, gone := s.dice.strike(dingtalk, FaultGone); gone && known {
		s.board.remove(c.id)
		return nil
	}
	return c
}

func (s *dingServer) streamCard(w http.ResponseWriter, r *http.Request) {
	var m struct {
		Track    string `json:"outTrackId"`
		ID       string `json:"guid"`
		Key      string `json:"key"`
		Content  string `json:"content"`
		Full     *bool  `json:"isFull"`
		Finalize *bool  `json:"isFinalize"`
		Error    *bool  `json:"isError"`
	}
	if !s.takes(w, r, &m) {
		return
	}
	c := s.card(m.Track)
	code := ""
	switch {
	case m.Full == nil || m.Finalize == nil || m.Error == nil || !*m.Full:
		code = "param.body"
	case m.Key != dingContent:
		code = "param.stream.keyEmpty"
	case m.ID == "":
		code = "param.stream.guidEmpty"
	case strings.TrimSpace(m.Content) == "":
		code = "param.stream.contentEmpty"
	case len(m.Content) > dingFrame:
		code = "param.stream.content"
	case c == nil:
		code = "param.stream.outTrackId"
	}
	if code != "" {
		derr(w, http.StatusBadRequest, code, "the frame is wrong")
		return
	}
	s.mu.Lock()
	again, ended := slices.Contains(c.frames, m.ID), c.final
	if !again && !ended {
		c.text, c.final, c.frames = m.Content, *m.Finalize, append(c.frames, m.ID)
	}
	text, growing := c.text, !c.final
	s.mu.Unlock()
	if !again && ended {
		derr(w, http.StatusBadRequest, "param.stream.finalized", "the card is finished")
		return
	}
	s.board.change(c.id, text, growing)
	s.done(w, true)
}

// dingUpdate changes variables of a card, in a call or in the answer to a click.
type dingUpdate struct {
	Data struct {
		Params map[string]string `json:"cardParamMap"`
	} `json:"cardData"`
	Options struct {
		Data    bool `json:"updateCardDataByKey"`
		Private bool `json:"updatePrivateDataByKey"`
	} `json:"cardUpdateOptions"`
}

func (s *dingServer) changeCard(w http.ResponseWriter, r *http.Request) {
	var m struct {
		dingUpdate

		Track string `json:"outTrackId"`
	}
	if !s.takes(w, r, &m) {
		return
	}
	c := s.card(m.Track)
	if c == nil {
		derr(w, http.StatusBadRequest, "param.stream.outTrackId", "card is not exist")
		return
	}
	s.update(c, m.dingUpdate)
	s.done(w, true)
}

// update changes variables; without the option, those that are not named are lost.
func (s *dingServer) update(c *dingCard, m dingUpdate) {
	if !m.Options.Data {
		s.violate("dingtalk: a card lost the variables that were not named")
	}
	s.relabel(c, m.Data.Params)
	if text, there := m.Data.Params[dingContent]; there {
		s.mu.Lock()
		c.text = text
		growing := !c.final
		s.mu.Unlock()
		s.board.change(c.id, text, growing)
	}
}

func (s *dingServer) register(w http.ResponseWriter, r *http.Request) {
	var m struct {
		Key    string `json:"callbackRouteKey"`
		URL    string `json:"callbackUrl"`
		Secret string `json:"apiSecret"`
		Force  bool   `json:"forceUpdate"`
	}
	if !s.takes(w, r, &m) {
		return
	}
	s.mu.Lock()
	_, known := s.callbacks[m.Key]
	good := m.Key != "" && m.URL != "" && (!known || m.Force)
	if good {
		s.callbacks[m.Key] = dingRoute{m.URL, m.Secret}
	}
	s.mu.Unlock()
	switch {
	case good:
		s.done(w, map[string]any{"callbackUrl": m.URL, "apiSecret": m.Secret})
	case known:
		derr(w, http.StatusInternalServerError, "param.callbackRouteKeyExist", "callbackRouteKey exist")
	default:
		derr(w, http.StatusBadRequest, "param.callbackRouteKeyEmpty", "callbackRouteKey or callbackUrl is missing")
	}
}

// click composes the callback of a click.
func (s *dingServer) click(employee, message, button string) (delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, known := s.tracks.get(message)
	if !known || c.route == "" || !slices.Contains(s.members(c.at), employee) {
		return delivery{}, unseen(employee, message, button)
	}
	var all []dingButton
	_ = json.Unmarshal([]byte(c.buttons), &all) // none when it holds none
	at := slices.IndexFunc(all, func(b dingButton) bool { return b.Text == button })
	if at < 0 {
		return delivery{}, unseen(employee, message, button)
	}
	kind, space, _ := strings.Cut(strings.TrimPrefix(c.space, "dtv1.card//"), ".")
	body := encoded(map[string]any{
		"type": "actionCallback", "outTrackId": c.track, "corpId": dingCorp, "userId": dingUser(employee), "userIdType": 1, "spaceId": space, "spaceType": kind,
		"extension": "{}",
		"content":   encoded(map[string]any{"cardPrivateData": map[string]any{"actionIds": []string{"1"}, "params": map[string]string{"value": all[at].Value}}}),
	})
	route, stamp := s.callbacks[c.route], strconv.FormatInt(time.Now().UnixMilli(), 10)
	return delivery{
		id: bridge.MessageID(message), platform: dingtalk, bot: dingName,
		make: func(string) (*http.Request, error) {
			req, err := http.NewRequest(http.MethodPost, route.url, strings.NewReader(body)) //nolint:noctx // the caller sets it
			if err != nil {
				return nil, fmt.Errorf("simulator: %w", err)
			}
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("x-ddpaas-signature-timestamp", stamp)
			req.Header.Set("x-ddpaas-signature", dingClickSign(stamp, route.secret))
			return req, nil
		},
		good: func(status int, body []byte) bool { return status == http.StatusOK && s.clicked(c, body) },
	}, nil
}

// clicked reads the answer to a click.
func (s *dingServer) clicked(c *dingCard, body []byte) bool {
	var m struct {
		dingUpdate

		Private struct {
			Params map[string]string `json:"cardParamMap"`
		} `json:"userPrivateData"`
	}
	if strictJSON(body, &m) != nil {
		return false
	}
	s.update(c, m.dingUpdate)
	return true
}

func dingClickSign(timestamp, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
