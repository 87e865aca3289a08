package simulator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"switchboard/internal/bridge"
)

// Line is what an employee writes.
type Line struct {
	Employee string
	Platform bridge.Platform
	Text     string
	// Group is the ID of a group chat; empty is the direct chat with the bot.
	Group string
	// Mention puts an @ of the bot before the text, in a group.
	Mention bool
	// Quote is the message that this one answers, on Feishu and DingTalk.
	Quote bridge.MessageID
	// File is sent in place of the text. With DingTalk's voices the text is what the
	// platform heard; into its groups people send pictures only, with a mention.
	File *File
	// Service says that it is written to customer service on WeCom, as somebody from
	// outside the company, rather than to the app; see Options.Service.
	Service bool
	// Lost says that the platform never delivers the message, as if nobody had
	// been there as often as it tried. Where messages can be listed it is found.
	Lost bool
}

// talk is the chat it is written in.
func (l Line) talk() talk {
	if l.Group != "" {
		return talk{platform: l.Platform, group: l.Group}
	}
	return talk{platform: l.Platform, employee: l.Employee, service: l.Service}
}

// File is a file that an employee sends.
type File struct {
	Kind bridge.FileKind
	Name string
	Data []byte
}

// delivery is a webhook that can be delivered again.
type delivery struct {
	id       bridge.MessageID
	platform bridge.Platform
	bot      string
	make     func(url string) (*http.Request, error)
	good     func(status int, body []byte) bool
}

// habit is how a platform delivers.
type habit struct {
	within time.Duration   // the callback has to answer
	again  []time.Duration // the pauses before it delivers again
}

// habitOf returns how a platform delivers. DingTalk says nothing about robots;
// its habit with events stands in.
func habitOf(p bridge.Platform) habit {
	switch p {
	case feishu:
		return habit{3 * time.Second, []time.Duration{15 * time.Second, 5 * time.Minute, time.Hour, 6 * time.Hour}}
	case wecom:
		return habit{5 * time.Second, []time.Duration{5 * time.Second, 5 * time.Second}}
	default:
		return habit{2500 * time.Millisecond, []time.Duration{10 * time.Second, 30 * time.Second}}
	}
}

// Say writes a message to the bot as an employee, in their direct chat. It is
// short for Write.
func (s *Simulator) Say(ctx context.Context, employee string, p bridge.Platform, text string) (bridge.MessageID, error) {
	return s.Write(ctx, Line{Employee: employee, Platform: p, Text: text})
}

// Write writes a message as an employee and returns when it was accepted. One
// that is not accepted is delivered again as often as the platform does, before
// the error is returned. It returns at once when the platform does not deliver
// the message, because a group's message does not mention the bot or the bot
// hears no groups; and when a fault reorders it or platforms follow their
// schedule.
func (s *Simulator) Write(ctx context.Context, l Line) (bridge.MessageID, error) {
	from, ok := s.people.find(byName, l.Employee)
	if !ok {
		return "", fmt.Errorf("simulator: nobody is called %q", l.Employee)
	}
	group, ok := s.group(func(id string) bool { return id == l.Group })
	if l.Group != "" && !ok {
		return "", fmt.Errorf("simulator: no group is called %q", l.Group)
	}
	d, heard, err := s.compose(l)
	if err != nil {
		return "", err
	}
	at := l.talk()
	trace := Trace{Employee: l.Employee, Platform: l.Platform, Group: l.Group, Text: l.Text}
	s.board.say(d.id, trace, at, from, group.Name, s.members(at))
	if !heard || l.Lost {
		return d.id, nil
	}
	s.mu.Lock()
	s.sent.put(string(d.id), d)
	s.mu.Unlock()
	return d.id, s.push(ctx, d)
}

// compose makes the webhook of a message, and says whether the platform
// delivers it at all.
func (s *Simulator) compose(l Line) (d delivery, heard bool, err error) {
	mentioned := l.Group == "" || l.Mention || s.opt.HearAll
	switch {
	case l.File != nil && l.Platform == dingtalk && l.Group != "" && (l.File.Kind != bridge.FileImage || !l.Mention):
		return delivery{}, false, errors.New("simulator: such a file does not reach a robot in a group")
	case l.Service && (!s.opt.Service || l.Platform != wecom || l.Group != ""):
		return delivery{}, false, errors.New("simulator: there is no such chat with customer service")
	case l.Service:
		return s.service.message(l), true, nil
	}
	switch l.Platform {
	case feishu:
		return s.feishu.message(l), mentioned, nil
	case wecom:
		return s.wecom.message(l), l.Group == "", nil // a self-built app hears no group
	case dingtalk:
		return s.ding.message(l), mentioned, nil
	default:
		return delivery{}, false, fmt.Errorf("simulator: no platform %q", l.Platform)
	}
}

// push delivers a message, with the troubles on the way.
func (s *Simulator) push(ctx context.Context, d delivery) error {
	if delay, yes := s.dice.strike(d.platform, FaultDelay); yes {
		if err := s.pause(ctx, delay.For); err != nil {
			return err
		}
	}
	if late, yes := s.dice.strike(d.platform, FaultReorder); yes {
		s.hold(ctx, d, late.For)
		return nil
	}
	if err := s.persist(ctx, d); err != nil {
		return err
	}
	s.release(d.platform)
	if double, yes := s.dice.strike(d.platform, FaultDuplicate); yes {
		return s.repeat(ctx, d, double.copies())
	}
	return nil
}

// repeat delivers a message again, several times at once.
func (s *Simulator) repeat(ctx context.Context, d delivery, copies int) error {
	results := make(chan error)
	for range copies {
		go func() { results <- s.deliver(ctx, d) }()
	}
	var all error
	for range copies {
		all = errors.Join(all, <-results)
	}
	return all
}

// persist delivers a message until it is accepted.
func (s *Simulator) persist(ctx context.Context, d delivery) error {
	for try := 0; ; try++ {
		err := s.deliver(ctx, d)
		switch {
		case err == nil:
			return nil
		case s.opt.Scheduled:
			s.schedule(d, 0)
			return nil
		case try == len(habitOf(d.platform).again):
			return err
		}
		if err := s.pause(ctx, s.opt.RetryPause); err != nil {
			return err
		}
	}
}

func (s *Simulator) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return fmt.Errorf("simulator: %w", ctx.Err())
	case <-s.closing:
		return errors.New("simulator: closed")
	case <-timer.C:
		return nil
	}
}

// Redeliver delivers an earlier message again, byte for byte or signed afresh
// as the platform does.
func (s *Simulator) Redeliver(ctx context.Context, id bridge.MessageID) error {
	s.mu.Lock()
	d, ok := s.sent.get(string(id))
	s.mu.Unlock()
	if !ok {
		return fmt.Errorf("simulator: no message %q", id)
	}
	return s.deliver(ctx, d)
}

// deliver delivers a message once.
func (s *Simulator) deliver(ctx context.Context, d delivery) error {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(s.opt.Patience, habitOf(d.platform).within))
	defer cancel()
	if _, yes := s.dice.strike(d.platform, FaultDrop); yes {
		d.good = func(int, []byte) bool { return false } // it is not heard
	}
	err := s.post(ctx, d)
	s.delivered(d.id, err == nil)
	return err
}

// post sends one request to the callback of a bot and looks at the answer.
func (s *Simulator) post(ctx context.Context, d delivery) error {
	s.mu.Lock()
	hook := s.hooks[d.bot]
	s.mu.Unlock()
	if hook == "" {
		return fmt.Errorf("simulator: bot %s has no callback address", d.bot)
	}
	req, err := d.make(hook)
	if err != nil {
		return fmt.Errorf("simulator: %w", err)
	}
	resp, err := s.client.Do(req.WithContext(ctx))
	if err != nil {
		return fmt.Errorf("simulator: deliver: %w", err)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return fmt.Errorf("simulator: deliver: %w", err)
	}
	if !d.good(resp.StatusCode, body) {
		return fmt.Errorf("simulator: the callback of %s answered %d %q", d.bot, resp.StatusCode, body)
	}
	return nil
}

// Verify checks the callback of a bot the way the platform's console does when
// the address is saved.
func (s *Simulator) Verify(ctx context.Context, bot string) error {
	var d delivery
	within := time.Second
	switch bot {
	case feishuName:
		d = s.feishu.challenge()
	case corpName:
		d = s.wecom.proof()
	case serviceName:
		d = s.service.proof()
	case dingName:
		d, within = s.ding.probe(), habitOf(dingtalk).within
	default:
		return fmt.Errorf("simulator: no bot is called %q", bot)
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return s.post(ctx, d)
}

// held is a message that waits for the one after it.
type held struct {
	free chan struct{} // closed when it may go
	done chan struct{} // closed when it was delivered or given up
}

// hold delivers a message after the next one of its platform, or after a while.
func (s *Simulator) hold(ctx context.Context, d delivery, longest time.Duration) {
	h := &held{make(chan struct{}), make(chan struct{})}
	s.mu.Lock()
	s.held[d.platform] = append(s.held[d.platform], h)
	s.afoot[h] = struct{}{}
	s.mu.Unlock()
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer cancel()
		select {
		case <-s.closing:
		case <-h.done:
		}
	}()
	go func() {
		defer s.arrived(h)
		timer := time.NewTimer(longest)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-h.free:
		case <-s.closing:
			return
		}
		_ = s.persist(ctx, d) // Trace tells whether it was accepted
	}()
}

func (s *Simulator) arrived(h *held) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for p, all := range s.held {
		s.held[p] = slices.DeleteFunc(all, func(o *held) bool { return o == h })
	}
	delete(s.afoot, h)
	close(h.done)
}

// release lets the messages go that were held back.
func (s *Simulator) release(p bridge.Platform) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.held[p] {
		close(h.free)
	}
	s.held[p] = nil
}

// Flush lets every message go that a fault holds back, and waits until they are
// delivered.
func (s *Simulator) Flush(ctx context.Context) error {
	for _, p := range allPlatforms() {
		s.release(p)
	}
	s.settle(ctx.Done())
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("simulator: %w", err)
	}
	return nil
}

// settle waits for the messages under way.
func (s *Simulator) settle(giveUp <-chan struct{}) {
	s.mu.Lock()
	var all []chan struct{}
	for h := range s.afoot {
		all = append(all, h.done)
	}
	s.mu.Unlock()
	for _, done := range all {
		select {
		case <-done:
		case <-giveUp:
		}
	}
}
