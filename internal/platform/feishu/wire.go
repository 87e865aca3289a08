package feishu

import "encoding/json"

// loose is a JSON string, number or boolean, read as text. Times and codes are
// one or the other, depending on the API and its age.
type loose string

// sealed is the body of an encrypted request.
type sealed struct {
	Encrypt string `json:"encrypt"`
}

// push is the body of an event, of either version, or of a check of the address.
type push struct {
	Type      string          `json:"type"`  // of version 1, and of the check
	Token     string          `json:"token"` // of version 1, and of the check
	Challenge string          `json:"challenge"`
	Header    pushHeader      `json:"header"`
	Event     json.RawMessage `json:"event"`
}

type pushHeader struct {
	ID        string `json:"event_id"`
	Type      string `json:"event_type"`
	CreatedAt loose  `json:"create_time"`
	Token     string `json:"token"`
	AppID     string `json:"app_id"`
	TenantKey string `json:"tenant_key"`
}

// oldEvent is as much of an event of version 1 as is needed to name it.
type oldEvent struct {
	Type  string `json:"type"`
	AppID string `json:"app_id"`
}

// messageEvent is an im.message.receive_v1.
type messageEvent struct {
	Sender  pushSender  `json:"sender"`
	Message pushMessage `json:"message"`
}

type pushSender struct {
	ID        userIDs `json:"sender_id"`
	Type      string  `json:"sender_type"`
	TenantKey string  `json:"tenant_key"`
}

type userIDs struct {
	Open  string `json:"open_id"`
	Union string `json:"union_id"`
	User  string `json:"user_id"`
}

type pushMessage struct {
	ID        string    `json:"message_id"`
	CreatedAt loose     `json:"create_time"`
	ChatID    string    `json:"chat_id"`
	ThreadID  string    `json:"thread_id"`
	ParentID  string    `json:"parent_id"` // of the message that it answers
	ChatType  string    `json:"chat_type"`
	Type      string    `json:"message_type"`
	Content   string    `json:"content"` // JSON as text; empty when it was recalled
	Mentions  []mention `json:"mentions"`
}

type mention struct {
	Key  string  `json:"key"`
	ID   userIDs `json:"id"`
	Type string  `json:"mentioned_type"` // absent in older events
	Name string  `json:"name"`
}

// pushContent is the content of a message, of all types.
type pushContent struct {
	Text      string          `json:"text"`
	Title     string          `json:"title"`
	Content   json.RawMessage `json:"content"`
	Elements  json.RawMessage `json:"elements"`
	ImageKey  string          `json:"image_key"`
	FileKey   string          `json:"file_key"`
	FileName  string          `json:"file_name"`
	Duration  loose           `json:"duration"` // milliseconds
	Name      string          `json:"name"`
	Longitude loose           `json:"longitude"`
	Latitude  loose           `json:"latitude"`
}

// node is a piece of a rich text.
type node struct {
	Tag      string   `json:"tag"`
	Text     string   `json:"text"`
	Style    []string `json:"style"`
	Href     string   `json:"href"`
	UserID   string   `json:"user_id"`
	UserName string   `json:"user_name"`
	ImageKey string   `json:"image_key"`
	FileKey  string   `json:"file_key"`
	Emoji    string   `json:"emoji_type"`
	Language string   `json:"language"`
}

// clickEvent is a card.action.trigger.
type clickEvent struct {
	Operator struct {
		userIDs
		TenantKey string `json:"tenant_key"`
	} `json:"operator"`
	Action struct {
		Value json.RawMessage `json:"value"`
	} `json:"action"`
	Context struct {
		MessageID string `json:"open_message_id"`
		ChatID    string `json:"open_chat_id"`
	} `json:"context"`
}

// chatEvent is an event about a chat or about the bot's menu.
type chatEvent struct {
	ChatID      string  `json:"chat_id"`
	Operator    userIDs `json:"operator_id"`
	TenantKey   string  `json:"operator_tenant_key"`
	LastMessage string  `json:"last_message_id"`
	Name        string  `json:"name"`
	Menu        struct {
		ID userIDs `json:"operator_id"`
	} `json:"operator"`
	Key string `json:"event_key"`
}

// place is this package's part of the address of a draft.
type place struct {
	// Card is the growing card; without one the draft is a message with a card
	// that is replaced as a whole.
	Card     string `json:"card_id,omitempty"`
	Sequence int32  `json:"sequence,omitempty"`
	Began    int64  `json:"began"` // Unix milliseconds
	// UUID names the message to the platform, so that it is shown once.
	UUID string `json:"uuid"`
	// Shown says that the message is known to be there, and Message which one it is.
	Shown   bool   `json:"shown,omitempty"`
	Message string `json:"message_id,omitempty"`
	// Ended says that the card was finished; it does not grow any more.
	Ended bool `json:"ended,omitempty"`
}

// toasted answers a click with a few words on the screen of who clicked.
type toasted struct {
	Toast struct {
		Type    string            `json:"type"`
		Content string            `json:"content"`
		Words   map[string]string `json:"i18n"`
	} `json:"toast"`
}

type tokenRequest struct {
	ID     string `json:"app_id"`
	Secret string `json:"app_secret"`
}

type tokenAnswer struct {
	Token  string `json:"tenant_access_token"`
	Expire loose  `json:"expire"` // seconds
}

type botAnswer struct {
	Bot struct {
		Status loose  `json:"activate_status"`
		OpenID string `json:"open_id"`
	} `json:"bot"`
}

type scopesAnswer struct {
	Data struct {
		Scopes []struct {
			Name   string `json:"scope_name"`
			Status loose  `json:"grant_status"`
		} `json:"scopes"`
	} `json:"data"`
}

// messageSend is the body of both ways to send; a reply names no receiver.
type messageSend struct {
	To      string `json:"receive_id,omitempty"`
	Type    string `json:"msg_type"`
	Content string `json:"content"`
	UUID    string `json:"uuid,omitempty"`
}

type messageSent struct {
	Data struct {
		ID string `json:"message_id"`
	} `json:"data"`
}

type messagePatch struct {
	Content string `json:"content"`
}

type cardCreate struct {
	Type string `json:"type"`
	Data string `json:"data"`
}

type cardCreated struct {
	Data struct {
		ID string `json:"card_id"`
	} `json:"data"`
}

type cardTyped struct {
	Content  string `json:"content"`
	Sequence int32  `json:"sequence"`
}

type cardReplace struct {
	Card     cardCreate `json:"card"`
	Sequence int32      `json:"sequence"`
}

type cardAppend struct {
	Type     string `json:"type"`
	Elements string `json:"elements"`
	Sequence int32  `json:"sequence"`
}

type cardRemoval struct {
	Sequence int32 `json:"sequence"`
}

type cardSettings struct {
	Settings string `json:"settings"`
	Sequence int32  `json:"sequence"`
}

type fileKept struct {
	Data struct {
		Image string `json:"image_key"`
		File  string `json:"file_key"`
	} `json:"data"`
}

type userAnswer struct {
	Data struct {
		User struct {
			Name   string `json:"name"`
			Email  string `json:"email"`
			Work   string `json:"enterprise_email"`
			Mobile string `json:"mobile"`
			// Departments are open_department_ids.
			Departments []string `json:"department_ids"`

			Avatar struct {
				URL string `json:"avatar_240"`
			} `json:"avatar"`
		} `json:"user"`
	} `json:"data"`
}

// failure is the common part of all answers.
type failure struct {
	Code  *loose `json:"code"`
	Msg   string `json:"msg"`
	Error struct {
		LogID      string `json:"log_id"`
		Violations []struct {
			Subject string `json:"subject"`
		} `json:"permission_violations"`
	} `json:"error"`
}

// card is a card of the second schema, which takes no property it does not know.
type card struct {
	Schema string      `json:"schema"`
	Config cardConfig  `json:"config"`
	Header *cardHeader `json:"header,omitempty"`
	Body   cardBody    `json:"body"`
}

type cardConfig struct {
	Multi     bool         `json:"update_multi"`
	Streaming *bool        `json:"streaming_mode,omitempty"`
	Summary   *cardSummary `json:"summary,omitempty"`
	Pace      *cardPace    `json:"streaming_config,omitempty"`
}

type cardSummary struct {
	Content string `json:"content"`
}

// cardPace is how fast the client types.
type cardPace struct {
	Every    cardNumber `json:"print_frequency_ms"`
	Step     cardNumber `json:"print_step"`
	Strategy string     `json:"print_strategy"`
}

type cardNumber struct {
	Default int `json:"default"`
}

type cardHeader struct {
	Title cardLabel `json:"title"`
}

type cardLabel struct {
	Tag     string `json:"tag"`
	Content string `json:"content"`
}

type cardBody struct {
	Elements []cardElement `json:"elements"`
}

// cardElement is a text, a row of columns, a column or a button.
type cardElement struct {
	Tag       string         `json:"tag"`
	ID        string         `json:"element_id,omitempty"`
	Content   *string        `json:"content,omitempty"`
	Columns   []cardElement  `json:"columns,omitempty"`
	Width     string         `json:"width,omitempty"`
	Elements  []cardElement  `json:"elements,omitempty"`
	Text      *cardLabel     `json:"text,omitempty"`
	Type      string         `json:"type,omitempty"`
	Behaviors []cardBehavior `json:"behaviors,omitempty"`
}

type cardBehavior struct {
	Type  string            `json:"type"`
	Value map[string]string `json:"value,omitempty"`
	URL   string            `json:"default_url,omitempty"`
}

// cardSetting is the part of a card's configuration that is changed while it grows.
type cardSetting struct {
	Config struct {
		Streaming bool         `json:"streaming_mode"`
		Summary   *cardSummary `json:"summary,omitempty"`
	} `json:"config"`
}

// cardReference stands for a card that was made before.
type cardReference struct {
	Type string `json:"type"`
	Data struct {
		ID string `json:"card_id"`
	} `json:"data"`
}
