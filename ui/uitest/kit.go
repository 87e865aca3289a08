package uitest

import (
	"log/slog"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
	"switchboard/ui/theme"
)

// Shell is a live.Shell that remembers what it was asked.
type Shell struct {
	Said, Copied, Visited, Opened []string
	Troubles                      []error
}

// Say implements live.Shell.
func (s *Shell) Say(text string) { s.Said = append(s.Said, text) }

// Trouble implements live.Shell.
func (s *Shell) Trouble(err error) { s.Troubles = append(s.Troubles, err) }

// Copy implements live.Shell.
func (s *Shell) Copy(text string) { s.Copied = append(s.Copied, text) }

// Visit implements live.Shell.
func (s *Shell) Visit(page string) { s.Visited = append(s.Visited, page) }

// Open implements live.Shell.
func (s *Shell) Open(target string) { s.Opened = append(s.Opened, target) }

// Queue runs one function after another, as the window's goroutine would:
// whoever comes while one runs leaves its function behind.
type Queue struct {
	mu      sync.Mutex
	waiting []func()
	running bool
}

// Do runs f, now or after what is running.
func (q *Queue) Do(f func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, f)
	if q.running {
		return
	}
	q.running = true
	for len(q.waiting) > 0 {
		next := q.waiting[0]
		q.waiting = q.waiting[1:]
		q.unlocked(next)
	}
	q.running = false
}

// unlocked runs f without the lock, also when f ends the test.
func (q *Queue) unlocked(f func()) {
	q.mu.Unlock()
	defer q.mu.Lock()
	f()
}

// NewKit makes a kit for a page, with a visible window and our theme.
func NewKit(t *testing.T, lang bridge.Language, now time.Time) (live.Kit, *Shell) {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.New(theme.Light))
	shell := &Shell{}
	hub := live.NewHubOn(slog.New(slog.DiscardHandler), new(Queue).Do)
	hub.Visible(true)
	return live.Kit{Hub: hub, Words: live.Words{Lang: lang}, Shell: shell, Now: func() time.Time { return now }}, shell
}

// Show puts something into a window of a size.
func Show(t *testing.T, o fyne.CanvasObject, width, height float32) fyne.Window {
	t.Helper()
	w := test.NewTempWindow(t, o)
	w.SetPadded(false)
	w.Resize(fyne.NewSize(width, height))
	return w
}

// Find returns the first visible object of a type for which ok holds.
func Find[T fyne.CanvasObject](root fyne.CanvasObject, ok func(T) bool) (T, bool) {
	for _, o := range test.LaidOutObjects(root) {
		if found, is := o.(T); is && found.Visible() && ok(found) {
			return found, true
		}
	}
	var none T
	return none, false
}
