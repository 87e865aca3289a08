package app

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/bridge"
)

// What the terminal and other programs see of people.
type (
	// PersonReport is somebody as the admin sees them.
	PersonReport struct {
		ID         string          `json:"id"`
		Name       string          `json:"name"`
		Role       bridge.Role     `json:"role"`
		LastSeen   time.Time       `json:"last_seen,omitzero"`
		WaitsSince time.Time       `json:"waits_since,omitzero"`
		WaitsFor   string          `json:"waits_for,omitempty"` // the bot they wrote to
		Accounts   []AccountReport `json:"accounts"`
		// History is what the audit has of them, the latest first, and Likely who may
		// be the same human being; not in a list.
		History []AuditReport    `json:"history,omitempty"`
		Likely  []LikenessReport `json:"likely,omitempty"`
		// Usage is what they asked lately; not in a list.
		Usage *PersonUsageReport `json:"usage,omitempty"`
		// Undo is the entry that takes back what was just done to them.
		Undo int64 `json:"undo,omitempty"`
	}
	// AccountReport is one account of somebody; what the directory says of it is not
	// in a list.
	AccountReport struct {
		Platform   string `json:"platform"`
		Tenant     string `json:"tenant,omitempty"`
		User       string `json:"user"`
		Name       string `json:"name,omitempty"`
		Email      string `json:"email,omitempty"`
		Mobile     string `json:"mobile,omitempty"`
		Department string `json:"department,omitempty"`
	}
	// LikenessReport is somebody who may be the same human being.
	LikenessReport struct {
		ID      string `json:"id"`
		Name    string `json:"name"`
		Because string `json:"because"` // email or mobile
	}
)

const peopleShown = 1000

// userHeader names the user of this computer who sits at the terminal. Whoever
// has the token may say so: it is the admin's own.
const userHeader = "Switchboard-User"

// actor is who changes something this way.
func actor(r *http.Request) bridge.Actor {
	if who, err := url.QueryUnescape(r.Header.Get(userHeader)); err == nil && who != "" {
		return bridge.Actor{Who: who[:min(len(who), mostUser)], Where: byTerminal}
	}
	return bridge.Actor{Where: "api"}
}

// byTerminal is where the commands of the terminal act, and mostUser how much of
// a user's name is kept.
const (
	byTerminal = "cli"
	mostUser   = 100
)

// nobody, and whatever else can be wrong about naming people; the words are under
// "error.people.<code>".
func aboutPeople(kind bridge.Kind, code string, pairs ...string) error {
	e := &bridge.Error{Kind: kind, Op: "people: " + code, Code: code, Args: map[string]string{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		e.Args[pairs[i]] = pairs[i+1]
	}
	return e
}

func reportOf(row bridge.PersonRow) PersonReport {
	p := PersonReport{
		ID: row.Person.ID, Name: row.Person.Name, Role: row.Person.Role, LastSeen: row.LastSeen, WaitsSince: row.WaitsSince, WaitsFor: row.WaitsFor,
		Accounts: []AccountReport{},
	}
	for _, who := range row.Identities {
		p.Accounts = append(p.Accounts, AccountReport{Platform: string(who.Platform), Tenant: who.Tenant, User: string(who.User), Name: who.Name})
	}
	return p
}

// named finds somebody by id, by name, or by the id of an account. Of several none
// is taken.
func (a *App) named(ctx context.Context, who string) (bridge.PersonRow, error) {
	if found, err := a.store.People(ctx, bridge.PeopleQuery{ID: who, Limit: 1}); err != nil || len(found) == 1 {
		return append(found, bridge.PersonRow{})[0], err
	}
	found, err := a.store.People(ctx, bridge.PeopleQuery{Text: who, Limit: peopleShown})
	if err != nil {
		return bridge.PersonRow{}, err
	}
	found = slices.DeleteFunc(found, func(row bridge.PersonRow) bool { return !isCalled(row, who) })
	switch len(found) {
	case 0:
		return bridge.PersonRow{}, aboutPeople(bridge.KindNotFound, "nobody", "who", who)
	case 1:
		return found[0], nil
	}
	var ids []string
	for _, row := range found {
		ids = append(ids, row.Person.ID)
	}
	return bridge.PersonRow{}, aboutPeople(bridge.KindInvalid, "several", "who", who, "ids", strings.Join(ids, ", "))
}

// everNamed is the id of somebody; also of those who are part of somebody else now.
func (a *App) everNamed(ctx context.Context, who string) (string, error) {
	if who == "" {
		return "", nil
	}
	switch _, err := a.store.Person(ctx, who); bridge.KindOf(err) { //nolint:exhaustive // all others are trouble
	case "":
		return who, nil
	case bridge.KindNotFound:
		row, err := a.named(ctx, who)
		return row.Person.ID, err
	default:
		return "", err
	}
}

func isCalled(row bridge.PersonRow, who string) bool {
	return strings.EqualFold(row.Person.Name, who) ||
		slices.ContainsFunc(row.Identities, func(i bridge.Identity) bool { return string(i.User) == who })
}

func (a *App) apiPeople(r *http.Request) (any, error) {
	q := r.URL.Query()
	rows, err := a.store.People(r.Context(), bridge.PeopleQuery{
		Text: q.Get("text"), Role: bridge.Role(q.Get("role")), Waiting: q.Get("waiting") != "", Limit: peopleShown,
	})
	all := []PersonReport{}
	for _, row := range rows {
		all = append(all, reportOf(row))
	}
	return all, err
}

// apiPerson tells everything about somebody.
func (a *App) apiPerson(r *http.Request) (any, error) {
	row, err := a.named(r.Context(), r.PathValue("who"))
	if err != nil {
		return nil, err
	}
	return a.report(r.Context(), row.Person.ID)
}

func (a *App) report(ctx context.Context, id string) (PersonReport, error) {
	card, err := a.PersonCard(ctx, id)
	p := reportOf(card.PersonRow)
	if err == nil {
		p.Usage = personUsage(card.Usage)
	}
	for i, known := range card.Accounts {
		p.Accounts[i].Email, p.Accounts[i].Mobile, p.Accounts[i].Department = known.Profile.Email, known.Profile.Mobile, known.Profile.Department
	}
	for _, entry := range card.History {
		p.History = append(p.History, auditOf(entry))
	}
	for _, l := range card.Likely {
		p.Likely = append(p.Likely, LikenessReport{l.With.Person.ID, l.With.Person.Name, l.Because})
	}
	return p, err
}

// afterwards is the answer to a change of somebody.
func (a *App) afterwards(ctx context.Context, id string, err error) (any, error) {
	return a.afterActing(ctx, id, id, err)
}

// afterActing is afterwards where the change stands in somebody else's history.
func (a *App) afterActing(ctx context.Context, id, history string, err error) (any, error) {
	if err := a.changed(ctx, err); err != nil {
		return nil, err
	}
	p, err := a.report(ctx, id)
	if err != nil {
		return nil, err
	}
	latest, err := a.store.Audits(ctx, bridge.AuditQuery{Person: history, Limit: 1})
	if len(latest) == 1 && latest[0].Undoable {
		p.Undo = latest[0].ID
	}
	return p, err
}

func (a *App) apiMerge(r *http.Request) (any, error) {
	ctx := r.Context()
	want, err := body[struct{ Into string }](r)
	if err != nil {
		return nil, err
	}
	from, err := a.named(ctx, r.PathValue("who"))
	if err != nil {
		return nil, err
	}
	into, err := a.named(ctx, want.Into)
	if err != nil {
		return nil, err
	}
	if from.Person.ID == into.Person.ID {
		return nil, aboutPeople(bridge.KindInvalid, "same", "who", from.Person.Name)
	}
	return a.afterwards(ctx, into.Person.ID, a.merge(ctx, from.Person.ID, into.Person.ID, actor(r)))
}

// apiUnlink makes an account a person of its own, which is the answer. It is named
// by its platform, by its id there, or by both with a colon between.
func (a *App) apiUnlink(r *http.Request) (any, error) {
	ctx := r.Context()
	want, err := body[struct{ Account string }](r)
	if err != nil {
		return nil, err
	}
	row, err := a.named(ctx, r.PathValue("who"))
	if err != nil {
		return nil, err
	}
	var found []bridge.Identity
	for _, i := range row.Identities {
		if slices.Contains([]string{string(i.Platform), string(i.User), string(i.Platform) + ":" + string(i.User)}, want.Account) {
			found = append(found, i)
		}
	}
	switch {
	case len(found) != 1:
		return nil, aboutPeople(bridge.KindInvalid, "account", "who", row.Person.Name, "account", want.Account)
	case len(row.Identities) == 1:
		return nil, aboutPeople(bridge.KindInvalid, "alone", "who", row.Person.Name)
	}
	own, err := a.store.Unlink(ctx, found[0], actor(r))
	return a.afterActing(ctx, own.ID, row.Person.ID, err)
}

func (a *App) apiRename(r *http.Request) (any, error) {
	want, err := body[struct{ Name string }](r)
	if err != nil {
		return nil, err
	}
	row, err := a.named(r.Context(), r.PathValue("who"))
	if err != nil {
		return nil, err
	}
	name := strings.TrimSpace(want.Name)
	if name == "" {
		return nil, aboutPeople(bridge.KindInvalid, "nameless")
	}
	return a.afterwards(r.Context(), row.Person.ID, a.store.Rename(r.Context(), row.Person.ID, name, actor(r)))
}

func (a *App) apiRole(r *http.Request) (any, error) {
	want, err := body[struct{ Role bridge.Role }](r)
	if err != nil {
		return nil, err
	}
	row, err := a.named(r.Context(), r.PathValue("who"))
	if err != nil {
		return nil, err
	}
	if err := isRole(want.Role, bridge.RoleAdmin, bridge.RoleMember, bridge.RoleGuest, bridge.RoleBlocked, bridge.RoleNew); err != nil {
		return nil, err
	}
	return a.afterwards(r.Context(), row.Person.ID, a.giveRole(r.Context(), row.Person.ID, want.Role, actor(r)))
}

func isRole(role bridge.Role, allowed ...bridge.Role) error {
	if slices.Contains(allowed, role) {
		return nil
	}
	var names []string
	for _, one := range allowed {
		names = append(names, string(one))
	}
	return aboutPeople(bridge.KindInvalid, "role", "role", string(role), "roles", strings.Join(names, ", "))
}

// apiApprove admits somebody about whom nobody has decided. They are a member
// unless another role is named.
func (a *App) apiApprove(r *http.Request) (any, error) {
	want, err := body[struct{ Role bridge.Role }](r)
	if err != nil {
		return nil, err
	}
	if want.Role == "" {
		want.Role = bridge.RoleMember
	}
	if err := isRole(want.Role, bridge.RoleAdmin, bridge.RoleMember, bridge.RoleGuest); err != nil {
		return nil, err
	}
	return a.decided(r, want.Role)
}

func (a *App) apiDecline(r *http.Request) (any, error) { return a.decided(r, bridge.RoleBlocked) }

// decided gives a newcomer a role and tells them.
func (a *App) decided(r *http.Request, role bridge.Role) (any, error) {
	row, err := a.named(r.Context(), r.PathValue("who"))
	if err != nil {
		return nil, err
	}
	if row.Person.Role != bridge.RoleNew {
		return nil, aboutPeople(bridge.KindInvalid, "decided", "who", row.Person.Name, "role", string(row.Person.Role))
	}
	return a.afterwards(r.Context(), row.Person.ID, a.tellDecision(r.Context(), row.Person.ID, role, actor(r)))
}

// AuditReport is one entry of the audit.
type AuditReport struct {
	ID       int64     `json:"id"`
	At       time.Time `json:"at"`
	Kind     string    `json:"kind"`
	By       string    `json:"by,omitempty"` // a person's id, or a user of the computer where it is "cli"; empty for the admin
	Where    string    `json:"where,omitempty"`
	Person   string    `json:"person,omitempty"`
	Note     string    `json:"note,omitempty"`
	Undoable bool      `json:"undoable,omitempty"`
	Undoes   int64     `json:"undoes,omitempty"`
}

func auditOf(e bridge.Audit) AuditReport {
	return AuditReport{e.ID, e.At, string(e.Kind), e.By.Who, e.By.Where, e.Person, e.Note, e.Undoable, e.Undoes}
}

// apiAudit returns a page of the audit, the latest entry first; the next page
// begins before the last one's id.
func (a *App) apiAudit(r *http.Request) (any, error) {
	q := r.URL.Query()
	want := bridge.AuditQuery{Kind: bridge.AuditKind(q.Get("kind")), Limit: 500}
	if want.Kind != "" && !slices.Contains(bridge.AuditKinds(), want.Kind) {
		return nil, aboutPeople(bridge.KindInvalid, "kind", "kind", string(want.Kind), "kinds", strings.Join(auditKinds(), ", "))
	}
	var err error
	if want.Person, err = a.everNamed(r.Context(), q.Get("person")); err != nil {
		return nil, err
	}
	if before := q.Get("before"); before != "" {
		want.Before, err = strconv.ParseInt(before, 10, 64)
	}
	if since := q.Get("since"); err == nil && since != "" {
		want.Since, err = time.Parse(time.RFC3339Nano, since)
	}
	if err != nil {
		return nil, &bridge.Error{Kind: bridge.KindInvalid, Op: "people: audit", Code: "body", Detail: err.Error()}
	}
	entries, err := a.store.Audits(r.Context(), want)
	all := []AuditReport{}
	for _, e := range entries {
		all = append(all, auditOf(e))
	}
	return all, err
}

func auditKinds() []string {
	var all []string
	for _, kind := range bridge.AuditKinds() {
		all = append(all, string(kind))
	}
	return all
}

// apiUndo takes back what an entry of the audit tells.
func (a *App) apiUndo(r *http.Request) (any, error) {
	ctx := r.Context()
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err == nil {
		err = a.store.Undo(ctx, id, actor(r))
	}
	if kind := bridge.KindOf(err); kind != "" && kind != bridge.KindUnavailable {
		return nil, aboutPeople(bridge.KindInvalid, "undo", "id", r.PathValue("id"))
	}
	return struct{}{}, a.changed(ctx, err)
}
