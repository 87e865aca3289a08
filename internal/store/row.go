package store

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"switchboard/internal/bridge"
)

// jobColumns are read by scanJob.
const jobColumns = "id, queue, lane, state, attempt, last_error, accepted_at, due_at, started_at, finished_at, text, extra, message, action"

// extra is the content of a job beside the text.
type extra struct {
	Quote string            `json:"quote,omitempty"`
	Files []bridge.File     `json:"files,omitempty"`
	Value map[string]string `json:"value,omitempty"` // of an action
}

// jobRow is a new job as it is stored.
type jobRow struct {
	bot, origin, queue, lane     string
	text, extra, message, action string
	platform, title              string
	at                           int64
	id                           int64 // filled in by accept
}

func (r jobRow) isAction() int {
	if r.action == "" {
		return 0
	}
	return 1
}

// newRow splits a job into content and the rest, and encodes both. It is done
// before the writer's turn, because the writer is what everybody waits for.
func newRow(n bridge.NewJob) (jobRow, error) {
	m := n.Message
	more := extra{Quote: m.Quote, Files: m.Files}
	r := jobRow{
		bot: clean(m.Bot), origin: "m:" + clean(string(m.ID)), queue: clean(n.Queue), lane: clean(n.Lane), text: clean(m.Text),
		platform: string(m.Platform),
	}
	if m.Chat.Kind == bridge.Group {
		r.title = clean(m.Chat.Title)
	}
	m.Text, m.Quote, m.Files = "", "", nil
	var err error
	if n.Action != nil {
		a := *n.Action
		more.Value, a.Value = a.Value, nil
		r.origin = "a:" + clean(a.ID)
		r.bot = clean(cmp.Or(a.Bot, m.Bot))
		if r.action, err = encode(a); err != nil {
			return r, err
		}
	}
	if r.message, err = encode(m); err != nil {
		return r, err
	}
	if more.Quote != "" || len(more.Files) > 0 || len(more.Value) > 0 {
		r.extra, err = encode(more)
	}
	return r, err
}

type scanner interface{ Scan(dest ...any) error }

// scanJob reads jobColumns.
func scanJob(row scanner) (bridge.Job, error) {
	var j bridge.Job
	var accepted, due, started, finished int64
	var text, more, message, action string
	err := row.Scan(&j.ID, &j.Queue, &j.Lane, &j.State, &j.Attempt, &j.LastError, &accepted, &due, &started, &finished,
		&text, &more, &message, &action)
	if err != nil {
		return j, err
	}
	j.AcceptedAt, j.DueAt, j.StartedAt, j.FinishedAt = moment(accepted), moment(due), moment(started), moment(finished)
	return j, decodeJob(&j, text, more, message, action)
}

func decodeJob(j *bridge.Job, text, more, message, action string) error {
	var e extra
	if err := decode(message, &j.Message); err != nil {
		return err
	}
	if err := decode(more, &e); err != nil {
		return err
	}
	j.Message.Text, j.Message.Quote, j.Message.Files = text, e.Quote, e.Files
	if action == "" {
		return nil
	}
	j.Action = &bridge.Action{}
	err := decode(action, j.Action)
	j.Action.Value = e.Value
	return err
}

// replyRest is what of a reply is never asked for by a query.
type replyRest struct {
	Draft        bridge.Address      `json:"draft,omitzero"`
	Sent         int                 `json:"sent,omitempty"`
	Sending      int                 `json:"sending,omitempty"`
	Messages     []bridge.MessageID  `json:"messages,omitempty"`
	Uncertain    int                 `json:"uncertain,omitempty"`
	Conversation bridge.Conversation `json:"conversation,omitzero"`
	Run          bridge.Run          `json:"run,omitzero"`
	Failures     int                 `json:"failures,omitempty"`
	Seen         bool                `json:"seen,omitempty"`
	Begun        bool                `json:"begun,omitempty"`
	Usage        bridge.Usage        `json:"usage,omitzero"`
	Files        []bridge.FileAdded  `json:"files,omitempty"`
	Form         *bridge.Form        `json:"form,omitempty"`
	Agent        string              `json:"agent,omitempty"`
}

func restOf(r bridge.Reply) replyRest {
	return replyRest{
		r.Draft, r.Sent, r.Sending, r.Messages, r.Uncertain, r.Conversation, r.Run, r.Failures, r.Seen, r.Begun, r.Usage, r.Files, r.Form, r.Agent,
	}
}

func (p replyRest) reply(job int64, state, text, kind string, updated int64) bridge.Reply {
	return bridge.Reply{
		JobID: job, State: bridge.ReplyState(state), Text: text, Error: bridge.Kind(kind), UpdatedAt: moment(updated),
		Draft: p.Draft, Sent: p.Sent, Sending: p.Sending, Messages: p.Messages, Uncertain: p.Uncertain,
		Conversation: p.Conversation, Run: p.Run, Failures: p.Failures, Seen: p.Seen, Begun: p.Begun, Usage: p.Usage, Files: p.Files, Form: p.Form, Agent: p.Agent,
	}
}

func encode(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("encode: %w", err)
	}
	return string(b), nil
}

func decode(text string, v any) error {
	if text == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), v); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	return nil
}

// clean drops what PostgreSQL cannot store in a text: zero bytes and broken
// UTF-8. Both engines get the same.
func clean(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "\uFFFD")
}

// split and around read and write the lists ",a,b," in lanes; the empty one is a
// single comma.
func split(list string) []string {
	if list = strings.Trim(list, ","); list == "" {
		return nil
	}
	return strings.Split(list, ",")
}

func around(item string) string {
	if item == "" {
		return ","
	}
	return "," + item + ","
}
