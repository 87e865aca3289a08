package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/bridge"
)

// exportPage is how many questions one answer has at most.
const exportPage = 500

// ExportReport is a question and its answer, as the terminal and other programs
// see them. Addresses of files are not in it, because some of them let anybody in.
type ExportReport struct {
	ID       int64     `json:"id"`
	At       time.Time `json:"at"`
	Platform string    `json:"platform"`
	Bot      string    `json:"bot"`
	Group    string    `json:"group,omitempty"`  // its title, or its id
	Person   string    `json:"person,omitempty"` // the id, as people and usage have it
	Name     string    `json:"name,omitempty"`
	Question string    `json:"question"`
	Files    []string  `json:"files,omitempty"` // names
	Agent    string    `json:"agent,omitempty"`
	Answer   string    `json:"answer"`
	Answered time.Time `json:"answered_at,omitzero"`
	State    string    `json:"state"`
	Error    string    `json:"error,omitempty"` // its kind
}

// exportAnswer is one page; Next is where the next one begins, 0 at the end.
type exportAnswer struct {
	Rows []ExportReport `json:"rows"`
	Next int64          `json:"next"`
}

// exporting is the page that comes next, and who asks for it. Any other begins an
// export of its own, which the audit is to know of.
type exporting struct {
	query bridge.ExportQuery
	by    bridge.Actor
}

// Export tells everything that people wrote and were answered since a moment, the
// oldest first; a bot, and a person by id or name, may be chosen. The running
// program is asked, if there is one. The audit says that it was done.
func Export(ctx context.Context, opt Options, since time.Time, bot, person string, tell func(ExportReport) error) error {
	q := url.Values{"bot": {bot}, "person": {person}}
	if !since.IsZero() {
		q.Set("since", since.Format(time.RFC3339Nano))
	}
	return together(ctx, opt, func(ask asker) error {
		for {
			var page exportAnswer
			if err := ask(http.MethodGet, "/api/v1/export?"+q.Encode(), nil, &page); err != nil {
				return err
			}
			for _, r := range page.Rows {
				if err := tell(r); err != nil {
					return err
				}
			}
			if page.Next == 0 {
				return nil
			}
			q.Set("after", strconv.FormatInt(page.Next, 10))
		}
	})
}

// apiExport returns a page: ?since=…&bot=…&person=WHO&after=… says which.
func (a *App) apiExport(r *http.Request) (any, error) {
	of, ctx := r.URL.Query(), r.Context()
	q := bridge.ExportQuery{Bot: of.Get("bot"), NotQueue: demoAgent, Limit: exportPage}
	var wrong, err error
	if since := of.Get("since"); since != "" {
		q.Since, wrong = time.Parse(time.RFC3339Nano, since)
		q.Since = q.Since.UTC() // moments are compared with ==
	}
	if after := of.Get("after"); after != "" {
		q.After, err = strconv.ParseInt(after, 10, 64)
		wrong = errors.Join(wrong, err)
	}
	if wrong != nil {
		return nil, &bridge.Error{Kind: bridge.KindInvalid, Op: "people: export", Code: "body", Detail: wrong.Error()}
	}
	if who := of.Get("person"); who != "" {
		row, err := a.named(ctx, who)
		if err != nil {
			return nil, err
		}
		q.Person = row.Person.ID
	}
	if goesOn := a.exports.Load(); goesOn == nil || *goesOn != (exporting{q, actor(r)}) { // once for all pages, and before anything is told
		if err := a.store.Audit(ctx, bridge.Audit{Kind: bridge.AuditExported, By: actor(r), Person: q.Person, Note: exportNote(q)}); err != nil {
			return nil, fmt.Errorf("app: export: %w", err)
		}
	}
	rows, next, err := a.store.Export(ctx, q)
	if q.After = next; next == 0 {
		a.exports.Store(nil)
	} else {
		a.exports.Store(&exporting{q, actor(r)})
	}
	page := exportAnswer{Rows: make([]ExportReport, 0, len(rows)), Next: next}
	for _, row := range rows {
		page.Rows = append(page.Rows, exportReport(row))
	}
	return page, err
}

func exportNote(q bridge.ExportQuery) string {
	note := []string{"everything"}
	if !q.Since.IsZero() {
		note[0] = "since " + q.Since.UTC().Format(time.RFC3339)
	}
	if q.Bot != "" {
		note = append(note, "bot "+q.Bot)
	}
	return strings.Join(note, ", ")
}

func exportReport(row bridge.ExportRow) ExportReport {
	m := row.Job.Message
	r := ExportReport{
		ID: row.Job.ID, At: m.SentAt, Platform: string(m.Platform), Bot: m.Bot, Person: row.Person, Name: m.Sender.Name,
		Question: m.Text, Agent: row.Reply.Agent, Answer: row.Reply.Text, Answered: row.Job.FinishedAt,
		State: string(row.Job.State), Error: string(row.Reply.Error),
	}
	if r.At.IsZero() {
		r.At = row.Job.AcceptedAt
	}
	if m.Chat.Kind == bridge.Group {
		r.Group = m.Chat.Title
		if r.Group == "" {
			r.Group = m.Chat.ID
		}
	}
	if r.Error == "" && row.Job.State != bridge.JobCompleted {
		r.Error = string(row.Job.LastError)
	}
	for _, f := range m.Files {
		name := f.Name
		if name == "" {
			name = string(f.Kind)
		}
		r.Files = append(r.Files, name)
	}
	return r
}
