package platformtest

import (
	"net/http"
	"testing"
	"time"

	"switchboard/internal/bridge"
)

// Kit is what a connector brings to Run. Fill it in conformance_test.go:
//
//	func TestConformance(t *testing.T) {
//		t.Parallel()
//		platformtest.Run(t, platformtest.Kit{
//			Connector: feishu.Connector(),
//			Accounts:  []platformtest.Account{longConnection(), webhook(), groupRobot()},
//			Bad:       []platformtest.Value{{Key: "app_id", Value: "two words"}},
//			Good:      []platformtest.Value{{Key: "base_url", Value: "https://open.larksuite.com"}},
//			Words:     []string{"feishu.image"},
//		})
//	}
//
// What only one platform knows, such as its official test vectors, its dialect
// of Markdown and its recorded requests, stays in that package's other tests.
type Kit struct {
	Connector bridge.Connector
	// Accounts are the ways a bot can be configured: at least one of each mode,
	// and one more wherever a setting changes what the bot can do.
	Accounts []Account
	// Bad are values that Open must refuse, naming the field; Good are unusual
	// ones it must take. Each replaces one value of every account whose mode has
	// that field. A missing required value need not be listed.
	Bad, Good []Value
	// Words are the catalogue's keys that the package uses besides those of its
	// form, steps and findings.
	Words []string
}

// Value is one setting or secret.
type Value struct{ Key, Value string }

// Account is one way to configure a bot.
type Account struct {
	Name string
	// Config opens a bot. The suite fills in the addresses of the fake.
	Config bridge.Config
	// URLs are the settings and secrets that hold an address to call, such as
	// base_url, with the path that each has below the fake's address, often "".
	// The suite points them to the fake, or to a place that must not be called.
	// Keys that end in "ws_url" get the scheme ws.
	URLs map[string]string
	// Fake makes the platform's stand-in, for one test.
	Fake func(tb testing.TB) Fake
	// To is where a message goes, given the fake's address; the suite sets Key.
	To func(url string) bridge.Address
	// Hidden are words other than the secrets that must show in no error and no
	// log: what a send carries, such as the token the fake hands out.
	Hidden []string
	// Refused are secrets that the fake does not accept; nil if Check and Send
	// cannot tell.
	Refused []Value
	// Failures are the platform's answers to a send, and what they mean.
	Failures []Failure
	// Quote is an answer to a send that refuses it and repeats the given words,
	// as platforms do with tokens. They hold no quotation mark.
	Quote func(words string) Answer
	// Webhook is set if and only if the mode has one.
	Webhook *Webhook
	// SameDraft says that a draft begun twice with the same key is one message.
	SameDraft bool
	// Known and Unknown are people to look up, if the bot is a Directory.
	Known, Unknown bridge.UserID
	// Kept and Gone are files to open, if the bot is a FileOpener: the first
	// holds "content", the second cannot be fetched any more.
	Kept, Gone bridge.File
}

// Webhook makes requests as the platform does.
type Webhook struct {
	// Message is the payload of a text message in a direct chat, before it is
	// signed or encrypted. The id tells messages apart; the text stands in it as
	// it is, even if it is not valid UTF-8. It is as small as a real one may be.
	Message func(id, text string) []byte
	// Sign makes the request for any payload, as it arrives at that moment.
	Sign func(tb testing.TB, payload []byte, at time.Time) bridge.Request
	// Forged are requests to be refused: with wrong signatures (unauthenticated)
	// and signed rightly for somebody else (forbidden). Both have to be there, and
	// one that looks like the platform's but is signed with another key.
	Forged func(tb testing.TB) []Forgery
	// Handshakes are the requests the platform makes when the address is saved.
	Handshakes func(tb testing.TB) []Handshake
	// Sealed says that the signature covers the body: no changed body passes.
	Sealed bool
	// Fresh is how old a request may be; 0 where the platform signs no time.
	Fresh time.Duration
	// Rings says that a request carries nothing itself: it makes the bot, which is a
	// Listener, fetch what was written. Message then makes a ring.
	Rings bool
}

// Forgery is a request to be refused.
type Forgery struct {
	Name    string
	Request bridge.Request
	Want    bridge.Kind
	// Doubt is the setting that is named as perhaps wrong, because the request has the
	// form of the platform's own; empty where it has not.
	Doubt string
}

// Handshake is a request that is answered and carries nothing.
type Handshake struct {
	Name    string
	Request bridge.Request
	// Want is the body of the answer.
	Want string
}

// Failure is an answer to a send, and the error it has to become.
type Failure struct {
	Name   string
	Answer Answer
	Kind   bridge.Kind
	// Uncertain says that the message may have been shown all the same.
	Uncertain bool
}

// Answer is an HTTP answer. A zero Status breaks the connection after the
// request was read.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Fake is a platform's stand-in: as strict as the platform's pages, scripted,
// and on this machine. It is used by several goroutines at once. A fake whose
// platform can push on a connection of ours is a Pusher as well, one of a bot that
// is a Backfiller a Keeper, and one of a bot with Capabilities.Buttons a Clicker.
type Fake interface {
	// URL is the address to call.
	URL() string
	// Shown is what people see now, oldest first.
	Shown() []Shown
	// Calls counts the requests so far, of any kind.
	Calls() int
	// Answer makes the next call that shows something, or that changes what is
	// shown, get this answer and nothing else happen.
	Answer(Answer)
}

// Keeper is a Fake whose messages can be listed, as a Backfiller does.
type Keeper interface {
	// Keep puts a text message of a person's into a direct chat without
	// delivering it.
	Keep(chat, id, text string, at time.Time)
}

// Clicker is a Fake whose people press the buttons that they see.
type Clicker interface {
	// Click presses the button with these words on the newest message that shows one,
	// as the person who is written to, and returns the request that the platform makes
	// of it at that moment; false when nobody sees such a button.
	Click(tb testing.TB, words string, at time.Time) (bridge.Request, bool)
	// Clicked hands the answer to the last click to the platform; false when it is
	// none that the platform takes.
	Clicked(tb testing.TB, r bridge.Response) bool
}

// Pusher is a Fake that delivers on the connection that a Listener keeps.
type Pusher interface {
	// Push delivers a text message from one person in a direct chat, as soon as
	// there is a connection.
	Push(id, text string)
	// Acknowledged waits until the bot has answered the message, and tells whether it
	// said that it took it. Where the bot fetches messages it has by asking for what
	// comes after it.
	Acknowledged(id string) bool
}

// Shown is a message on somebody's screen.
type Shown struct {
	Text string
	// Growing says that it does not look complete.
	Growing bool
}
