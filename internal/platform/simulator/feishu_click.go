package simulator

import (
	"net/http"
	"slices"
	"strconv"
)

// click composes the callback of a click. The platform waits three seconds for the
// answer.
func (s *feishuServer) click(employee, message, button string) (delivery, error) {
	s.mu.Lock()
	m, known := s.messages.get(message)
	var value map[string]any
	if known && !m.deleted {
		value = valueOf(s.cardOf(m), button)
	}
	s.mu.Unlock()
	if value == nil || !slices.Contains(s.members(m.at), employee) {
		return delivery{}, unseen(employee, message, button)
	}
	event := s.event("card.action.trigger", strconv.FormatInt(s.now().UnixMicro(), 10), map[string]any{
		"operator": map[string]string{"tenant_key": feishuTenant, "user_id": feishuUser(employee), "open_id": openID(employee), "union_id": unionID(employee)},
		"token":    s.nextID("c-"),
		"action":   map[string]any{"value": value, "tag": "button", "timezone": "Asia/Shanghai"},
		"host":     "im_message",
		"context":  map[string]string{"open_message_id": m.id, "open_chat_id": chatID(m.at)},
	})
	d := s.delivery("", event)
	d.good = func(status int, body []byte) bool { return status == http.StatusOK && s.clicked(m, body) }
	return d, nil
}

// cardOf returns the card that a message shows. s.mu is held.
func (s *feishuServer) cardOf(m *feishuMessage) map[string]any {
	if entity, ok := s.cards.get(m.entity); ok {
		return entity.json
	}
	return m.cards
}

// valueOf returns what a button sends; nil when there is no such button.
func valueOf(card map[string]any, button string) map[string]any {
	var value map[string]any
	each(card["body"], func(e map[string]any) {
		words, _ := e["text"].(map[string]any)
		if e["tag"] != "button" || words["content"] != button {
			return
		}
		all, _ := e["behaviors"].([]any)
		for _, one := range all {
			if b, _ := one.(map[string]any); b["type"] == "callback" {
				value, _ = b["value"].(map[string]any)
			}
		}
	})
	return value
}

// clicked reads the answer to a click: nothing, a toast or another card. A card
// that still grows is not changed by it.
func (s *feishuServer) clicked(m *feishuMessage, body []byte) bool {
	var answer struct {
		Toast *struct {
			Type    string            `json:"type"`
			Content string            `json:"content"`
			I18n    map[string]string `json:"i18n"`
		} `json:"toast"`
		Card *struct {
			Type string         `json:"type"`
			Data map[string]any `json:"data"`
		} `json:"card"`
	}
	if err := strictJSON(body, &answer); err != nil {
		return false
	}
	kinds := []string{"", "info", "success", "error", "warning"}
	if answer.Toast != nil && !slices.Contains(kinds, answer.Toast.Type) {
		return false
	}
	if answer.Card == nil {
		return true
	}
	fresh := answer.Card.Data
	s.mu.Lock()
	defer s.mu.Unlock()
	entity, grows := s.cards.get(m.entity)
	if answer.Card.Type != "raw" || len(encoded(fresh)) > feishuMaxCard || checkCard(fresh, false) != nil || grows && entity.streams(s.now()) {
		return false
	}
	if old := s.cardOf(m); old["schema"] == "2.0" && fresh["schema"] != "2.0" {
		return false
	}
	if m.cards = fresh; grows {
		entity.json = fresh
	}
	s.board.label(m.id, cardButtons(fresh))
	s.board.change(m.id, cardText(fresh), false)
	return true
}
