package simulator

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"switchboard/internal/bridge"
)

// wecomKey are the letters of the ids and keys of a card.
const wecomKey = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-@"

// wecomCard is a template card with buttons, the only one it plays (page 90236).
type wecomCard struct {
	Type  string `json:"card_type"`
	Title struct {
		Title string `json:"title"`
		Desc  string `json:"desc"`
	} `json:"main_title"`
	SubTitle string        `json:"sub_title_text"`
	TaskID   string        `json:"task_id"`
	Buttons  []wecomButton `json:"button_list"`

	employee string
	chosen   string // what the buttons became
}

type wecomButton struct {
	Type  int    `json:"type"`
	Text  string `json:"text"`
	Style int    `json:"style"`
	Key   string `json:"key"`
	URL   string `json:"url"`
}

// wrong says what is wrong with a card.
func (c wecomCard) wrong() string {
	switch {
	case c.Type != "button_interaction":
		return "card_type"
	case c.Title.Title == "":
		return "main_title"
	case c.TaskID == "" || len(c.TaskID) > 128 || strings.Trim(c.TaskID, wecomKey) != "":
		return "task_id"
	case len(c.Buttons) == 0 || len(c.Buttons) > 6:
		return "button_list"
	}
	for _, b := range c.Buttons {
		// The pages name the letters of keys for the task cards of before only.
		if b.Text == "" || b.Type != 0 || b.URL != "" || b.Style < 0 || b.Style > 4 || b.Key == "" || len(b.Key) > 1024 || strings.Trim(b.Key, wecomKey) != "" {
			return "button_list"
		}
	}
	return ""
}

// fresh takes the id of a card, which no other may have.
func (s *wecomServer) fresh(task string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known := s.tasks.get(task)
	s.tasks.put(task, struct{}{})
	return !known
}

// deal keeps a card that was shown, if the message is one.
func (s *wecomServer) deal(id, employee string, c *wecomCard) {
	if c == nil {
		return
	}
	c.employee = employee
	s.mu.Lock()
	s.cards.put(id, c)
	s.mu.Unlock()
	var words []string
	for _, b := range c.Buttons {
		words = append(words, b.Text)
	}
	s.board.label(id, words)
}

// click composes the event of a click.
func (s *wecomServer) click(employee, message, button string) (delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, known := s.cards.get(message)
	if !known || c.employee != employee || c.chosen != "" {
		return delivery{}, unseen(employee, message, button)
	}
	at := slices.IndexFunc(c.Buttons, func(b wecomButton) bool { return b.Text == button })
	if at < 0 {
		return delivery{}, unseen(employee, message, button)
	}
	inner := fmt.Sprintf("<xml><ToUserName><![CDATA[%s]]></ToUserName><FromUserName><![CDATA[%s]]></FromUserName><CreateTime>%d</CreateTime>"+
		"<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[template_card_event]]></Event><EventKey><![CDATA[%s]]></EventKey>"+
		"<TaskId><![CDATA[%s]]></TaskId><CardType><![CDATA[button_interaction]]></CardType><ResponseCode><![CDATA[%s]]></ResponseCode><AgentID>%d</AgentID></xml>",
		corpID, wecomUser(employee), s.now().Unix(), c.Buttons[at].Key, c.TaskID, random(), agentID)
	return delivery{
		id: bridge.MessageID(message), platform: wecom, bot: corpName,
		make: func(hook string) (*http.Request, error) { return s.request(hook, s.encrypt([]byte(inner))) },
		good: func(status int, body []byte) bool {
			return status == http.StatusOK && s.clicked(c, employee, message, body)
		},
	}, nil
}

// clicked reads the answer to a click: nothing, or what the buttons become (page
// 90241). Only the first one changes the card.
func (s *wecomServer) clicked(c *wecomCard, employee, message string, body []byte) bool {
	if len(body) == 0 {
		return true
	}
	var a struct {
		XMLName xml.Name `xml:"xml"`
		To      string   `xml:"ToUserName"`
		From    string   `xml:"FromUserName"`
		Type    string   `xml:"MsgType"`
		Created int64    `xml:"CreateTime"`
		Name    string   `xml:"Button>ReplaceName"`
	}
	plain, ok := s.open(body)
	if !ok || xml.Unmarshal(plain, &a) != nil || a.To != wecomUser(employee) || a.From != corpID || a.Type != "update_button" || a.Created == 0 || a.Name == "" {
		s.violate("wecom: the answer to a click is not understood")
		return false
	}
	s.mu.Lock()
	first := c.chosen == ""
	if first {
		c.chosen = a.Name
	}
	s.mu.Unlock()
	if first {
		s.board.label(message, nil)
		s.board.change(message, c.Title.Title+"\n"+a.Name, false)
	}
	return true
}

// open reads the sealed answer to a callback.
func (s *wecomServer) open(body []byte) ([]byte, bool) {
	var e struct {
		XMLName   xml.Name `xml:"xml"`
		Encrypt   string   `xml:"Encrypt"`
		Signature string   `xml:"MsgSignature"`
		Time      int64    `xml:"TimeStamp"`
		Nonce     string   `xml:"Nonce"`
	}
	if xml.Unmarshal(body, &e) != nil || e.Signature != s.sign(strconv.FormatInt(e.Time, 10), e.Nonce, e.Encrypt) {
		return nil, false
	}
	key, _ := base64.StdEncoding.DecodeString(s.aesKey + "=") // made by ourselves
	data, err := base64.StdEncoding.DecodeString(e.Encrypt)
	block, blockErr := aes.NewCipher(key)
	if err != nil || blockErr != nil || len(data) == 0 || len(data)%32 != 0 {
		return nil, false
	}
	cipher.NewCBCDecrypter(block, key[:16]).CryptBlocks(data, data)
	pad := int(data[len(data)-1])
	if pad < 1 || pad > 32 || len(data)-pad < 20 {
		return nil, false
	}
	data = data[16 : len(data)-pad]
	n := int(binary.BigEndian.Uint32(data))
	if n > len(data)-4 || string(data[4+n:]) != corpID {
		return nil, false
	}
	return data[4 : 4+n], true
}
