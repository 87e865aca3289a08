package simulator

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	feishuMaxText = 150 << 10 // bytes of a text message's request
	feishuMaxCard = 30 << 10  // bytes of a card or a post
	feishuMaxUUID = 50
	feishuEdit    = 14 * 24 * time.Hour // a card can be changed for
)

// feishuMessage is a message on the platform, by whoever.
type feishuMessage struct {
	id, kind, content string
	parent, root      string
	at                talk
	fromBot           bool
	sender            string // open_id
	made, changed     time.Time
	deleted           bool
	cards             map[string]any // a card that was sent as JSON
	entity            string         // the id of a card entity
	reactions         map[string]string
	mentions          bool // the bot, as its first
}

// feishuSent remembers a uuid.
type feishuSent struct {
	message string
	at      time.Time
}

// feishuSend is the body of create and reply.
type feishuSend struct {
	ReceiveID string `json:"receive_id"`
	Type      string `json:"msg_type"`
	Content   string `json:"content"`
	UUID      string `json:"uuid"`
	InThread  bool   `json:"reply_in_thread"`
}

func (s *feishuServer) create(r *http.Request) (any, *refusal) {
	var m feishuSend
	if err := strict(r, &m); err != nil {
		return nil, refuse(99992402, "field validation failed: "+err.Error())
	}
	var at talk
	switch kind := r.URL.Query().Get("receive_id_type"); kind {
	case "chat_id":
		var no *refusal
		if at, no = s.chatOf(m.ReceiveID); no != nil {
			return nil, no
		}
	case "open_id", "union_id", "user_id":
		e, no := s.person(kind, m.ReceiveID)
		if no != nil {
			return nil, no
		}
		at = talk{platform: feishu, employee: e.ID}
	default:
		return nil, refuse(99992402, "field validation failed: receive_id_type")
	}
	return s.place(m, at, nil)
}

func (s *feishuServer) answer(r *http.Request) (any, *refusal) {
	var m feishuSend
	if err := strict(r, &m); err != nil || m.ReceiveID != "" {
		return nil, refuse(99992402, "field validation failed")
	}
	s.mu.Lock()
	to, no := s.living(r.PathValue("message"))
	s.mu.Unlock()
	if no != nil {
		return nil, no
	}
	return s.place(m, to.at, to)
}

// living finds a message that can still be acted on. s.mu is held.
func (s *feishuServer) living(id string) (*feishuMessage, *refusal) {
	m, ok := s.messages.get(id)
	switch {
	case !ok:
		return nil, refuse(99992354, "id not exist, invalid open_message_id")
	case m.deleted:
		return nil, refuse(230011, "The message was withdrawn.")
	default:
		return m, nil
	}
}

// place shows a message in a chat, once for each uuid.
func (s *feishuServer) place(m feishuSend, at talk, to *feishuMessage) (any, *refusal) {
	if len(m.UUID) > feishuMaxUUID {
		return nil, refuse(99992402, "field validation failed: the max length of uuid is 50")
	}
	if no := s.reachable(at); no != nil {
		return nil, no
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if before, ok := s.once.get(m.UUID); ok && m.UUID != "" && s.now().Sub(before.at) < feishuOnce {
		if old, known := s.messages.get(before.message); known {
			return s.describe(old), nil
		}
	}
	if no := s.paced("chat "+at.employee+" "+at.group, 5); no != nil {
		return nil, no
	}
	fresh := &feishuMessage{
		id: s.nextID("om_"), kind: m.Type, content: m.Content, at: at, fromBot: true, sender: feishuBotID(), made: s.now(), changed: s.now(),
	}
	if to != nil {
		fresh.parent, fresh.root = to.id, cmp.Or(to.root, to.id)
	}
	text, growing, no := s.content(fresh)
	if no != nil {
		return nil, no
	}
	s.messages.put(fresh.id, fresh)
	if m.UUID != "" {
		s.once.put(m.UUID, feishuSent{fresh.id, s.now()})
	}
	s.shown(at, fresh.id, text, fresh.parent, growing)
	s.board.label(fresh.id, cardButtons(s.cardOf(fresh)))
	return s.describe(fresh), nil
}

// content checks the content of a message and returns what people see of it.
func (s *feishuServer) content(m *feishuMessage) (text string, growing bool, no *refusal) {
	limit := feishuMaxCard
	if m.kind == "text" {
		limit = feishuMaxText
	}
	if len(m.content) > limit {
		return "", false, refuse(230025, "The length of the message content reaches its limit.")
	}
	invalid := refuse(230001, "Your request contains an invalid request parameter, ext=invalid content")
	switch m.kind {
	case "text":
		var c struct{ Text string }
		if strictJSON([]byte(m.content), &c) != nil || c.Text == "" {
			return "", false, invalid
		}
		return c.Text, false, nil
	case "post":
		if text = postText(m.content); text == "" {
			return "", false, invalid
		}
		return text, false, nil
	case "interactive":
		return s.cardContent(m)
	case "image", "file":
		var c struct {
			Image string `json:"image_key"`
			File  string `json:"file_key"`
		}
		if strictJSON([]byte(m.content), &c) != nil {
			return "", false, invalid
		}
		if text = s.fileText(m.kind == "image", c.Image+c.File); text == "" {
			return "", false, refuse(230017, "The resource does not belong to the bot.")
		}
		return text, false, nil
	default:
		return "", false, refuse(230001, "Your request contains an invalid request parameter, ext=invalid msg_type")
	}
}

// cardContent shows a card: an entity, once, or the JSON of one.
func (s *feishuServer) cardContent(m *feishuMessage) (text string, growing bool, no *refusal) {
	var c struct {
		Type string `json:"type"`
		Data struct {
			ID string `json:"card_id"`
		} `json:"data"`
	}
	var whole map[string]any
	if json.Unmarshal([]byte(m.content), &whole) != nil {
		return "", false, cardTrouble(refuse(200621, "parse card json err"))
	}
	if whole["type"] != "card" {
		if no := checkCard(whole, false); no != nil {
			return "", false, cardTrouble(no)
		}
		m.cards = whole
		return cardText(whole), false, nil
	}
	if strictJSON([]byte(m.content), &c) != nil {
		return "", false, cardTrouble(refuse(200621, "parse card json err"))
	}
	entity, ok := s.cards.get(c.Data.ID)
	switch {
	case !ok || s.now().Sub(entity.made) > feishuEdit:
		return "", false, cardTrouble(refuse(200740, "card entity does not exist"))
	case entity.message != "":
		s.violate("feishu: the card entity %s was sent twice", c.Data.ID)
		return "", false, cardTrouble(refuse(200740, "a card entity can be sent once"))
	}
	entity.message, m.entity = m.id, c.Data.ID
	return cardText(entity.json), entity.streams(s.now()), nil
}

// cardTrouble is how the message API reports what is wrong with a card.
func cardTrouble(inner *refusal) *refusal {
	return refuse(230099, "Failed to create card content, ext=ErrCode: "+strconv.Itoa(inner.code)+"; ErrMsg: "+inner.msg+"; ")
}

// postText is what people see of a post; empty when it is not a good one.
func postText(content string) string {
	var locales map[string]struct {
		Title   string             `json:"title"`
		Content [][]map[string]any `json:"content"`
	}
	if strictJSON([]byte(content), &locales) != nil {
		return ""
	}
	known := []string{"text", "a", "at", "img", "media", "emotion", "hr", "code_block", "md"}
	for _, name := range []string{"zh_cn", "en_us", "ja_jp"} {
		post, ok := locales[name]
		if !ok {
			continue
		}
		lines := []string{post.Title}
		for _, paragraph := range post.Content {
			var b strings.Builder
			for _, node := range paragraph {
				tag, _ := node["tag"].(string)
				if !slices.Contains(known, tag) || tag == "md" && len(paragraph) > 1 {
					return ""
				}
				words, _ := node["text"].(string)
				b.WriteString(words)
			}
			lines = append(lines, b.String())
		}
		return strings.TrimSpace(strings.Join(lines, "\n"))
	}
	return ""
}

// patch replaces a card that was sent as JSON.
func (s *feishuServer) patch(r *http.Request) (any, *refusal) {
	var m struct {
		Content string `json:"content"`
	}
	if err := strict(r, &m); err != nil {
		return nil, refuse(99992402, "field validation failed: "+err.Error())
	}
	if _, yes := s.dice.strike(feishu, FaultGone); yes {
		s.board.remove(r.PathValue("message"))
		return nil, refuse(230110, "The message has been deleted.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old, no := s.living(r.PathValue("message"))
	if no != nil {
		return nil, no
	}
	var card map[string]any
	switch {
	case !old.fromBot:
		return nil, refuse(230071, "The operator is not the sender of the message.")
	case old.kind != "interactive":
		return nil, refuse(230001, "Your request contains an invalid request parameter, ext=This message is NOT a card.")
	case s.now().Sub(old.made) > feishuEdit:
		return nil, refuse(230031, "The message is too old to be updated.")
	case len(m.Content) > feishuMaxCard:
		return nil, refuse(230025, "The length of the message content reaches its limit.")
	case json.Unmarshal([]byte(m.Content), &card) != nil:
		return nil, cardTrouble(refuse(200621, "parse card json err"))
	case old.cards != nil && !shared(old.cards) || !shared(card):
		return nil, refuse(230001, "Your request contains an invalid request parameter, ext=update_multi must be true before and after.")
	}
	if no := s.paced("message "+old.id, 5); no != nil {
		return nil, no
	}
	if no := checkCard(card, false); no != nil {
		return nil, cardTrouble(no)
	}
	old.cards, old.content, old.changed = card, m.Content, s.now()
	s.board.label(old.id, cardButtons(card))
	s.board.change(old.id, cardText(card), false)
	return nil, nil
}

func (s *feishuServer) getMessage(r *http.Request) (any, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok := s.messages.get(r.PathValue("message"))
	switch {
	case !ok:
		return nil, refuse(99992354, "id not exist, invalid open_message_id")
	case m.at.group != "" && !s.opt.HearAll:
		return nil, refuse(230027, "Lack of necessary permissions, ext=need scope: im:message.group_msg")
	}
	return map[string]any{"items": []any{s.describe(m)}}, nil
}

func (s *feishuServer) recall(r *http.Request) (any, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, no := s.living(r.PathValue("message"))
	if no != nil {
		return nil, no
	}
	if !m.fromBot {
		return nil, refuse(230026, "No permission to recall this message.")
	}
	m.deleted = true
	s.board.remove(m.id)
	return nil, nil
}

func (s *feishuServer) react(r *http.Request) (any, *refusal) {
	var m struct {
		Type struct {
			Emoji string `json:"emoji_type"`
		} `json:"reaction_type"`
	}
	if err := strict(r, &m); err != nil || m.Type.Emoji == "" {
		return nil, refuse(231001, "reaction type is invalid.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	to, ok := s.messages.get(r.PathValue("message"))
	if !ok || to.deleted {
		return nil, refuse(231003, "The message is recalled or deleted.")
	}
	if to.reactions == nil {
		to.reactions = map[string]string{}
	}
	id := s.nextID("reaction_")
	to.reactions[id] = m.Type.Emoji
	return map[string]any{"reaction_id": id, "reaction_type": map[string]string{"emoji_type": m.Type.Emoji}}, nil
}

func (s *feishuServer) unreact(r *http.Request) (any, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	to, ok := s.messages.get(r.PathValue("message"))
	if !ok || to.reactions[r.PathValue("reaction")] == "" {
		return nil, refuse(231008, "The reaction does not exist.")
	}
	delete(to.reactions, r.PathValue("reaction"))
	return nil, nil
}

// describe is a message as the API answers it.
func (*feishuServer) describe(m *feishuMessage) map[string]any {
	sender := map[string]string{"id": feishuApp, "id_type": "app_id", "sender_type": "app", "tenant_key": feishuTenant}
	if !m.fromBot {
		sender = map[string]string{"id": m.sender, "id_type": "open_id", "sender_type": "user", "tenant_key": feishuTenant}
	}
	described := map[string]any{
		"message_id": m.id, "root_id": m.root, "parent_id": m.parent, "msg_type": m.kind, "chat_id": chatID(m.at),
		"create_time": millis(m.made), "update_time": millis(m.changed), "deleted": m.deleted, "updated": m.changed.After(m.made),
		"sender": sender, "body": map[string]string{"content": m.content},
	}
	if m.deleted {
		described["body"] = map[string]string{"content": "This message was recalled"}
	}
	if m.mentions {
		described["mentions"] = []any{map[string]string{
			"key": "@_user_1", "id": feishuBotID(), "id_type": "open_id", "name": feishuBot, "tenant_key": feishuTenant,
		}}
	}
	return described
}

func chatID(at talk) string {
	if at.group != "" {
		return feishuGroup(at.group)
	}
	return feishuP2P(at.employee)
}

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
