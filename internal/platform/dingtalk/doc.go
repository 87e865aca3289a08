// Package dingtalk connects a bot to DingTalk (钉钉), as the robot of an app that
// a company makes for itself in DingTalk's developer console.
//
// The console is at https://open-dev.dingtalk.com, the documentation at
// https://open.dingtalk.com/document/development/<page>; the pages this package
// follows are receive-message and robot-message-type (robot messages),
// obtain-the-access_token-of-an-internal-app (token), the robot pages for single
// and group chats (send), create-and-deliver-cards and api-streamingupdate
// (cards whose text grows).
//
// # Why there is no SDK here
//
// The official Go SDK speaks only the long connection. Its newest stable
// release, v0.9.1, writes to a closed channel in a goroutine of its own when a
// connection drops, which ends the whole process and cannot be recovered from;
// it also prints the client secret and the connection ticket into its log, and
// its reply helper overlooks the error code that DingTalk hides in an HTTP 200.
// The generated API SDK is a tree of thousands of types for the six calls
// needed. A small client on net/http is shorter than the code that would guard
// against either.
//
// # How a message travels
//
// DingTalk posts a message to the callback address. The answer goes to the
// message's own session webhook, which needs no token and costs no API call,
// but works for about 90 minutes only and exists only for messages that were
// received. After that, and for messages of our own accord, the robot API is
// used, which does cost calls. When the admin names a card template, answers
// grow on screen in an AI card.
//
// # Limits and oddities
//
//	signature            covers the timestamp and the secret, not the body
//	clock                more than one hour off refuses everything
//	callback answer      2.5 s; a second one is never far, so accept by msgId
//	group                only messages that mention the robot are delivered
//	voice, video, file   only reach the robot in a direct chat
//	session webhook      about 90 minutes, about 20 000 bytes, any public host
//	                     could stand in the unsigned body: see config.trusts
//	robot API            msgParam at most 15 000 bytes, 20 calls a second
//	mentions             only by session webhook: @id in the text and in "at"
//	idempotency          none for messages; outTrackId and guid for cards
//	HTTP 200             does not mean sent: errcode, the two lists of refused
//	                     ids, and deliverResults have the last word
//	HTTP 403             may mean "later": the code decides
//	free budget          5 000 API calls and 3 000 pushes a month and company; a
//	                     message to us is a push, and so is, as far as one can
//	                     read it out of the pages, an answer by session webhook
//	markdown             no tables; single line breaks vanish
//	senderStaffId        empty for outsiders and before the app is published;
//	                     the API cannot write to such a person
package dingtalk
