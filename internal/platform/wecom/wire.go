package wecom

import (
	"encoding/json"
	"encoding/xml"
	"strings"
)

// envelope is the body of a callback.
type envelope struct {
	XMLName xml.Name `xml:"xml"`
	To      string   `xml:"ToUserName"`
	Encrypt string   `xml:"Encrypt"`
}

// push is what an envelope carries: a message or an event. Numbers are read as
// text, because an empty or odd one shall not cost the message.
type push struct {
	XMLName    xml.Name `xml:"xml"`
	FromUser   string   `xml:"FromUserName"`
	CreateTime string   `xml:"CreateTime"`
	Type       string   `xml:"MsgType"`
	ID         string   `xml:"MsgId"`
	AgentID    string   `xml:"AgentID"`

	Content string `xml:"Content"`
	MediaID string `xml:"MediaId"`
	// Format is of a voice message.
	Format   string `xml:"Format"`
	FileName string `xml:"FileName"`

	LocationX string `xml:"Location_X"`
	LocationY string `xml:"Location_Y"`
	Label     string `xml:"Label"`

	Title       string `xml:"Title"`
	Description string `xml:"Description"`
	URL         string `xml:"Url"`

	Event    string `xml:"Event"`
	EventKey string `xml:"EventKey"`
	// TaskID is of the card whose button was clicked.
	TaskID string `xml:"TaskId"`

	// Ticket and Account are of the event that something was written to an account
	// of customer service.
	Ticket  string `xml:"Token"`
	Account string `xml:"OpenKfId"`
}

// sealed is the body of an answer to a callback that says something.
type sealed struct {
	XMLName   xml.Name `xml:"xml"`
	Encrypt   verbatim `xml:"Encrypt"`
	Signature verbatim `xml:"MsgSignature"`
	Time      int64    `xml:"TimeStamp"`
	Nonce     verbatim `xml:"Nonce"`
}

// chosen is what such an answer holds: the buttons of the card that was clicked
// become one that says what was chosen.
type chosen struct {
	XMLName xml.Name `xml:"xml"`
	To      verbatim `xml:"ToUserName"`
	From    verbatim `xml:"FromUserName"`
	Time    int64    `xml:"CreateTime"`
	Type    verbatim `xml:"MsgType"`
	Name    verbatim `xml:"Button>ReplaceName"`
}

// verbatim is a text as WeCom writes it.
type verbatim struct {
	Text string `xml:",cdata"`
}

// failure is what every JSON answer begins with.
type failure struct {
	Code    *int64 `json:"errcode"`
	Message string `json:"errmsg"`
}

type tokenAnswer struct {
	Token     string `json:"access_token"`
	ExpiresIn int64  `json:"expires_in"`
}

// outgoing is a message without its receiver: Body stands under the name of its
// type.
type outgoing struct {
	Type string
	Body any
}

type textBody struct {
	Content string `json:"content"`
}

// buttonCard is a template card with buttons.
type buttonCard struct {
	Type    string       `json:"card_type"`
	Title   cardTitle    `json:"main_title"`
	TaskID  string       `json:"task_id"`
	Buttons []cardButton `json:"button_list"`
}

type cardTitle struct {
	Title string `json:"title"`
}

type cardButton struct {
	Text string `json:"text"`
	Key  string `json:"key"`
}

// sent is the answer to a message. The lists are separated by bars.
type sent struct {
	ID         string `json:"msgid"`
	Invalid    string `json:"invaliduser"`
	Unlicensed string `json:"unlicenseduser"`
}

type recallRequest struct {
	ID string `json:"msgid"`
}

// appFound is the app as the console has it.
type appFound struct {
	Name   string `json:"name"`
	Closed int    `json:"close"`
}

// userFound is a member, as far as an app may know one.
type userFound struct {
	Name   string `json:"name"`
	Email  string `json:"email"`
	Mobile string `json:"mobile"`
	Avatar string `json:"avatar"`

	Departments []int64 `json:"department"`
}

// loose is a JSON string, number or boolean, read as text.
type loose string

// UnmarshalJSON implements json.Unmarshaler. What it cannot read is empty: one odd
// value shall not cost the message.
func (l *loose) UnmarshalJSON(data []byte) error {
	var text string
	switch {
	case json.Unmarshal(data, &text) == nil:
		*l = loose(text)
	case len(data) > 0 && strings.IndexByte("-0123456789tf", data[0]) >= 0:
		*l = loose(data)
	}
	return nil
}

type fetchRequest struct {
	Cursor  string `json:"cursor,omitempty"`
	Ticket  string `json:"token,omitempty"`
	Limit   int    `json:"limit"`
	Account string `json:"open_kfid"`
}

// fetched is a page of what was written to an account of customer service.
type fetched struct {
	Next  string            `json:"next_cursor"`
	More  loose             `json:"has_more"`
	Items []json.RawMessage `json:"msg_list"`
}

// written is a message or an event; which of its parts there is, Type tells.
type written struct {
	ID       loose `json:"msgid"`
	Account  loose `json:"open_kfid"`
	Customer loose `json:"external_userid"`
	SentAt   loose `json:"send_time"`
	Origin   loose `json:"origin"`
	Type     loose `json:"msgtype"`

	Text struct {
		Content loose `json:"content"`
	} `json:"text"`
	Image       keptFile    `json:"image"`
	Voice       keptFile    `json:"voice"`
	Video       keptFile    `json:"video"`
	File        keptFile    `json:"file"`
	Location    somewhere   `json:"location"`
	Link        pointer     `json:"link"`
	MiniProgram miniProgram `json:"miniprogram"`
	Event       occurred    `json:"event"`
}

type keptFile struct {
	ID   loose `json:"media_id"`
	Name loose `json:"filename"`
}

type somewhere struct {
	Latitude  loose `json:"latitude"`
	Longitude loose `json:"longitude"`
	Name      loose `json:"name"`
	Address   loose `json:"address"`
}

type pointer struct {
	Title       loose `json:"title"`
	Description loose `json:"desc"`
	URL         loose `json:"url"`
}

type miniProgram struct {
	Title loose `json:"title"`
}

type occurred struct {
	Type     loose `json:"event_type"`
	Customer loose `json:"external_userid"`
	Welcome  loose `json:"welcome_code"`
	Reason   loose `json:"fail_type"`
	Change   loose `json:"change_type"`
	Recalled loose `json:"recall_msgid"`
}

type talkRequest struct {
	Account  string `json:"open_kfid"`
	Customer string `json:"external_userid"`
}

type talkFound struct {
	State int `json:"service_state"`
}

type customersRequest struct {
	IDs []string `json:"external_userid_list"`
}

type customersFound struct {
	Customers []struct {
		ID     string `json:"external_userid"`
		Name   string `json:"nickname"`
		Avatar string `json:"avatar"`
	} `json:"customer_list"`
}

type accountsRequest struct {
	Offset int `json:"offset"`
	Limit  int `json:"limit"`
}

type accountsFound struct {
	Accounts []struct {
		ID      string `json:"open_kfid"`
		Name    string `json:"name"`
		Managed *bool  `json:"manage_privilege"`
	} `json:"account_list"`
}

type mediaBody struct {
	ID string `json:"media_id"`
}

type uploaded struct {
	ID string `json:"media_id"`
}
