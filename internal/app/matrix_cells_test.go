package app_test

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
)

// platformCells are the troubles of the platforms.
func platformCells() []cell {
	const failing = "bot_failing"
	// Only DingTalk's session address knows no key that lets a message be shown once.
	unkeyed := []bridge.Platform{"dingtalk"}
	return []cell{
		{name: "delivered five times more, at once", faults: []string{"duplicate=1x*5"}, after: (*stage).fiveMore},
		{name: "our acceptance is lost twice", faults: []string{"drop=2x"}},
		{name: "delivered again after the answer", after: (*stage).again},
		{name: "delivered late", faults: []string{"delay=1x@300ms"}},
		{name: "overtaken by the next message", faults: []string{"reorder=1x@5s"}, ask: twice, shown: same(2), asks: 2},
		{name: "busy", faults: []string{"busy=1x"}},
		{name: "too many calls, no word until when", faults: []string{"limit=2x"}},
		{name: "too many calls, come again in a second", faults: []string{"limit=1x@1s"}},
		{name: "a gateway's error page", faults: []string{"fail=2x"}, doubled: unkeyed},
		{name: "reset before the platform took it", faults: []string{"reset=2x"}, doubled: unkeyed},
		{name: "reset after the platform took it", faults: []string{"break=1x"}, shown: map[bridge.Platform]int{"dingtalk": 2}, doubled: unkeyed},
		{name: "the token has ended", ask: ending},
		{name: "every token is refused, twice", faults: []string{"expire=2x"}},
		{
			name: "the secret is wrong", faults: []string{"secret=1"}, cards: true,
			shown: same(0), waits: true, notices: notice(failing), after: (*stage).noStorm,
			then: &cell{name: "the secret is right again", shown: same(4), ask: restart, asks: anyhow},
		},
		{
			name: "the secret is wrong from the beginning", unheard: true, ask: inVain,
			lacks: map[bridge.Platform]string{
				"feishu": "events are signed with the Encrypt Key, not with the secret", "wecom": "messages are signed with the Token, not with the secret",
			},
		},
		{
			name: "the month's calls are used up", faults: []string{"quota=1"}, shown: same(0), waits: true, notices: notice(failing),
			lacks: map[bridge.Platform]string{"wecom": "WeCom does not count calls by the month"},
			then:  &cell{name: "the next month has come", lacks: map[bridge.Platform]string{"wecom": "WeCom does not count calls by the month"}, ask: wait, asks: anyhow, late: true},
		},
		{
			name: "the card is gone", faults: []string{"gone=1"}, cards: true,
			lacks: map[bridge.Platform]string{"wecom": "answers do not grow in a self-built app, so nothing is changed that could be gone"},
		},
		{
			name: "the group is dissolved", faults: []string{"dissolved=1"}, group: true, gone: true, shown: same(0), notices: notice(failing),
			lacks: map[bridge.Platform]string{"wecom": "a self-built app hears no groups"},
		},
		{name: "the person has left", faults: []string{"left=1"}, gone: true, shown: same(0), notices: notice(failing)},
	}
}

// cardCells are the troubles of the platforms where DingTalk's answers grow in
// cards, which have a key and other ways to refuse.
func cardCells() []cell {
	var all []cell
	for _, c := range platformCells() {
		if c.cards || len(c.faults) == 0 || slices.Contains([]string{"duplicate", "drop", "delay", "reorder"}, strings.Split(c.faults[0], "=")[0]) {
			continue
		}
		c.name += ", with a card"
		c.cards, c.on, c.lacks, c.doubled, c.then = true, []bridge.Platform{"dingtalk"}, nil, nil, nil
		if c.shown["dingtalk"] > 1 {
			c.shown = nil
		}
		all = append(all, c)
	}
	return all
}

// agentCells are the troubles of the agent, and answers of an unusual size.
func agentCells() []cell {
	const failing, away = "agent_failing", "cannot be reached"
	return []cell{
		{
			name: "the agent is away", away: true, sees: away, notices: notice(failing),
			then: &cell{name: "and is asked by /retry while it is away", ask: retry, away: true, sees: away, notices: notice(failing)},
		},
		{name: "the agent refuses the key", moods: []mood{moodRefuseKey}, sees: "not set up correctly", notices: notice(failing)},
		{name: "the agent is busy once", moods: []mood{moodBusy, ""}, asks: 2},
		{
			name: "the agent is busy", moods: []mood{moodBusy, moodBusy, moodBusy, ""}, asks: 3, sees: "many people", notices: notice(failing),
			then: &cell{name: "and is asked by /retry when it is not", ask: retry},
		},
		{name: "the agent is crowded once", moods: []mood{moodCrowded, ""}, asks: 2},
		{name: "the agent is crowded", moods: []mood{moodCrowded}, asks: 3, sees: "many people", notices: notice(failing)},
		{name: "a gateway before the agent fails once", moods: []mood{moodGateway, ""}, asks: 2},
		{name: "the agent's connection breaks once", moods: []mood{moodReset, ""}, asks: 2},
		{name: "the agent is slow", moods: []mood{moodSlow}},
		{name: "the agent's stream is cut once", moods: []mood{moodCut, ""}, asks: 2},
		{name: "the agent's stream is always cut", moods: []mood{moodCut}, asks: 2, sees: "interrupted", notices: notice(failing)},
		{name: "the agent forgot the conversation", moods: []mood{"", moodForgotten, ""}, ask: onTop, shown: same(2), asks: 3},
		{name: "an error before the first text", moods: []mood{moodError}, sees: "had a problem", notices: notice(failing)},
		{name: "an error after the first text", moods: []mood{moodLateError}, sees: "interrupted", notices: notice(failing)},
		{
			name: "a file for an app that takes none", ask: sendFile, asks: never, sees: "does not take files",
			then: &cell{name: "and a question after it"},
		},
		{name: "the agent answers in one piece", moods: []mood{moodWhole}},
		{name: "more people ask than the agent can hear at once", moods: []mood{moodFew}, crowd: 8, ask: everybody, asks: 8, after: (*stage).everyone},
		{name: "an answer takes ten minutes", moods: []mood{moodLong}, during: (*stage).tenMinutes},
		{name: "an answer is too long for one message", moods: []mood{moodHuge}, shown: map[bridge.Platform]int{"feishu": 2, "wecom": 11, "dingtalk": 4}, after: (*stage).complete},
	}
}

// flowCells are the troubles of an agent that is a chatflow, which tells of them
// in other ways and goes on when nobody listens.
func flowCells() []cell {
	const failing = "agent_failing"
	return []cell{
		{name: "a chatflow fails before the first text", flow: true, moods: []mood{moodError}, sees: "had a problem", notices: notice(failing)},
		{name: "a chatflow fails after the first text", flow: true, moods: []mood{moodLateError}, sees: "interrupted", notices: notice(failing)},
		{name: "a chatflow seems to fail after its end", flow: true, moods: []mood{moodFailedLater}},
		{name: "a file for a chatflow that takes none", flow: true, ask: sendFile, asks: never, sees: "does not take files"},
		{name: "a chatflow ends without its last event", flow: true, moods: []mood{moodEndless}},
		{name: "a chatflow says in another order that it ended", flow: true, moods: []mood{moodOtherOrder}},
		{name: "a chatflow's stream is cut, and it goes on", flow: true, moods: []mood{moodCut}},
		{name: "an old chatflow falls silent about a conversation it forgot", flow: true, moods: []mood{"", moodSilent, ""}, ask: onTop, shown: same(2), asks: 3},
	}
}

// everybody asks at once, li last.
func everybody(s *stage, p bridge.Platform) {
	all := s.sim.Employees()
	slices.SortStableFunc(all, func(a, b bridge.Employee) int {
		return strings.Compare(strconv.FormatBool(a.ID == "li"), strconv.FormatBool(b.ID == "li"))
	})
	for _, e := range all {
		s.from(e.ID, p, questionOf(p, s.next(p)))
	}
	until(s.t, func() bool {
		return !slices.ContainsFunc(s.said[p], func(id bridge.MessageID) bool {
			trace, _ := s.sim.Trace(id)
			return len(trace.Answers) == 0 || trace.Answers[0].Growing
		})
	})
}

// everyone looks for the one answer to each person, and how many were heard at
// the same time.
func (s *stage) everyone() {
	for p, all := range s.said {
		for _, id := range all {
			if trace, _ := s.sim.Trace(id); len(trace.Answers) != 1 || !strings.Contains(trace.Answers[0].Text, trace.Text+secondHalf) {
				s.t.Errorf("%s: %s has the answers %+v", p, trace.Employee, trace.Answers)
			}
		}
		if n := s.agent.most(agentKey(p)); n != atOnce {
			s.t.Errorf("%s: %d were heard at once, want %d", p, n, atOnce)
		}
	}
}

// twice asks a question that is held back and one that overtakes it.
func twice(s *stage, p bridge.Platform) {
	s.ask(p)
	s.ask(p)
	if err := s.sim.Flush(s.ctx); err != nil {
		s.t.Error(err)
	}
}

// onTop asks a second question when the first is answered.
func onTop(s *stage, p bridge.Platform) {
	s.ask(p)
	s.settled(p)
	s.ask(p)
	until(s.t, func() bool { return strings.Contains(s.job(p).Job.Message.Text, questionOf(p, 2)) })
}

// ending asks with tokens that were good a moment ago.
func ending(s *stage, p bridge.Platform) {
	s.ask(p)
	s.settled(p)
	s.old[p], s.asked[p] = len(s.seen(p)), s.agent.asks(agentKey(p))
	s.expire()
	s.ask(p)
	until(s.t, func() bool { return strings.Contains(s.job(p).Job.Message.Text, questionOf(p, 2)) })
}

// sendFile sends a file in place of a question.
func sendFile(s *stage, p bridge.Platform) {
	id, err := s.sim.Write(s.ctx, simulator.Line{Employee: "li", Platform: p, File: &simulator.File{Kind: bridge.FileOther, Name: "plan.txt", Data: []byte("the plan")}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.said[p] = append(s.said[p], id)
	until(s.t, func() bool { return s.job(p).Job.ID != 0 })
}

func retry(s *stage, p bridge.Platform) {
	s.say(p, "/retry")
	until(s.t, func() bool { return s.job(p).Job.Message.Text == "/retry" })
}

// inVain asks something that is turned away, however often it is delivered.
func inVain(s *stage, p bridge.Platform) {
	id, err := s.sim.Write(s.ctx, simulator.Line{Employee: "li", Platform: p, Text: questionOf(p, s.next(p))})
	if err == nil {
		s.t.Errorf("%s: a delivery with a wrong signature was accepted", p)
	}
	s.said[p] = append(s.said[p], id)
}

// wait asks nothing: what was asked before is answered now.
func wait(*stage, bridge.Platform) {}

// restart starts the program again, as an admin does after a change of settings.
func restart(s *stage, p bridge.Platform) {
	if p == everywhere()[0] {
		s.stop()
		s.open()
	}
}

// again delivers every message once more.
func (s *stage) again() {
	for p, all := range s.said {
		for _, id := range all {
			if err := s.sim.Redeliver(s.ctx, id); err != nil {
				s.t.Error(err)
			}
		}
		s.steady(func() string { return s.row(p) })
		if n := len(s.seen(p)); n != 1 {
			s.t.Errorf("%s: %d messages can be seen after the late delivery", p, n)
		}
	}
}

// fiveMore counts the deliveries that were silent.
func (s *stage) fiveMore() {
	for _, p := range everywhere() {
		silent := 0
		for _, e := range s.job(p).Entries {
			if e.Kind == bridge.EntryDuplicate {
				silent++
			}
		}
		if trace, _ := s.sim.Trace(s.said[p][0]); silent != 5 || trace.Accepted != 6 {
			s.t.Errorf("%s: %d deliveries were silent and %d accepted", p, silent, trace.Accepted)
		}
	}
}

// noStorm lets more people write while the secret is wrong: nobody asks for a
// token again before a minute is over.
func (s *stage) noStorm() {
	sleep(s.ctx, time.Second)
	for range 3 {
		for _, p := range everywhere() {
			s.ask(p)
		}
	}
	sleep(s.ctx, time.Second)
	for _, api := range []string{"feishu token", "wecom gettoken", "dingtalk accessToken"} {
		if n := s.sim.Calls()[api]; n < 1 || n > 1+int(time.Since(s.began)/time.Minute) {
			s.t.Errorf("%s is called %d times with a wrong secret", api, n)
		}
	}
}

// tenMinutes lets the time pass in the middle of the answers.
func (s *stage) tenMinutes() {
	for range everywhere() {
		select {
		case <-s.agent.half:
		case <-s.ctx.Done():
		}
	}
	until(s.t, func() bool {
		all := s.seen("feishu")
		return len(all) == 1 && all[0].Growing && strings.Contains(all[0].Text, strings.TrimSpace(firstHalf))
	})
	if err := s.sim.Advance(s.ctx, 10*time.Minute); err != nil {
		s.t.Error(err)
	}
	close(s.agent.goOn)
}

// complete looks for every line of a long answer, in order.
func (s *stage) complete() {
	for _, p := range everywhere() {
		text := ""
		for _, b := range s.seen(p) {
			text += b.Text
		}
		for n := range hugeLines {
			line := strings.TrimSpace(hugeLine(n))
			_, rest, found := strings.Cut(text, line)
			if !found {
				s.t.Errorf("%s: the answer lacks %q, or it stands elsewhere", p, line)
				break
			}
			text = rest
		}
		if !strings.Contains(text, strings.TrimSpace(secondHalf)) {
			s.t.Errorf("%s: the answer lacks its end", p)
		}
	}
}
