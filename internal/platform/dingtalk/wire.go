package dingtalk

import "encoding/json"

// loose is a JSON string, number or boolean, read as text. DingTalk's pages and
// its traffic do not agree on which of them a field is.
type loose string

// push is the body of a robot message.
type push struct {
	Type              loose           `json:"msgtype"`
	ID                loose           `json:"msgId"`
	CreatedAt         loose           `json:"createAt"`
	ConversationType  loose           `json:"conversationType"`
	ConversationID    loose           `json:"conversationId"`
	ConversationTitle loose           `json:"conversationTitle"`
	SenderID          loose           `json:"senderId"`
	SenderStaffID     loose           `json:"senderStaffId"`
	SenderUnionID     loose           `json:"senderUnionId"`
	SenderNick        loose           `json:"senderNick"`
	SenderCorpID      loose           `json:"senderCorpId"`
	RobotCode         loose           `json:"robotCode"`
	RobotUserID       loose           `json:"chatbotUserId"`
	RobotCorpID       loose           `json:"chatbotCorpId"`
	Mentioned         loose           `json:"isInAtList"`
	Mentions          []mentioned     `json:"atUsers"`
	Webhook           loose           `json:"sessionWebhook"`
	WebhookExpires    loose           `json:"sessionWebhookExpiredTime"`
	Text              json.RawMessage `json:"text"`
	Content           json.RawMessage `json:"content"`
	Quote             *quoted         `json:"quoteMessage"`
	ErrorCode         loose           `json:"errorCode"`
	ErrCode           loose           `json:"errCode"`
}

type mentioned struct {
	ID loose `json:"dingtalkId"`
}

// pushContent is "text" or "content" of a push, for all types of message.
type pushContent struct {
	Content             loose      `json:"content"`
	RichText            []richPart `json:"richText"`
	DownloadCode        loose      `json:"downloadCode"`
	PictureDownloadCode loose      `json:"pictureDownloadCode"`
	Duration            loose      `json:"duration"`
	Recognition         loose      `json:"recognition"`
	VideoType           loose      `json:"videoType"`
	FileName            loose      `json:"fileName"`
	UnknownType         loose      `json:"unknownMsgType"`
	Replied             *quoted    `json:"repliedMsg"`
}

type richPart struct {
	Type                loose `json:"type"`
	Text                loose `json:"text"`
	Content             loose `json:"content"` // instead of text, in quotes
	DownloadCode        loose `json:"downloadCode"`
	PictureDownloadCode loose `json:"pictureDownloadCode"`
}

// quoted is the message that a message answers to, in either of its shapes.
type quoted struct {
	Content json.RawMessage `json:"content"`
	Text    json.RawMessage `json:"text"`
}

type quotedContent struct {
	Text     loose      `json:"text"`
	Content  loose      `json:"content"`
	RichText []richPart `json:"richText"`
}

// place is this package's part of an address.
type place struct {
	Webhook          string     `json:"sessionWebhook,omitempty"`
	ConversationID   string     `json:"openConversationId,omitempty"`
	ConversationType string     `json:"conversationType,omitempty"`
	StaffID          string     `json:"senderStaffId,omitempty"`
	SenderID         string     `json:"senderId,omitempty"` // only of a person without a staff id
	Card             *cardPlace `json:"card,omitempty"`
}

// cardPlace is where a growing answer lives.
type cardPlace struct {
	OutTrackID string `json:"outTrackId"`
	CarrierID  string `json:"carrierId,omitempty"`
	Shown      bool   `json:"shown,omitempty"`
	Clicks     bool   `json:"clicks,omitempty"` // come back to us
}

// The types of conversation.
const (
	conversationDirect = "1"
	conversationGroup  = "2"
)

// webhookMessage is what a session webhook takes. Its names are not those of
// the robot API's templates, so the two share no types.
type webhookMessage struct {
	Type       string        `json:"msgtype"`
	Text       *webhookText  `json:"text,omitempty"`
	Markdown   *markdownBody `json:"markdown,omitempty"`
	ActionCard *actionCard   `json:"actionCard,omitempty"`
	FeedCard   *feedCard     `json:"feedCard,omitempty"`
	At         *webhookAt    `json:"at,omitempty"`
}

type webhookText struct {
	Content string `json:"content"`
}

type markdownBody struct {
	Title string `json:"title"`
	Text  string `json:"text"`
}

type actionCard struct {
	Title       string         `json:"title"`
	Text        string         `json:"text"`
	SingleTitle string         `json:"singleTitle,omitempty"`
	SingleURL   string         `json:"singleURL,omitempty"`
	Orientation string         `json:"btnOrientation,omitempty"`
	Buttons     []actionButton `json:"btns,omitempty"`
}

type actionButton struct {
	Title string `json:"title"`
	URL   string `json:"actionURL"`
}

type feedCard struct {
	Links []feedLink `json:"links"`
}

type feedLink struct {
	Title   string `json:"title"`
	URL     string `json:"messageURL"`
	Picture string `json:"picURL"`
}

type webhookAt struct {
	UserIDs []string `json:"atUserIds"`
	All     bool     `json:"isAtAll"`
}

type tokenRequest struct {
	Key    string `json:"appKey"`
	Secret string `json:"appSecret"`
}

type tokenAnswer struct {
	Token     string `json:"accessToken"`
	ExpiresIn loose  `json:"expireIn"` // seconds
}

// robotSend is the body of both robot sends; the fields of the other are empty.
type robotSend struct {
	RobotCode      string   `json:"robotCode"`
	UserIDs        []string `json:"userIds,omitempty"`
	ConversationID string   `json:"openConversationId,omitempty"`
	Key            string   `json:"msgKey"`
	Param          string   `json:"msgParam"` // a JSON object as text
}

type robotSent struct {
	QueryKey       string   `json:"processQueryKey"`
	Invalid        []string `json:"invalidStaffIdList"`
	FlowControlled []string `json:"flowControlledStaffIdList"`
}

type fileRequest struct {
	Code      string `json:"downloadCode"`
	RobotCode string `json:"robotCode"`
}

type fileLink struct {
	URL string `json:"downloadUrl"`
}

type mediaKept struct {
	ID string `json:"media_id"`
}

type userRequest struct {
	ID       string `json:"userid"`
	Language string `json:"language"`
}

type userFound struct {
	Result struct {
		Name     string `json:"name"`
		Avatar   string `json:"avatar"`
		Mobile   string `json:"mobile"`
		Email    string `json:"email"`
		OrgEmail string `json:"org_email"`

		Departments []int64 `json:"dept_id_list"`
	} `json:"result"`
}

// cardCreate is the body of createAndDeliver.
type cardCreate struct {
	TemplateID   string        `json:"cardTemplateId"`
	OutTrackID   string        `json:"outTrackId"`
	CallbackType string        `json:"callbackType"`
	Route        string        `json:"callbackRouteKey,omitempty"`
	Data         cardData      `json:"cardData"`
	SpaceID      string        `json:"openSpaceId,omitempty"`
	UserIDType   int           `json:"userIdType"`
	GroupSpace   *cardSpace    `json:"imGroupOpenSpaceModel,omitempty"`
	GroupDeliver *groupDeliver `json:"imGroupOpenDeliverModel,omitempty"`
	RobotSpace   *cardSpace    `json:"imRobotOpenSpaceModel,omitempty"`
	RobotDeliver *robotDeliver `json:"imRobotOpenDeliverModel,omitempty"`
}

type cardData struct {
	Params map[string]string `json:"cardParamMap"`
}

type cardSpace struct {
	Forward bool              `json:"supportForward"`
	Preview map[string]string `json:"lastMessageI18n,omitempty"`
}

type groupDeliver struct {
	RobotCode string            `json:"robotCode"`
	At        map[string]string `json:"atUserIds,omitempty"`
}

type robotDeliver struct {
	SpaceType string `json:"spaceType"`
	RobotCode string `json:"robotCode"`
}

type cardCreated struct {
	Success *bool `json:"success"`
	Result  struct {
		Deliveries []struct {
			Success   bool   `json:"success"`
			CarrierID string `json:"carrierId"`
			Error     string `json:"errorMsg"`
		} `json:"deliverResults"`
	} `json:"result"`
}

// cardStream is one frame of a growing card. All three flags are always sent.
type cardStream struct {
	OutTrackID string `json:"outTrackId"`
	GUID       string `json:"guid"`
	Key        string `json:"key"`
	Content    string `json:"content"`
	Full       bool   `json:"isFull"`
	Finalize   bool   `json:"isFinalize"`
	Error      bool   `json:"isError"`
}

type cardStreamed struct {
	Success *bool `json:"success"`
}

// cardUpdate changes variables of a card.
type cardUpdate struct {
	OutTrackID string      `json:"outTrackId"`
	Data       cardData    `json:"cardData"`
	Options    updateByKey `json:"cardUpdateOptions"`
}

// updateByKey leaves the variables alone that are not named.
type updateByKey struct {
	Data    bool `json:"updateCardDataByKey"`
	Private bool `json:"updatePrivateDataByKey"`
}

// cardButton is one item of the list that a template shows as buttons.
type cardButton struct {
	Text  string `json:"text"`
	Value string `json:"value"`
}

// callbackRoute says where clicks are delivered.
type callbackRoute struct {
	Key    string `json:"callbackRouteKey"`
	URL    string `json:"callbackUrl"`
	Secret string `json:"apiSecret"`
	Force  bool   `json:"forceUpdate"`
}

// clickPush is the body of a click. What was clicked is JSON inside JSON, under
// one name or another.
type clickPush struct {
	OutTrackID loose           `json:"outTrackId"`
	CorpID     loose           `json:"corpId"`
	UserID     loose           `json:"userId"`
	UserIDType loose           `json:"userIdType"`
	SpaceID    loose           `json:"spaceId"`
	SpaceType  loose           `json:"spaceType"`
	Content    json.RawMessage `json:"content"`
	Value      json.RawMessage `json:"value"`
	ActionData json.RawMessage `json:"actionData"`
}

type clickContent struct {
	Private struct {
		ActionIDs []loose          `json:"actionIds"`
		Params    map[string]loose `json:"params"`
	} `json:"cardPrivateData"`
	Params map[string]loose `json:"params"`
}

// clickAnswer is the answer to a click. It changes nothing: whoever handles the
// click knows what the card shall show then.
type clickAnswer struct {
	Data    cardData    `json:"cardData"`
	Private cardData    `json:"userPrivateData"`
	Options updateByKey `json:"cardUpdateOptions"`
}

// failure is an error in any of DingTalk's shapes: the new API's code and
// message, the old one's errcode and errmsg, and the gateway's ban.
type failure struct {
	Code      loose  `json:"code"`
	Message   loose  `json:"message"`
	RequestID loose  `json:"requestid"`
	Denied    denied `json:"accessdenieddetail"` // its spelling varies in case only
	ErrCode   *loose `json:"errcode"`
	ErrMsg    loose  `json:"errmsg"`
	SubCode   loose  `json:"sub_code"`
	SubMsg    loose  `json:"sub_msg"`
	Status    loose  `json:"status"`
	Wait      loose  `json:"wait"`
}

type denied struct {
	Scopes []string `json:"requiredScopes"`
}
