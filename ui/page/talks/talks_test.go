package talks_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fyne.io/fyne/v2/test"
	fyneui "fyne.io/fyne/v2/widget"
	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
	"switchboard/ui/page/talks"
	"switchboard/ui/uitest"
	"switchboard/ui/widget"
)

func at() time.Time { return time.Date(2026, 3, 4, 14, 30, 0, 0, time.UTC) }

func TestStateOf(t *testing.T) {
	t.Parallel()
	w := live.Words{Lang: bridge.English}
	tests := map[string]struct {
		job   bridge.Job
		reply bridge.ReplyState
		tone  widget.Tone
		text  string
	}{
		"waiting":         {bridge.Job{State: bridge.JobAvailable}, "", widget.ToneWaiting, "Waiting"},
		"asking":          {bridge.Job{State: bridge.JobRunning}, bridge.ReplyPlanned, widget.ToneBusy, "Asking"},
		"answering":       {bridge.Job{State: bridge.JobRunning}, bridge.ReplyDrafting, widget.ToneBusy, "Answering"},
		"delivering":      {bridge.Job{State: bridge.JobRunning}, bridge.ReplyAnswered, widget.ToneBusy, "Delivering"},
		"delivered":       {bridge.Job{State: bridge.JobCompleted}, bridge.ReplyDelivered, widget.ToneOK, "Delivered"},
		"a command":       {bridge.Job{State: bridge.JobCompleted}, "", widget.ToneOK, "Done"},
		"apologised":      {bridge.Job{State: bridge.JobCompleted}, bridge.ReplyFailed, widget.ToneError, "Failed"},
		"given up":        {bridge.Job{State: bridge.JobDiscarded}, bridge.ReplyDrafting, widget.ToneError, "Failed"},
		"stale":           {bridge.Job{State: bridge.JobCancelled}, bridge.ReplyDelivered, widget.TonePaused, "Skipped"},
		"to be retried":   {bridge.Job{State: bridge.JobRetryable}, bridge.ReplyDrafting, widget.ToneAttention, "Will try again"},
		"retried at":      {bridge.Job{State: bridge.JobRetryable, DueAt: at().Add(time.Minute)}, "", widget.ToneAttention, "Trying again at 14:31:00"},
		"after a restart": {bridge.Job{State: bridge.JobAvailable}, bridge.ReplyDrafting, widget.ToneBusy, "Answering"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tone, text := talks.StateOf(w, at(), tt.job, bridge.Reply{State: tt.reply})
			if tone != tt.tone || text != tt.text {
				t.Errorf("got %s %q, want %s %q", tone, text, tt.tone, tt.text)
			}
		})
	}
}

func TestDescribeExchange(t *testing.T) {
	t.Parallel()
	w := live.Words{Lang: bridge.English}
	house := uitest.NewHouse(bridge.English, at())
	one := func(i int) talks.Card {
		all, err := house.Exchanges(t.Context(), house.Lane(i), 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		return talks.DescribeExchange(w, at(), all[len(all)-1])
	}
	delivered, failed, growing := one(0), one(2), one(1)
	if reached, bad, retry := delivered.Stage(); reached != 3 || bad || retry {
		t.Errorf("delivered: stage %d, failed %v, retry %v", reached, bad, retry)
	}
	if reached, bad, retry := failed.Stage(); reached != 1 || !bad || !retry {
		t.Errorf("failed: stage %d, failed %v, retry %v", reached, bad, retry)
	}
	if reached, bad, retry := growing.Stage(); reached != 1 || bad || retry {
		t.Errorf("growing: stage %d, failed %v, retry %v", reached, bad, retry)
	}
	if _, answer, note := failed.AsCopied(); answer != "" || note == "" {
		t.Errorf("failed: answer %q, note %q", answer, note)
	}
	if diff := cmp.Diff([]string{"First words", "", "+820 ms"}, delivered.Steps()[4].Parts()); diff != "" {
		t.Error(diff)
	}
}

func TestDescribeWithoutText(t *testing.T) {
	t.Parallel()
	w := live.Words{Lang: bridge.English}
	for want, job := range map[string]bridge.Job{
		"(files: 2)":         {Message: bridge.Message{Files: make([]bridge.File, 2)}},
		"(clicked a button)": {Action: &bridge.Action{Kind: bridge.ActionButton}},
		"(no text)":          {},
	} {
		question, _, _ := talks.DescribeExchange(w, at(), bridge.Exchange{Job: job}).AsCopied()
		if question != want {
			t.Errorf("got %q, want %q", question, want)
		}
	}
}

// page is the page in a window; do acts as the user and waits for what follows.
type page struct {
	*talks.Page
	shell *uitest.Shell
	do    func(func())
}

// office shows the page with a busy house and hands over when it has loaded.
func office(t *testing.T, house *uitest.House, f func(p *page)) {
	t.Helper()
	officeOf(t, house, house, f)
}

// officeOf is office with a house that stands before the busy one.
func officeOf(t *testing.T, house *uitest.House, backend talks.Backend, f func(p *page)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		kit, shell := uitest.NewKit(t, house.Language, at())
		p := talks.New(ctx, kit, backend)
		uitest.Show(t, p.Content(), 900, 600)
		changes := house.Watch(ctx)
		kit.Hub.Go(ctx, func(ctx context.Context) { kit.Hub.Follow(ctx, changes) })
		p.Shown(true)
		time.Sleep(time.Second)
		synctest.Wait()
		f(&page{p, shell, func(act func()) {
			kit.Hub.Do(ctx, act)
			time.Sleep(time.Second)
			synctest.Wait()
		}})
		cancel()
		synctest.Wait()
	})
}

func TestPageShowsTheLatestTalk(t *testing.T) {
	office(t, uitest.NewHouse(bridge.Chinese, at()), func(p *page) {
		if len(p.Titles()) != 11 || p.Titles()[0] != "林雯" || p.Chosen() != "林雯" {
			t.Errorf("titles %q, chosen %q", p.Titles(), p.Chosen())
		}
		if len(p.Questions()) != 2 {
			t.Errorf("questions %q", p.Questions())
		}
	})
}

func TestPageSearchesAfterAPause(t *testing.T) {
	office(t, uitest.NewHouse(bridge.Chinese, at()), func(p *page) {
		p.do(func() {
			test.Type(p.Search(), "发票")
			if len(p.Titles()) != 11 {
				t.Error("searched at the first letter")
			}
		})
		if diff := cmp.Diff([]string{"王珺"}, p.Titles()); diff != "" {
			t.Error(diff)
		}
		p.do(func() { p.Search().SetText("不存在的话") })
		if len(p.Titles()) != 0 || !p.NoHitsVisible() || p.EmptyVisible() {
			t.Errorf("titles %q", p.Titles())
		}
		p.do(func() { p.Search().SetText("") })
		if len(p.Titles()) != 11 {
			t.Error("the search did not end")
		}
	})
}

func TestPageFilters(t *testing.T) {
	office(t, uitest.NewHouse(bridge.English, at()), func(p *page) {
		p.do(func() { p.Filter(3) }) // the third bot
		if diff := cmp.Diff([]string{"Zhao Lei", "Liu Zhe"}, p.Titles()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestPageFollows(t *testing.T) {
	house := uitest.NewHouse(bridge.English, at())
	office(t, house, func(p *page) {
		house.Add(house.Lane(0), uitest.Exchange(house.Lane(0), 3000, "And sick leave?", "Ask HR.", at()))
		time.Sleep(time.Second)
		synctest.Wait()
		if got := p.Questions(); len(got) != 3 || got[2] != "And sick leave?" || !p.Tail().Following() {
			t.Errorf("questions %q, following %v", got, p.Tail().Following())
		}
	})
}

func TestPageIgnoresAnAnswerThatComesLate(t *testing.T) {
	house := uitest.NewHouse(bridge.English, at())
	office(t, house, func(p *page) {
		p.do(func() {
			p.Select(3)
			p.Select(2)
		})
		if p.Chosen() != "Chen Yue" || !strings.HasPrefix(p.Questions()[0], "I put the wrong department") {
			t.Errorf("chosen %q, questions %q", p.Chosen(), p.Questions())
		}
	})
}

func TestPageRetries(t *testing.T) {
	house := uitest.NewHouse(bridge.English, at())
	office(t, house, func(p *page) {
		if p.CanRetry(0) {
			t.Error("offers to repeat what went well")
		}
		p.do(func() { p.Select(2) })
		if !p.CanRetry(0) {
			t.Fatal("does not offer to try again")
		}
		p.do(func() {
			if n := p.Unfold(0); n != 7 { // six steps and the message's id
				t.Errorf("%d steps, want 7", n)
			}
			button, ok := uitest.Find(p.Steps(0), func(*fyneui.Button) bool { return true })
			if !ok {
				t.Fatal("the id cannot be copied")
			}
			test.Tap(button)
			if !slices.Equal(p.shell.Copied, []string{"om_1998"}) {
				t.Errorf("copied %q", p.shell.Copied)
			}
		})
		house.Fail = &bridge.Error{Kind: bridge.KindUnavailable}
		p.do(func() { p.Retry(0) })
		if len(p.shell.Troubles) == 0 {
			t.Error("a retry that fails says nothing")
		}
		house.Fail = nil
		p.do(func() { // a double click
			p.Retry(0)
			p.Retry(0)
		})
		p.do(func() { p.Retry(0) })
		if !slices.Equal(house.Retried(), []int64{1998, 1998}) || len(p.shell.Said) != 1 {
			t.Errorf("retried %v, said %q; want one that failed and one", house.Retried(), p.shell.Said)
		}
	})
}

// slowHouse does not find the questions of a lane until it may.
type slowHouse struct {
	*uitest.House
	lane string
	may  chan error
}

func (h *slowHouse) Exchanges(ctx context.Context, lane string, before int64, limit int) ([]bridge.Exchange, error) {
	if lane == h.lane {
		if err := <-h.may; err != nil {
			return nil, err
		}
	}
	return h.House.Exchanges(ctx, lane, before, limit)
}

func TestPageNamesWhomItShows(t *testing.T) {
	house := &slowHouse{House: uitest.NewHouse(bridge.English, at())}
	officeOf(t, house.House, house, func(p *page) {
		house.lane, house.may = house.Lane(2), make(chan error)
		shown := func() string { return p.Chosen() + ": " + p.Questions()[0] }
		before := shown()
		p.do(func() { p.Select(2) })
		if shown() != before {
			t.Errorf("%q while another talk is read, want still %q", shown(), before)
		}
		house.may <- &bridge.Error{Kind: bridge.KindUnavailable}
		p.do(func() {})
		if shown() != before || len(p.shell.Troubles) != 1 {
			t.Errorf("%q after an error, want still %q", shown(), before)
		}
		p.do(p.Refresh)
		house.may <- nil
		p.do(func() {})
		if p.Chosen() != "Chen Yue" || !strings.HasPrefix(p.Questions()[0], "I put the wrong department") {
			t.Errorf("in the end %q", shown())
		}
	})
}

func TestPageTeachesWhenEmpty(t *testing.T) {
	office(t, uitest.NewEmptyHouse(at()), func(p *page) {
		if !p.EmptyVisible() {
			t.Error("an empty page does not say what to do")
		}
	})
}
