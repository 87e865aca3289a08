package send_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"fyne.io/fyne/v2/test"

	"switchboard/internal/bridge"
	"switchboard/ui/page/send"
	"switchboard/ui/uitest"
	"switchboard/ui/widget"
)

// slowHouse takes a few seconds to send, and its first bot works only when it may.
type slowHouse struct {
	*uitest.House
	works atomic.Bool
	fewer atomic.Bool // the last bot is gone
}

func (h *slowHouse) SendBots() []bridge.SendBot {
	all := h.House.SendBots()
	if !h.works.Load() {
		all[0].Err = &bridge.Error{Kind: bridge.KindUnavailable}
	}
	if h.fewer.Load() {
		all = all[:len(all)-1]
	}
	return all
}

func (h *slowHouse) Send(ctx context.Context, s bridge.Sending) (bridge.Sent, error) {
	select {
	case <-ctx.Done():
		return bridge.Sent{}, ctx.Err()
	case <-time.After(3 * time.Second):
		return h.House.Send(ctx, s)
	}
}

func slow(works bool) (*slowHouse, func(*uitest.House) send.Backend) {
	h := &slowHouse{}
	h.works.Store(works)
	return h, func(house *uitest.House) send.Backend {
		h.House = house
		return h
	}
}

// TestAnotherLanguageWhileSending: a send goes on, and the new page tells of it.
func TestAnotherLanguageWhileSending(t *testing.T) {
	_, before := slow(true)
	atDeskOf(t, office, before, func(d *desk) {
		d.written()
		button, _ := d.page.Buttons()
		d.do(func() { test.Tap(button) })
		d.again()
		if button, _ = d.page.Buttons(); !button.Disabled() {
			d.Error("it can be sent again while it is being sent")
		}
		for range 3 {
			d.do(func() {})
		}
		if button.Disabled() || button.Text != "Send again" || d.page.History() != 1 || len(d.house.Sent()) != 1 {
			d.Errorf("button %q, %d in the history, sent %+v", button.Text, d.page.History(), d.house.Sent())
		}
		d.want("Sent to Product team")
	})
}

// TestABotThatWorksAgain: a bot may be without its secret when the page opens, until
// somebody unlocks the keyring.
func TestABotThatWorksAgain(t *testing.T) {
	house, before := slow(false)
	atDeskOf(t, office, before, func(d *desk) {
		d.do(func() { d.page.Channel().SetSelectedIndex(0) })
		if d.says("Product team") {
			d.Fatal("offers people for a bot that does not work")
		}
		house.works.Store(true)
		d.do(d.page.Changed)
		d.want("Product team")
	})
}

// TestNothingMovesUnderThePointer: what is offered stays the same things while the
// house only counts on.
func TestNothingMovesUnderThePointer(t *testing.T) {
	atDesk(t, office, func(d *desk) {
		tile := func() *widget.Tile {
			found, _ := uitest.Find(d.page.Content(), func(*widget.Tile) bool { return true })
			return found
		}
		before := tile()
		d.do(d.page.Changed)
		if before == nil || tile() != before {
			d.Error("another tile stands in the place of the first one")
		}
	})
}

// TestPickedFromAnOldList: a list that is open still offers a bot that is gone.
func TestPickedFromAnOldList(t *testing.T) {
	house, before := slow(true)
	atDeskOf(t, office, before, func(d *desk) {
		channel := d.page.Channel()
		was := channel.Selected
		d.do(func() { test.Tap(channel) })
		house.fewer.Store(true)
		d.do(d.page.Changed)
		d.do(func() { // as the open list does
			channel.Selected = "gone"
			channel.OnChanged("gone")
		})
		if channel.Selected != was {
			d.Errorf("chosen %q, want still %q", channel.Selected, was)
		}
	})
}
