package simulator

import (
	"encoding/json"
	"net/http"
	"time"
	"unicode/utf8"
)

const (
	cardStreams  = 10 * time.Minute // a card streams at most
	cardMaxText  = 100000           // characters of a text
	cardMaxUUID  = 64
	cardMaxID    = 20
	cardMaxParts = 200
	cardPerSec   = 10
)

// feishuCard is a card entity.
type feishuCard struct {
	id       string
	json     map[string]any
	sequence int64
	opened   time.Time // when streaming was switched on; zero when it is off
	made     time.Time
	message  string            // that shows it
	uuids    map[string]string // what was done under each
}

// streams says that the card is in streaming mode, which ends by itself.
func (c *feishuCard) streams(now time.Time) bool {
	return !c.opened.IsZero() && now.Sub(c.opened) < cardStreams
}

// follow keeps the streaming mode that the card's own config says.
func (c *feishuCard) follow(now time.Time) {
	config, _ := c.json["config"].(map[string]any)
	if on, _ := config["streaming_mode"].(bool); !on {
		c.opened = time.Time{}
	} else if !c.streams(now) {
		c.opened = now
	}
}

func (s *feishuServer) cardCreate(r *http.Request) (any, *refusal) {
	var m cardBody
	if err := strict(r, &m); err != nil || m.Type != "card_json" {
		return nil, refuse(10002, "invalid parameter")
	}
	card, no := readCard(m.Data)
	if no != nil {
		return nil, no
	}
	c := &feishuCard{id: s.nextID(""), json: card, made: s.now(), uuids: map[string]string{}}
	c.follow(s.now())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cards.put(c.id, c)
	return map[string]string{"card_id": c.id}, nil
}

// cardBody is a card inside a request.
type cardBody struct {
	Type string `json:"type"`
	Data string `json:"data"`
}

// readCard parses the JSON of an entity and checks it.
func readCard(data string) (map[string]any, *refusal) {
	var card map[string]any
	switch {
	case len(data) > feishuMaxCard:
		return nil, refuse(200860, "card content over the limit of 30 KB")
	case json.Unmarshal([]byte(data), &card) != nil:
		return nil, refuse(200621, "parse card json err")
	}
	return card, checkCard(card, true)
}

// cardEdit is what every change of a card has.
type cardEdit struct {
	Sequence int64  `json:"sequence"`
	UUID     string `json:"uuid"`
}

// edit changes a card entity: do gets a copy of its JSON and returns what is
// wrong. What is changed without an error is shown.
func (s *feishuServer) edit(r *http.Request, e cardEdit, what string, do func(c *feishuCard, card map[string]any) *refusal) (any, *refusal) {
	if e.Sequence <= 0 || e.Sequence > 1<<31-1 || len(e.UUID) > cardMaxUUID {
		return nil, refuse(10002, "invalid parameter: sequence or uuid")
	}
	_, gone := s.dice.strike(feishu, FaultGone)
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.cards.get(r.PathValue("card"))
	if ok && gone {
		s.board.remove(c.message)
	}
	switch {
	case !ok || gone:
		return nil, refuse(200740, "card entity does not exist")
	case s.now().Sub(c.made) > feishuEdit:
		return nil, refuse(200750, "card entity is expired")
	}
	if no := s.paced("card "+c.id, cardPerSec); no != nil {
		return nil, no
	}
	if before, done := c.uuids[e.UUID]; done && e.UUID != "" {
		if before != what {
			return nil, refuse(200770, "uuid conflict")
		}
		return nil, nil
	}
	if e.Sequence <= c.sequence {
		return nil, refuse(300317, "sequence number compare failed")
	}
	card := cloneCard(c.json)
	if no := do(c, card); no != nil {
		return nil, no
	}
	if no := checkCard(card, true); no != nil {
		return nil, no
	}
	if len(encoded(card)) > feishuMaxCard {
		return nil, refuse(200860, "card content over the limit of 30 KB")
	}
	c.json, c.sequence = card, e.Sequence
	c.follow(s.now())
	if e.UUID != "" {
		c.uuids[e.UUID] = what
	}
	if c.message != "" {
		s.board.label(c.message, cardButtons(card))
		s.board.change(c.message, cardText(card), c.streams(s.now()))
	}
	return nil, nil
}

func cloneCard(card map[string]any) map[string]any {
	var again map[string]any
	if err := json.Unmarshal([]byte(encoded(card)), &again); err != nil {
		panic(err) // written by ourselves
	}
	return again
}

// elementContent streams the text of an element.
func (s *feishuServer) elementContent(r *http.Request) (any, *refusal) {
	var m struct {
		cardEdit

		Content string `json:"content"`
	}
	if err := strict(r, &m); err != nil || m.Content == "" || utf8.RuneCountInString(m.Content) > cardMaxText {
		return nil, refuse(10002, "invalid parameter: content")
	}
	id := r.PathValue("element")
	return s.edit(r, m.cardEdit, "content "+id+" "+m.Content, func(c *feishuCard, card map[string]any) *refusal {
		e := findElement(card, id)
		switch {
		case c.opened.IsZero():
			return refuse(300309, "streaming mode is closed")
		case !c.streams(s.now()):
			return refuse(200850, "card streaming timeout")
		case e == nil:
			return refuse(300313, "element does not exist")
		case e["tag"] != "markdown" && e["tag"] != "plain_text":
			return refuse(300310, "only text elements support streaming")
		}
		e["content"] = m.Content
		return nil
	})
}

func (s *feishuServer) cardUpdate(r *http.Request) (any, *refusal) {
	var m struct {
		cardEdit

		Card cardBody `json:"card"`
	}
	if err := strict(r, &m); err != nil || m.Card.Type != "card_json" {
		return nil, refuse(10002, "invalid parameter")
	}
	fresh, no := readCard(m.Card.Data)
	if no != nil {
		return nil, no
	}
	return s.edit(r, m.cardEdit, "card "+m.Card.Data, func(_ *feishuCard, card map[string]any) *refusal {
		clear(card)
		for key, value := range fresh {
			card[key] = value
		}
		return nil
	})
}

func (s *feishuServer) cardSettings(r *http.Request) (any, *refusal) {
	var m struct {
		cardEdit

		Settings string `json:"settings"`
	}
	var settings map[string]any
	if err := strict(r, &m); err != nil || json.Unmarshal([]byte(m.Settings), &settings) != nil {
		return nil, refuse(10002, "invalid parameter: settings")
	}
	return s.edit(r, m.cardEdit, "settings "+m.Settings, func(_ *feishuCard, card map[string]any) *refusal {
		return setCard(card, settings)
	})
}

// setCard changes the config and the link of a card.
func setCard(card, settings map[string]any) *refusal {
	for key, value := range settings {
		if key != "config" && key != "card_link" {
			return refuse(10002, "invalid parameter: settings."+key)
		}
		change, ok := value.(map[string]any)
		if !ok {
			return refuse(10002, "invalid parameter: settings."+key)
		}
		old, _ := card[key].(map[string]any)
		if old == nil {
			old = map[string]any{}
		}
		for name, v := range change {
			old[name] = v
		}
		card[key] = old
	}
	return nil
}

// cardConvert finds the entity of a message.
func (s *feishuServer) cardConvert(r *http.Request) (any, *refusal) {
	var m struct {
		Message string `json:"message_id"`
	}
	if err := strict(r, &m); err != nil {
		return nil, refuse(10002, "invalid parameter")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old, ok := s.messages.get(m.Message)
	if !ok || old.entity == "" {
		return nil, refuse(200740, "card entity does not exist")
	}
	return map[string]string{"card_id": old.entity}, nil
}

// cardBatch makes several changes at once, or none.
func (s *feishuServer) cardBatch(r *http.Request) (any, *refusal) {
	var m struct {
		cardEdit

		Actions string `json:"actions"`
	}
	var actions []struct {
		Action string     `json:"action"`
		Params elementSet `json:"params"`
	}
	if err := strict(r, &m); err != nil || strictJSON([]byte(m.Actions), &actions) != nil || len(actions) == 0 {
		return nil, refuse(10002, "invalid parameter: actions")
	}
	return s.edit(r, m.cardEdit, "batch "+m.Actions, func(_ *feishuCard, card map[string]any) *refusal {
		for _, a := range actions {
			if no := a.Params.apply(a.Action, card); no != nil {
				return no
			}
		}
		return nil
	})
}

func (s *feishuServer) elementAdd(r *http.Request) (any, *refusal) {
	var m struct {
		cardEdit

		Type     string `json:"type"`
		Target   string `json:"target_element_id"`
		Elements string `json:"elements"`
	}
	set := elementSet{}
	if err := strict(r, &m); err != nil || json.Unmarshal([]byte(m.Elements), &set.Elements) != nil {
		return nil, refuse(10002, "invalid parameter: elements")
	}
	set.Type, set.Target = m.Type, m.Target
	return s.edit(r, m.cardEdit, "add "+m.Elements, func(_ *feishuCard, card map[string]any) *refusal {
		return set.apply("add_elements", card)
	})
}

func (s *feishuServer) elementPut(r *http.Request) (any, *refusal) {
	var m struct {
		cardEdit

		Element string `json:"element"`
	}
	set := elementSet{ID: r.PathValue("element")}
	if err := strict(r, &m); err != nil || json.Unmarshal([]byte(m.Element), &set.Element) != nil {
		return nil, refuse(10002, "invalid parameter: element")
	}
	return s.edit(r, m.cardEdit, "put "+m.Element, func(_ *feishuCard, card map[string]any) *refusal {
		return set.apply("update_element", card)
	})
}

func (s *feishuServer) elementPatch(r *http.Request) (any, *refusal) {
	var m struct {
		cardEdit

		Partial string `json:"partial_element"`
	}
	set := elementSet{ID: r.PathValue("element")}
	if err := strict(r, &m); err != nil || json.Unmarshal([]byte(m.Partial), &set.Partial) != nil {
		return nil, refuse(10002, "invalid parameter: partial_element")
	}
	return s.edit(r, m.cardEdit, "patch "+m.Partial, func(_ *feishuCard, card map[string]any) *refusal {
		return set.apply("partial_update_element", card)
	})
}

func (s *feishuServer) elementDelete(r *http.Request) (any, *refusal) {
	var m cardEdit
	if err := strict(r, &m); err != nil {
		return nil, refuse(10002, "invalid parameter")
	}
	set := elementSet{IDs: []string{r.PathValue("element")}}
	return s.edit(r, m, "delete "+set.IDs[0], func(_ *feishuCard, card map[string]any) *refusal {
		return set.apply("delete_elements", card)
	})
}
