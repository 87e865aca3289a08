package playground_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
	"switchboard/ui/page/playground"
	"switchboard/ui/uitest"
)

type page struct {
	*playground.Page
	shell *uitest.Shell
	house *uitest.House
	do    func(func())
	demo  func()
}

func office(t *testing.T, f func(p *page)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		house := uitest.NewEmptyHouse(time.Now())
		house.Chunk = 150 * time.Millisecond
		kit, shell := uitest.NewKit(t, bridge.English, time.Now())
		p := playground.New(ctx, kit, house)
		uitest.Show(t, p.Content(), 900, 600)
		changes := house.Watch(ctx)
		kit.Hub.Go(ctx, func(ctx context.Context) { kit.Hub.Follow(ctx, changes) })
		p.Shown(true)
		time.Sleep(time.Second)
		synctest.Wait()
		f(&page{p, shell, house, func(act func()) {
			kit.Hub.Do(ctx, act)
			time.Sleep(time.Second)
			synctest.Wait()
		}, p.Demo})
		cancel()
		synctest.Wait()
	})
}

func TestStartTalkStop(t *testing.T) {
	office(t, func(p *page) {
		if p.Seats() != 0 || !p.Start().Visible() || p.PlayButton().Visible() {
			t.Fatal("the simulator runs already")
		}
		p.do(func() { test.Tap(p.Start()) })
		if p.Seats() != 3 || !p.PlayButton().Visible() {
			t.Fatalf("%d seats", p.Seats())
		}
		p.do(func() {
			p.Use(0, 1)
			test.Type(p.Composer(0).Entry, "年假还剩几天？")
			p.Composer(0).Entry.TypedShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyReturn, Modifier: fyne.KeyModifierControl})
		})
		texts := p.BubbleTexts(0)
		if len(texts) != 2 || !strings.HasSuffix(texts[1], "/ writing…") || len(texts[1]) > len(uitest.Answer(bridge.Chinese, 1)) {
			t.Errorf("the answer does not grow: %q", texts)
		}
		p.do(func() {})
		texts = p.BubbleTexts(0)
		if !strings.HasPrefix(texts[1], uitest.Answer(bridge.Chinese, 1)+" / ") || !strings.HasSuffix(texts[1], "updates") {
			t.Errorf("the answer is not complete: %q", texts)
		}
		p.do(func() {
			p.Use(0, 2)
			p.Composer(0).Entry.SetText("然后呢")
			test.Tap(p.Composer(0).Button)
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		if p.Objects(0) != 5 { // two questions, two answers, and the move between them
			t.Errorf("%d things on the screen", p.Objects(0))
		}
		p.do(func() { test.Tap(p.StopButton()) })
		if p.Seats() != 0 || !p.Start().Visible() {
			t.Error("the simulator still runs")
		}
	})
}

func TestDemoPlaysToTheEnd(t *testing.T) {
	office(t, func(p *page) {
		p.do(p.demo)
		p.do(func() {
			if !p.Playing() || p.PlayButton().Text != "Stop the demo" {
				t.Error("does not play")
			}
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		if p.Playing() || p.PlayButton().Text != "Play the demo" || len(p.shell.Troubles) != 0 {
			t.Errorf("did not end: playing %v, troubles %v", p.Playing(), p.shell.Troubles)
		}
		want := []string{
			"How many days of leave do I have left, and how do I apply?", "Can I carry the rest over to next year?",
			"What is the password of the guest Wi-Fi?", "What name goes on our invoices?",
		}
		if diff := cmp.Diff(want, p.house.Said()); diff != "" {
			t.Error(diff)
		}
		if p.Objects(0) != 5 || p.Objects(1) != 2 || p.Objects(2) != 2 {
			t.Errorf("things on the screens: %d %d %d", p.Objects(0), p.Objects(1), p.Objects(2))
		}
	})
}

func TestDemoCanBeStopped(t *testing.T) {
	office(t, func(p *page) {
		p.do(p.demo)
		p.do(func() { test.Tap(p.PlayButton()) })
		time.Sleep(time.Minute)
		synctest.Wait()
		if p.Playing() || len(p.house.Said()) != 1 || len(p.shell.Troubles) != 0 {
			t.Errorf("playing %v, said %q, troubles %v", p.Playing(), p.house.Said(), p.shell.Troubles)
		}
	})
}

// TestDemoCanBePlayedAgainAtOnce: the end of the one that was stopped, which comes a
// little later, does not end the next one.
func TestDemoCanBePlayedAgainAtOnce(t *testing.T) {
	office(t, func(p *page) {
		p.do(p.demo)
		p.do(func() {
			test.Tap(p.PlayButton())
			test.Tap(p.PlayButton())
		})
		p.do(func() {
			if !p.Playing() || p.PlayButton().Text != "Stop the demo" {
				t.Error("the second one does not play")
			}
		})
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if p.Playing() || len(p.house.Said()) < 5 {
			t.Errorf("playing %v, said %q", p.Playing(), p.house.Said())
		}
	})
}

func TestTroubleIsTold(t *testing.T) {
	office(t, func(p *page) {
		p.do(func() { test.Tap(p.Start()) })
		p.house.Fail = &bridge.Error{Kind: bridge.KindUnavailable}
		p.do(func() {
			p.Composer(1).Entry.SetText("hello")
			test.Tap(p.Composer(1).Button)
		})
		if len(p.shell.Troubles) != 1 || p.Composer(1).Entry.Text != "hello" {
			t.Errorf("troubles %v, left to send %q", p.shell.Troubles, p.Composer(1).Entry.Text)
		}
		p.do(p.demo)
		if len(p.shell.Troubles) < 2 || p.Playing() {
			t.Errorf("troubles %v", p.shell.Troubles)
		}
	})
}

func TestAnswersCountsCompleteOnes(t *testing.T) {
	t.Parallel()
	bubbles := []bridge.Bubble{{}, {FromBot: true, Growing: true}, {FromBot: true}}
	if n := playground.Answers(bubbles); n != 1 {
		t.Errorf("got %d", n)
	}
}

func TestGroupSaysWhereAndWho(t *testing.T) {
	at := time.Date(2026, 3, 4, 14, 30, 0, 0, time.UTC)
	kit, _ := uitest.NewKit(t, bridge.English, at)
	tests := map[string]bridge.Bubble{
		"14:30":                      {At: at},
		"Weekly · Lin · 14:30":       {At: at, Chat: "Weekly", From: "Lin"},
		"Weekly · writing…":          {At: at, Chat: "Weekly", FromBot: true, Growing: true},
		"Weekly · 14:30 · 3 updates": {At: at, Chat: "Weekly", FromBot: true, Updates: 3},
	}
	for want, b := range tests {
		if got := playground.Foot(kit, b); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestTroubleCanBeChosen(t *testing.T) {
	office(t, func(p *page) {
		if p.Trouble().Visible() {
			t.Error("trouble without a simulator")
		}
		p.do(func() { test.Tap(p.Start()) })
		var got []string
		for i := range p.Trouble().Options {
			p.do(func() { p.Trouble().SetSelectedIndex((i + 1) % 4) })
			got = append(got, p.house.Disturbed())
		}
		if diff := cmp.Diff([]string{"busy=0.3", "slow=600ms", "duplicate=0.5", ""}, got); diff != "" {
			t.Error(diff)
		}
		p.house.Fail = &bridge.Error{Kind: bridge.KindInvalid}
		p.do(func() { p.Trouble().SetSelectedIndex(1) })
		if len(p.shell.Troubles) != 1 {
			t.Errorf("troubles %v", p.shell.Troubles)
		}
	})
}

// TestButtonsAreClicked: what stands below the last answer can be pressed, while it
// grows and after.
func TestButtonsAreClicked(t *testing.T) {
	office(t, func(p *page) {
		p.do(func() { test.Tap(p.Start()) })
		p.do(func() {
			p.Composer(0).Entry.SetText("hello")
			test.Tap(p.Composer(0).Button)
		})
		words := func() (all []string) {
			for _, b := range p.Buttons(0) {
				all = append(all, b.Text)
			}
			return all
		}
		p.do(func() {
			if diff := cmp.Diff([]string{"Stop"}, words()); diff != "" {
				t.Error(diff)
			}
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		if diff := cmp.Diff([]string{"Helpful", "Not helpful", "🔄 Another answer"}, words()); diff != "" {
			t.Error(diff)
		}
		p.do(func() { test.Tap(p.Buttons(0)[1]) })
		if diff := cmp.Diff([]string{"e1 a1 👎"}, p.house.Clicked()); diff != "" || len(words()) != 0 {
			t.Error(diff, words())
		}
		p.house.Fail = &bridge.Error{Kind: bridge.KindUnavailable}
		before := len(p.shell.Troubles)
		p.do(func() { p.Click(0, "a1", "👍") })
		if len(p.shell.Troubles) != before+1 {
			t.Errorf("troubles %v", p.shell.Troubles)
		}
	})
}

// TestThumbsAreWords: what was chosen stays marked, and a question that begins with
// a thumb stays as it is. What is clicked is always what the platform shows.
func TestThumbsAreWords(t *testing.T) {
	t.Parallel()
	buttons := []string{"👍 ✓", "👎", "👍 or 👎?", "为什么"}
	var labels, values []string
	for _, c := range playground.Choices(live.Words{Lang: bridge.Chinese}, buttons) {
		labels, values = append(labels, c.Label), append(values, c.Value)
	}
	if diff := cmp.Diff([]string{"有用 ✓", "没用", "👍 or 👎?", "为什么"}, labels); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(buttons, values); diff != "" {
		t.Error(diff)
	}
}
