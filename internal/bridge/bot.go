package bridge

import (
	"context"
	"io"
	"iter"
	"time"
)

// Bot is one configured account on a platform. All methods may be called from
// several goroutines at once.
type Bot interface {
	// Receive authenticates and reads one webhook request. It never uses the
	// network and never blocks, because the platform waits for the answer. An
	// error of KindUnauthenticated, KindForbidden or KindInvalid means that the
	// request is refused; a genuine request we can make nothing of is not an
	// error but a Delivery with a Note. Bots without a webhook mode return an
	// error of KindUnsupported.
	Receive(ctx context.Context, req Request) (Delivery, error)
	// Send shows one message. An address with the same Key as an earlier one is
	// shown at most once where the mode's Capabilities say Keyed. The content
	// must fit the limits in Capabilities; what the platform cannot show
	// natively is degraded by the bot.
	Send(ctx context.Context, to Address, c Content) (MessageID, error)
	// Check tries the credentials, permissions and settings against the real
	// platform, without disturbing anybody. The error is only for "could not
	// check at all"; what was found wrong is in the findings.
	Check(ctx context.Context) ([]Finding, error)
	// Close releases what Open acquired. Closing twice is fine.
	Close() error
}

// Capable is a Bot whose settings decide what it can do: its Capabilities take
// the place of the mode's.
type Capable interface {
	Capabilities() Capabilities
}

// Streamer is a Bot whose answers can grow on screen.
type Streamer interface {
	// Begin prepares a draft but shows nothing yet: the first Update, Finish or
	// Fail does. In between the caller stores Draft.Address, so that after a
	// crash the same draft is found again and never a second one appears. An
	// address with the same Key leads to the same visible message where the
	// platform allows it.
	Begin(ctx context.Context, to Address) (Draft, error)
	// Resume takes up a draft from the stored result of its Address method,
	// whether it was already shown or not. An error of KindNotFound or
	// KindExpired means that the draft can no longer be changed. One that was
	// finished may be resumed to finish it with another content, so that a card
	// shows what was chosen; where that cannot be, one of the two says so with
	// such an error or with KindUnsupported, and shows nothing new.
	Resume(ctx context.Context, draft Address) (Draft, error)
}

// Draft is an answer on its way: visible and still growing. It is used by one
// goroutine at a time.
type Draft interface {
	// Update shows the whole text so far. The caller keeps to the mode's
	// UpdateInterval. An error leaves the draft usable.
	Update(ctx context.Context, whole string) error
	// Finish shows the final content and ends the growing state.
	Finish(ctx context.Context, c Content) (MessageID, error)
	// Fail ends the growing state with a notice: shown alone when there was no
	// text yet, below the text otherwise. The bot keeps what was shown.
	Fail(ctx context.Context, notice string) error
	// Address returns where the draft lives, with everything Resume needs. It
	// changes when the draft is shown, so it is stored again then.
	Address() Address
}

// Listener is a Bot that keeps a connection of its own instead of a webhook.
type Listener interface {
	// Listen blocks until ctx ends, reconnecting by itself; a lasting trouble,
	// such as a refused secret, is returned. It calls accept for each delivery
	// and acknowledges it to the platform only when accept returned nil.
	Listen(ctx context.Context, accept func(context.Context, Delivery) error) error
}

// FileOpener is a Bot that can fetch the files people send.
type FileOpener interface {
	// OpenFile starts a download; the caller closes it and limits what it reads.
	OpenFile(ctx context.Context, f File) (io.ReadCloser, error)
}

// Quoter is a Bot that can look up what a message answers.
type Quoter interface {
	// Quoted returns the text and the files of the message called m.QuoteID.
	// Neither, without an error, means that it holds nothing that can be read.
	// KindForbidden means that the app lacks the right to read it.
	Quoted(ctx context.Context, m Message) (Message, error)
}

// Directory is a Bot that can look people up.
type Directory interface {
	// LookUp returns what the platform lets us know of a person. Fields that the
	// app may not read are empty, which is not an error.
	LookUp(ctx context.Context, user UserID) (Profile, error)
}

// DepartmentLister is a Bot that can list the departments of its company.
type DepartmentLister interface {
	// Departments returns those that the app may see, from the top down.
	// KindForbidden means that it lacks the right to see them or their names.
	Departments(ctx context.Context) ([]Department, error)
}

// ChatNamer is a Bot whose messages do not say what a group is called.
type ChatNamer interface {
	// ChatName returns the name of a group that the bot is part of. KindForbidden
	// means that it lacks the right to see it.
	ChatName(ctx context.Context, chat string) (string, error)
}

// Recaller is a Bot that can take back a message it sent.
type Recaller interface {
	Recall(ctx context.Context, message MessageID, at Address) error
}

// Previewer is a Bot that can say how it would show something.
type Previewer interface {
	// Preview returns what Send would show for a content, message by message. It
	// does not use the network; what Send refuses for what it is, Preview refuses
	// with the same error.
	Preview(to Address, c Content) ([]Shown, error)
}

// Backfiller is a Bot that can list what was written while it was away: while
// this computer slept, the program did not run or nobody could reach it. The
// house asks once for each chat it knows when the bot can be reached again, and
// accepts what it finds like a delivery, so that a message is answered once,
// whichever way it came.
type Backfiller interface {
	// Missed yields the messages to the bot in a chat since a moment, oldest
	// first, the same as Receive or Listen would have delivered them, with the
	// same ids: what people wrote to others, what the bot wrote and what was
	// taken back is not among them. Messages that were delivered are.
	//
	// An error ends the sequence. KindForbidden means that the app lacks the
	// right to list chats of this kind. A chat that the bot is no longer part of
	// has nothing to list, which is not an error.
	Missed(ctx context.Context, chat Chat, since time.Time) iter.Seq2[Message, error]
}

// Renewer is a Bot or an Agent that keeps connections for its calls.
type Renewer interface {
	// Renew has the next call make a new connection, because this computer slept and
	// those that are kept may be dead without anybody having said so. What is under
	// way is not cut off, but given up sooner if nothing comes any more.
	Renew()
}

// Finding is one result of Bot.Check or of an agent's check.
type Finding struct {
	// Code names what was checked, for example "credential" or "scope"; the
	// words are in the catalogue under "finding.<platform>.<code>" and, when it
	// is not OK, the next step under "finding.<platform>.<code>.next".
	Code string
	OK   bool
	// Args fill the placeholders of the words: an IP address, a link, a scope.
	Args map[string]string
	// Err is the platform's answer when it is not OK.
	Err error
}
