// Package feishu connects a bot to Feishu (飞书), or to Lark, as the bot of an
// app that a company makes for itself in the developer console.
//
// The console is at https://open.feishu.cn/app, the documentation at
// https://open.feishu.cn/document/<page>; Lark has both at open.larksuite.com,
// with the same paths, codes and JSON, but other apps and ids. The pages this
// package follows:
//
//	uAjLw4CM/ukTMukTMukTM/reference/im-v1/message/events/receive   messages
//	uAjLw4CM/ukTMukTMukTM/im-v1/message/events/message_content     their content
//	uAjLw4CM/ukTMukTMukTM/reference/im-v1/message/create, …/reply  send
//	uAjLw4CM/ukTMukTMukTM/im-v1/message/create_json                what is sent
//	uAjLw4CM/ukTMukTMukTM/reference/im-v1/message/list             what was missed
//	uAjLw4CM/ukTMukTMukTM/cardkit-v1/card/create and its siblings  growing cards
//	cardkit-v1/streaming-updates-openapi-overview                  how they grow
//	uAjLw4CM/ukzMukzMukzM/feishu-cards/card-json-v2-structure      cards
//	uAjLw4CM/ukzMukzMukzM/feishu-cards/card-callback-communication clicks
//	ukTMukTMukTM/ukDNz4SO0MjL5QzM/auth-v3/auth/tenant_access_token_internal
//	ukTMukTMukTM/ugjM14COyUjL4ITN                                  codes
//	platform-notices/platform-updates-/custom-app-api-call-limit   monthly budget
//
// # Why there is no SDK here
//
// Fifteen calls are needed. The official Go SDK brings 26 MB of source for them
// and 10 MB of binary, and in v3.12.0 it would have to be guarded against: after
// "token invalid" it tries again with the same cached token; that cache is one
// variable of the package, whatever server a client speaks to; its dispatcher
// decrypts before it checks the signature, compares in variable time and does
// not look at the verification token of events; it checks no padding; and it
// answers a handler's error with words that are not escaped. A small client on
// net/http is shorter than the code around all that.
//
// # How a message travels
//
// Feishu posts an event to the callback address, encrypted and signed if the app
// has an Encrypt Key. The answer is a card whose text grows: the card is made at
// once but shown to nobody, it is sent with the first text, each further text
// replaces the whole of it under a rising number, and in the end the growing is
// switched off. Such a card can be sent one time only, which is what keeps an
// answer from being shown twice; its id is stored before anybody sees it. An app
// without the right cardkit:card:write answers with a message whose card is
// replaced now and then. Should a card be refused for the way it is written, a
// rich text takes its place, and then a plain one.
//
// Buttons stand below the text, while it grows the one that stops it. A click is
// answered with a few words on the screen of who made it, and what comes of it is
// shown in the same card if it can be, but not before the platform has that
// answer. An emoji below a message is told without the chat it is in, so that it
// cannot be placed without asking; ratings are buttons.
//
// In a group an answer is a reply to the question, so that its author is told;
// in a direct chat it is a message of its own, unless the chat has topics.
//
// # Limits and oddities
//
//	check of the address  answered within 1 s, never signed, encrypted with a key
//	signature             SHA-256 with the Encrypt Key, over the encrypted body;
//	                      without a key only the token in the body can be checked
//	events                answered within 3 s, repeated after 15 s, 5 min, 1 h and
//	                      6 h; to be told apart by message_id, not by event_id
//	mentions              placeholders such as @_user_1 in the text
//	own id                in no event: bot/v3/info tells it, so the first group
//	                      message that mentions any bot is taken as ours
//	user_id               only with a right of its own; open_id is for one app
//	token                 2 h; a new one is given when less than 30 min are left
//	send                  30 KB with a card or rich text, 150 KB with a text; one
//	                      uuid is shown once within an hour
//	pace                  5 messages a second to a chat, 50 calls a second and
//	                      1000 a minute of each API, 10 changes a second to a card
//	HTTP 429              "in a second" (99991400) or "next month" (99991403)
//	free budget           10 000 calls a month, all apps of a company together,
//	                      of which each update of a card is one; log-ins, the
//	                      address book and calls answered with 4xx are not
//	growing               ends by itself after ten minutes; 14 days in all; never
//	                      left on, or the card cannot be forwarded
//	clicks                answered within 3 s, never repeated; anybody in a group can
//	                      make them; they come only if card.action.trigger was added
//	                      under 回调配置, beside the events
//	sequence              rises over all changes of a card, in all processes
//	cards                 JSON 2.0 refuses what it does not know; a picture that
//	                      was not uploaded, or a fourth table, takes it all down
//	tags                  <at id=all></at> from a model would tell everybody, so
//	                      what looks like a tag is written as &#60;
//	files                 10 MB as a picture, 30 MB otherwise; voices are opus
//	list of messages      50 at a time; a group's takes the right to read
//	                      everything, and of a topic it has the first one only
//	quoted message        only its id is told; to read it in a group takes the
//	                      right to read everything
package feishu
