package simulator

import (
	"context"
	"fmt"
	"slices"
	"time"

	"switchboard/internal/bridge"
)

// Click presses a button below a message, as an employee who sees it; the button
// is named by its words. It returns when the bot has answered the click as the
// platform wants it, which is then seen on the screens. WeCom delivers a click
// like a message, as often as it takes; the other platforms deliver it once.
func (s *Simulator) Click(ctx context.Context, employee string, message bridge.MessageID, button string) error {
	p, ok := s.board.platform(string(message))
	if !ok {
		return unseen(employee, string(message), button)
	}
	var d delivery
	var err error
	switch p {
	case wecom:
		if d, err = s.wecom.click(employee, string(message), button); err != nil {
			return err
		}
		return s.push(ctx, d)
	case feishu:
		d, err = s.feishu.click(employee, string(message), button)
	default:
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, dingPatience)
		defer cancel()
		d, err = s.ding.click(employee, string(message), button)
	}
	if err != nil {
		return err
	}
	return s.once(ctx, d)
}

func unseen(employee, message, button string) error {
	return fmt.Errorf("simulator: %s sees no button %q on %s", employee, button, message)
}

// once delivers a click that is not repeated, unless the employee is impatient.
func (s *Simulator) once(ctx context.Context, d delivery) error {
	if delay, yes := s.dice.strike(d.platform, FaultDelay); yes {
		if err := s.pause(ctx, delay.For); err != nil {
			return err
		}
	}
	if err := s.deliver(ctx, d); err != nil {
		return err
	}
	if double, yes := s.dice.strike(d.platform, FaultDuplicate); yes {
		return s.repeat(ctx, d, double.copies())
	}
	return nil
}

// platform tells where a message of the bot's was shown.
func (b *board) platform(message string) (bridge.Platform, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, ok := b.posts.get(message)
	if !ok || p.recalled {
		return "", false
	}
	return p.talk.platform, true
}

// label puts buttons below a message, in place of those that were there.
func (b *board) label(id string, buttons []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, ok := b.posts.get(id)
	if !ok {
		return
	}
	for _, employee := range p.seen {
		all := b.bubbles[employee]
		for i := len(all) - 1; i >= 0; i-- {
			if all[i].ID != id {
				continue
			}
			if !slices.Equal(all[i].Buttons, buttons) {
				all[i].Buttons, all[i].Changed = buttons, time.Now()
				b.tell(all[i])
			}
			break
		}
	}
}
