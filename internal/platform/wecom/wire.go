package wecom

import "encoding/xml"

// envelope is the body of a callback.
type envelope struct {
	XMLName xml.Name `xml:"xml"`
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
