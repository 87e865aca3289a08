package uitest

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"switchboard/internal/bridge"
)

// House is a ui.Backend that lives in memory. Its fields may be changed before
// it is used; afterwards through its methods only.
type House struct {
	// Now is the moment the office stands still at.
	Now time.Time
	// Chunk is the pause between two pieces of an answer; 0 answers at once.
	Chunk time.Duration
	// Language is the language of names and talks.
	Language bridge.Language
	// Folder is what DataDir returns.
	Folder string
	// First is what FirstRun returns.
	First bool
	// Trouble makes the office have warnings and failures.
	Trouble bool
	// TunnelDown makes a lost public address the only warning.
	TunnelDown bool
	// NoKeyring makes saving a secret fail until there is an encrypted file.
	NoKeyring bool
	// Alike is how many people there are who may be one, when it is more than those
	// who are shown.
	Alike int
	// Fail, when set, is the error of every call that can fail.
	Fail error

	mu         sync.Mutex
	empty      bool
	paused     bool
	demo       bool
	bubbles    []bridge.Bubble
	talks      []bridge.TalkRow
	lanes      map[string][]bridge.Exchange
	retried    []int64
	said       []string
	clicked    []string
	saved      string
	passphrase bridge.Secret
	renewed    int
	privacy    *bridge.Privacy
	routes     []bridge.Route
	disturb    string
	crowd      []bridge.PersonCard
	decided    []bridge.Decision
	acts       []string
	sent       []bridge.Sending
	tried      []bridge.Sending
	gone       []string // keys
	watches    []chan bridge.Change
}

// NewHouse makes an office with a busy morning behind it.
func NewHouse(lang bridge.Language, now time.Time) *House {
	h := &House{Now: now, Language: lang, Folder: "/home/lin/.local/share/switchboard", Trouble: true}
	h.talks, h.lanes = morning(lang, now)
	h.routes = officeRoutes(lang)
	return h
}

// NewEmptyHouse makes an office nobody has set up.
func NewEmptyHouse(now time.Time) *House {
	return &House{Now: now, Language: bridge.English, Folder: "/home/lin/.local/share/switchboard", empty: true, lanes: map[string][]bridge.Exchange{}}
}

// Overview implements ui.Backend.
func (h *House) Overview(context.Context) (bridge.Overview, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	o := bridge.Overview{Paused: h.paused, Demo: h.demo, Version: "0.1.0", Since: h.Now.Add(-3 * time.Hour), Listen: "127.0.0.1:8780"}
	if h.empty && !h.demo {
		return o, h.Fail
	}
	o.Bots, o.Agents = bots(h.Now, h.Trouble), agents(h.Now, h.Trouble)
	o.PublicURL = "https://helpdesk-lin.ngrok.app"
	o.Budgets = budgets(h.Now)
	for i := range o.Bots {
		if h.paused {
			o.Bots[i].State = bridge.BotPaused
		}
		o.Received += o.Bots[i].Received
		o.Answered += o.Bots[i].Answered
		o.Failed += o.Bots[i].Failed
	}
	return o, h.Fail
}

// Talks implements ui.Backend.
func (h *House) Talks(_ context.Context, q bridge.TalkQuery) ([]bridge.TalkRow, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var rows []bridge.TalkRow
	for _, row := range h.talks {
		hit := q.Text == "" || strings.Contains(row.Title+row.LastText, q.Text)
		if q.Bot != "" {
			hit = hit && slices.ContainsFunc(h.lanes[row.Lane], func(e bridge.Exchange) bool { return e.Job.Message.Bot == q.Bot })
		}
		if hit && (q.Before.IsZero() || row.LastAt.Before(q.Before)) {
			rows = append(rows, row)
		}
	}
	if q.Limit > 0 && len(rows) > q.Limit {
		rows = rows[:q.Limit]
	}
	return rows, h.Fail
}

// Exchanges implements ui.Backend.
func (h *House) Exchanges(_ context.Context, lane string, before int64, limit int) ([]bridge.Exchange, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := slices.Clone(h.lanes[lane])
	if before > 0 {
		all = slices.DeleteFunc(all, func(e bridge.Exchange) bool { return e.Job.ID >= before })
	}
	if len(all) > limit {
		all = all[len(all)-limit:]
	}
	return all, h.Fail
}

// Add puts one more question and answer at the end of a lane.
func (h *House) Add(lane string, e bridge.Exchange) {
	h.mu.Lock()
	h.lanes[lane] = append(h.lanes[lane], e)
	h.mu.Unlock()
	h.tell(bridge.Change{Kind: bridge.ChangeTalk, Lane: lane})
}

// Lane returns the lane of the talk at an index, the latest first.
func (h *House) Lane(i int) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.talks[i].Lane
}

// Reconnect implements ui.Backend.
func (h *House) Reconnect() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.renewed++
}

// Renewed counts the calls of Reconnect.
func (h *House) Renewed() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.renewed
}

// Retry implements ui.Backend.
func (h *House) Retry(_ context.Context, job int64) error {
	h.mu.Lock()
	h.retried = append(h.retried, job)
	h.mu.Unlock()
	return h.Fail
}

// Retried returns the jobs Retry was called for.
func (h *House) Retried() []int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.retried)
}

// Pause implements ui.Backend.
func (h *House) Pause(_ context.Context, on bool) error {
	h.mu.Lock()
	h.paused = on
	h.mu.Unlock()
	h.tell(bridge.Change{Kind: bridge.ChangeOverview})
	return h.Fail
}

// Watch implements ui.Backend.
func (h *House) Watch(ctx context.Context) <-chan bridge.Change {
	c := make(chan bridge.Change, 64)
	h.mu.Lock()
	h.watches = append(h.watches, c)
	h.mu.Unlock()
	context.AfterFunc(ctx, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.watches = slices.DeleteFunc(h.watches, func(w chan bridge.Change) bool { return w == c })
		close(c)
	})
	return c
}

func (h *House) tell(c bridge.Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, w := range h.watches {
		select {
		case w <- c:
		default:
		}
	}
}

// DataDir implements ui.Backend.
func (h *House) DataDir() string { return h.Folder }

// Diagnose implements ui.Backend.
func (h *House) Diagnose(_ context.Context, path string) error {
	if h.Fail != nil {
		return h.Fail
	}
	return os.WriteFile(path, []byte("PK"), 0o600)
}

// FirstRun implements ui.Backend.
func (h *House) FirstRun() bool { return h.First }

// CheckAgent implements ui.Backend: the key "good" passes.
func (h *House) CheckAgent(_ context.Context, baseURL string, key bridge.Secret) ([]bridge.Finding, error) {
	if h.Fail != nil {
		return nil, h.Fail
	}
	ok := key.Reveal() == "good"
	findings := []bridge.Finding{{Code: "address", OK: strings.HasPrefix(baseURL, "http")}}
	f := bridge.Finding{Code: "credential", OK: ok}
	if !ok {
		f.Err = &bridge.Error{Kind: bridge.KindCredential, Op: "dify: info", Code: "401", Err: errors.New("refused")}
	}
	return append(findings, f), nil
}

// SaveAgent implements ui.Backend.
func (h *House) SaveAgent(_ context.Context, baseURL string, _ bridge.Secret) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.NoKeyring && h.passphrase.Empty() {
		return &bridge.Error{Kind: bridge.KindUnavailable, Op: "secret: agent/helpdesk/api_key", Code: "keyring_missing", Args: map[string]string{"name": "agent/helpdesk/api_key"}}
	}
	h.saved = baseURL
	return h.Fail
}

// Keyless implements ui.Backend.
func (h *House) Keyless(err error) bool {
	return err != nil && h.NoKeyring && bridge.KindOf(err) == bridge.KindUnavailable
}

// KeepInFile implements ui.Backend.
func (h *House) KeepInFile(_ context.Context, passphrase bridge.Secret) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.Fail == nil {
		h.passphrase = passphrase
	}
	return h.Fail
}

// Passphrase returns what KeepInFile was called with.
func (h *House) Passphrase() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.passphrase.Reveal()
}

// Saved returns the address SaveAgent was called with.
func (h *House) Saved() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.saved
}
