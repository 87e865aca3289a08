package ui_test

import (
	"os"
	"path/filepath"
	"testing"

	"fyne.io/fyne/v2/storage"

	"switchboard/internal/bridge"
	"switchboard/ui"
	"switchboard/ui/live"
)

// TestSendByKeys: what was dropped on the window waits through a change of the
// language and of the page, and goes with Ctrl+Enter from wherever the cursor is,
// on that page only.
func TestSendByKeys(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "menu.pdf")
	if err := os.WriteFile(path, []byte("%PDF-1.4"), 0o600); err != nil {
		t.Fatal(err)
	}
	setup(t, busy(), ui.Options{Locale: "en_US.UTF-8"}, map[string]string{"page": live.PageSend}, func(b *bundle) {
		b.do(func() { b.Drop(t.Context(), storage.NewFileURI(filepath.Join(dir, "none.pdf"))) })
		if b.Toast() == "" {
			t.Error("a file that is not there is no trouble")
		}
		b.do(func() { b.Drop(t.Context(), storage.NewFileURI(path)) })
		b.do(func() { b.SendTo("news") })
		b.do(func() { b.Visit(live.PageSettings) })
		b.do(func() { b.pick(t, "中文") })
		b.do(b.Submit)
		if got := b.house.Tried(); len(got) != 0 {
			t.Errorf("sent from another page: %+v", got)
		}
		b.do(func() { b.Visit(live.PageSend) })
		b.do(b.Submit)
		got := b.house.Sent()
		if len(got) != 1 || got[0].Bot != "news" {
			t.Fatalf("sent %+v", got)
		}
		if c, ok := got[0].Content.(bridge.Attachment); !ok || c.Name != "menu.pdf" || string(c.Data) != "%PDF-1.4" {
			t.Errorf("sent %+v", got[0].Content)
		}
	})
}
