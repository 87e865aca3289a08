package wecom

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/prose"
)

// The calls of customer service, by their paths below /cgi-bin/.
const (
	pathFetch     = "kf/sync_msg"
	pathAnswer    = "kf/send_msg"
	pathWelcome   = "kf/send_msg_on_event"
	pathCustomers = "kf/customer/batchget"
	pathAccounts  = "kf/account/list"
	pathTalk      = "kf/service_state/get"
)

const (
	opFetch = "wecom: fetch messages"
	opTalk  = "wecom: look up conversation"
)

// service is an account of customer service (微信客服), to which people outside
// the company write from the personal WeChat. Its callback only rings: what was
// written is fetched, see Listen.
type service struct {
	cfg    config
	log    *slog.Logger
	client *client
	notes  bridge.Notes
	bell   *bell
}

// Receive implements bridge.Bot. There is nothing to accept: if the program dies
// before it has fetched what was written, it does so when it is started again.
func (s *service) Receive(_ context.Context, req bridge.Request) (bridge.Delivery, error) {
	return s.cfg.receive(req, s.rung)
}

func (s *service) rung(p push, at time.Time) bridge.Delivery {
	switch account := strings.TrimSpace(p.Account); {
	case strings.TrimSpace(p.Type) == "":
		return suspect("a message without a type")
	case strings.TrimSpace(p.Event) != "kf_msg_or_event":
		return bridge.Delivery{Note: "something for the app, not for customer service"}
	case account != "" && account != s.cfg.account:
		return bridge.Delivery{Note: "something for another account of customer service"}
	}
	s.bell.ring(strings.TrimSpace(p.Ticket), at)
	return bridge.Delivery{}
}

// bell wakes who fetches messages. The ticket that comes with a ring lifts the
// limit that WeCom sets to those who look without having been called.
type bell struct {
	rung chan struct{} // holds one

	mu     sync.Mutex
	ticket string
	until  time.Time
}

func newBell() *bell { return &bell{rung: make(chan struct{}, 1)} }

func (b *bell) ring(ticket string, at time.Time) {
	const longest = 128 // bytes (page 94670)
	b.mu.Lock()
	if ticket != "" && len(ticket) <= longest {
		b.ticket, b.until = ticket, at.Add(ticketLife)
	}
	b.mu.Unlock()
	select {
	case b.rung <- struct{}{}:
	default:
	}
}

// valid returns the last ticket as long as it is good.
func (b *bell) valid() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if time.Now().After(b.until) {
		b.ticket = ""
	}
	return b.ticket
}

// drop forgets a ticket that was refused.
func (b *bell) drop(ticket string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ticket == ticket {
		b.ticket = ""
	}
}

// Send implements bridge.Bot. Customers read text without markup.
func (s *service) Send(ctx context.Context, to bridge.Address, c bridge.Content) (bridge.MessageID, error) {
	customer, err := receiver(to)
	if err != nil {
		return "", err
	}
	return s.client.send(ctx, c, dialectOf(to).render, func(messages []outgoing) (bridge.MessageID, error) {
		var door entrance
		if len(to.Data) > 0 && json.Unmarshal(to.Data, &door) == nil && door.Welcome != "" {
			return s.client.welcome(ctx, door.Welcome, messageID(to.Key), messages[0])
		}
		var all bridge.MessageID
		for i, m := range messages {
			id, err := s.client.answer(ctx, customer, messageID(partKey(to.Key, i)), m)
			if err != nil {
				return "", partly(err, i)
			}
			all = joined(all, id)
		}
		return all, nil
	})
}

// Preview implements bridge.Previewer.
func (*service) Preview(to bridge.Address, c bridge.Content) ([]bridge.Shown, error) {
	return preview(c, dialectOf(to).render)
}

// dialectOf is how one writes to customers.
func dialectOf(to bridge.Address) dialect { return dialect{plain: true, bare: true, lang: to.Language} }

// entrance is what an address holds when somebody has only opened the chat: they
// may be greeted once, by this code.
type entrance struct {
	Welcome string `json:"welcome"`
}

// messageID makes our own id for a message. WeCom takes each one once in an
// account, so that a repeated send is shown once.
func messageID(key string) string {
	if key == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:16]) // 32 letters and digits, as many as it may have
}

// answer writes to a customer.
func (c *client) answer(ctx context.Context, customer, id string, m outgoing) (bridge.MessageID, error) {
	return c.tell(ctx, request{path: pathAnswer, chat: customer}, map[string]any{"touser": customer, "open_kfid": c.cfg.account}, id, m)
}

// welcome greets somebody who has opened the chat, within 20 seconds.
func (c *client) welcome(ctx context.Context, code, id string, m outgoing) (bridge.MessageID, error) {
	return c.tell(ctx, request{path: pathWelcome}, map[string]any{"code": code}, id, m)
}

func (c *client) tell(ctx context.Context, r request, body map[string]any, id string, m outgoing) (bridge.MessageID, error) {
	body["msgtype"], body[m.Type] = m.Type, m.Body
	if id != "" {
		body["msgid"] = id
	}
	var got sent
	r.op, r.in = opSend, body
	err := c.call(ctx, r, &got)
	if id != "" && taken(err) {
		return bridge.MessageID(id), nil
	}
	return bridge.MessageID(got.ID), err
}

// Check implements bridge.Bot.
func (s *service) Check(ctx context.Context) ([]bridge.Finding, error) {
	return s.client.check(ctx, findAccount, s.client.account)
}

// account makes sure that the account is one that the app may serve. The error
// names those that there are.
func (c *client) account(ctx context.Context) error {
	const page, most = 100, 50
	var names []string
	for n := range most {
		var got accountsFound
		if err := c.call(ctx, request{op: opCheck, path: pathAccounts, in: accountsRequest{n * page, page}}, &got); err != nil {
			return naming(err, names)
		}
		for _, a := range got.Accounts {
			switch {
			case a.ID != c.cfg.account:
				names = append(names, strings.TrimSpace(prose.OneLine(a.Name)+" "+a.ID))
			case a.Managed != nil && !*a.Managed:
				return naming(&bridge.Error{Kind: bridge.KindForbidden, Op: opCheck, Code: codeUnmanaged}, []string{a.ID})
			default:
				return nil
			}
		}
		if len(got.Accounts) < page {
			break
		}
	}
	return naming(&bridge.Error{Kind: bridge.KindNotFound, Op: opCheck, Code: codeNoAccount}, names)
}

// naming adds the names of accounts to an error. It may be shared, so it is copied.
func naming(err error, names []string) error {
	const most = 20
	var e *bridge.Error
	if !errors.As(err, &e) {
		return err
	}
	named := *e
	named.Args = maps.Clone(e.Args)
	if named.Args == nil {
		named.Args = map[string]string{}
	}
	named.Args["accounts"] = cmp.Or(strings.Join(names[:min(len(names), most)], ", "), "–")
	return &named
}

// OpenFile implements bridge.FileOpener. WeCom keeps files for three days.
func (s *service) OpenFile(ctx context.Context, f bridge.File) (io.ReadCloser, error) {
	return s.client.file(ctx, f.ID)
}

// LookUp implements bridge.Directory: of a customer WeCom tells the name and the
// picture in WeChat.
func (s *service) LookUp(ctx context.Context, user bridge.UserID) (bridge.Profile, error) {
	gone := &bridge.Error{Kind: bridge.KindNotFound, Op: opUser, Detail: "not a customer"}
	if user == "" {
		return bridge.Profile{}, gone
	}
	var got customersFound
	if err := s.client.call(ctx, request{op: opUser, path: pathCustomers, in: customersRequest{[]string{string(user)}}}, &got); err != nil {
		return bridge.Profile{}, err
	}
	for _, c := range got.Customers {
		if c.ID == string(user) {
			return bridge.Profile{Name: prose.OneLine(c.Name), Avatar: c.Avatar}, nil
		}
	}
	return bridge.Profile{}, gone
}

// Renew implements bridge.Renewer.
func (s *service) Renew() { s.client.http.Renew() }

// Close implements bridge.Bot.
func (s *service) Close() error {
	s.client.http.Close()
	return nil
}
