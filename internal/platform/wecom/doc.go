// Package wecom connects a bot to WeCom (企业微信), as an app that a company
// makes for itself (自建应用) in WeCom's admin console, or as an account of its
// customer service (微信客服), to which people outside the company write from the
// personal WeChat.
//
// The console is at https://work.weixin.qq.com/wework_admin, the documentation
// at https://developer.work.weixin.qq.com/document/path/<number>; the pages this
// package follows are 90238 (receiving: addresses), 90239 (messages), 90240
// (events), 90241 (answers to them), 91144 (encryption), 91039 (token), 90236 (sending), 94867 (recall),
// 90227 (the app itself), 90254 (files), 90454 (frequency) and 90313 (codes).
//
// # Why there is no SDK here
//
// There is no official one for Go beyond a sample of the encryption. The
// community's differ in exactly the places that matter: some check the signature
// of the GET request but not of the POST, some use a base64 decoder that refuses
// most real keys, some keep trying a refused secret until WeCom shuts the address
// out, and all of them let the access token, which stands in the address, slip
// into errors and from there into logs. What is needed is one cipher, one XML
// envelope and some fifteen calls.
//
// # How a message travels
//
// WeCom posts an encrypted XML envelope to the callback address. It is answered
// at once with an empty 200, because an agent rarely answers within five
// seconds; the answer follows as a message of its own.
//
// Customer service is different: its callback only rings, with a ticket that is
// good for ten minutes. What was written, the last three days of it, is fetched
// from a cursor (page 94670), so nothing is missed that nobody rang for. A customer
// gets at most five messages for one of theirs, within 48 hours (page 94677), a
// greeting only by the code of the event (page 95122), and nothing while a member
// of staff has taken over (page 94669).
//
// Pictures, files and voice messages are uploaded first (page 96484) and kept by
// WeCom for three days.
//
// # Limits and oddities
//
//	callback address     verified companies must use a domain that is filed
//	                     (ICP) under their own name, so no common tunnel
//	saving the address   wants the bare decrypted echo within 1 s
//	callback answer      5 s; three tries; any status but 200 counts as a failure
//	signature            covers the ciphertext; there is no freshness in it
//	encryption           padded to 32, not 16; a key's last bits need not be 0
//	message id           a 64-bit number; events have none
//	trusted IP           every call but gettoken is refused (60020) from an
//	                     address not listed in the console; passing through
//	                     HTTPS_PROXY gives a laptop a fixed one
//	groups               an app hears nothing of them
//	text, markdown       2048 bytes, the rest is cut off silently
//	markdown             headings, bold, links, inline code and quotes; no lists,
//	                     tables, code blocks or pictures; not shown inside the
//	                     personal WeChat: see the setting "format"
//	errcode 0            does not mean delivered: see invaliduser
//	pace                 30 a minute and 1000 an hour to one member; what is
//	                     more is dropped silently, so it is held back here
//	idempotency          by content, see ledger
//	buttons              in a template card, at most 6, not inside the personal
//	                     WeChat; a click is answered by what the buttons become,
//	                     so a card is clicked once
//	refused secret       asking again and again blocks the address for an hour
package wecom
