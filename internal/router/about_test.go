package router_test

import (
	"testing"

	"switchboard/internal/bridge"
	"switchboard/internal/router"
)

// clicked is a click of somebody on the answer to a job.
func clicked(m bridge.Message, do, job string) bridge.NewJob {
	a := &bridge.Action{Bot: m.Bot, Platform: m.Platform, Kind: bridge.ActionButton, Chat: m.Chat, Sender: m.Sender, Value: map[string]string{bridge.ValueDo: do}}
	if job != "" {
		a.Value[bridge.ValueJob] = job
	}
	m.Text = a.Typed()
	return bridge.NewJob{Message: m, Action: a}
}

// TestPlaceOfClick: a click belongs to the talk of the answer it is about, whatever
// the rules say of its words and however little it tells of the chat.
func TestPlaceOfClick(t *testing.T) {
	t.Parallel()
	opt := router.Options{
		Desk: "desk", Serves: func(agent string) bool { return agent != "gone" },
		Group: func(string) router.GroupPolicy { return router.GroupPerThread },
	}
	r, p := setupWith(opt)
	inThread := group("li")
	inThread.Chat.Thread = "t1"
	p.jobs = map[int64]bridge.Job{
		1: {ID: 1, Queue: "hr", Message: direct("one", "li", "what?")},
		2: {ID: 2, Queue: "help", Message: inThread},
		3: {ID: 3, Queue: "gone", Message: direct("one", "li", "what?")},
		4: {ID: 4, Queue: "desk", Message: direct("one", "li", "/help")},
	}
	elsewhere := group("li")
	elsewhere.Bot = "bot-two"
	bare := direct("one", "li", "")
	bare.Chat.ID = "another name of it"
	for name, c := range map[string]struct {
		n           bridge.NewJob
		queue, lane string
	}{
		"its agent":        {clicked(direct("one", "li", ""), bridge.DoAgain, "1"), "hr", "p:p1:hr"},
		"a direct chat":    {clicked(bare, bridge.DoGood, "1"), "hr", "p:p1:hr"},
		"aside":            {clicked(direct("one", "li", ""), bridge.DoStop, "1"), "desk", "o:p:p1:hr"},
		"its thread":       {clicked(group("li"), bridge.DoGood, "2"), "help", "gt:bot-one:t1:room:help"},
		"no such agent":    {clicked(direct("one", "li", ""), bridge.DoAgain, "3"), "help", "p:p1:help"},
		"somebody else's":  {clicked(direct("one", "zhang", ""), bridge.DoGood, "1"), "help", "p:p2:help"},
		"unknown":          {clicked(direct("one", "li", ""), bridge.DoGood, "9"), "help", "p:p1:help"},
		"no number":        {clicked(direct("one", "li", ""), bridge.DoGood, "1; 2"), "help", "p:p1:help"},
		"one of ours":      {clicked(direct("one", "li", ""), bridge.DoGood, "4"), "help", "p:p1:help"},
		"about nothing":    {clicked(direct("one", "li", ""), bridge.DoNew, ""), "help", "p:p1:help"},
		"of another group": {clicked(elsewhere, bridge.DoGood, "2"), "help", "g:bot-two:room:help"},
	} {
		p.persons = map[string]string{"onetli": "p1"}
		queue, lane, err := r.Place(t.Context(), c.n)
		if err != nil || queue != c.queue || lane != c.lane {
			t.Errorf("%s: %s in %s, %v; want %s in %s", name, queue, lane, err, c.queue, c.lane)
		}
	}
}

// TestAbout tells apart what is gone from what is none of a chat's business.
func TestAbout(t *testing.T) {
	t.Parallel()
	r, p := setup()
	p.jobs = map[int64]bridge.Job{1: {ID: 1, Message: direct("one", "li", "x")}, 2: {ID: 2, Message: group("li")}}
	for name, c := range map[string]struct {
		m     bridge.Message
		job   string
		named bool
		kind  bridge.Kind
	}{
		"known":               {direct("one", "li", ""), "1", true, ""},
		"in a group":          {group("zhang"), "2", true, ""},
		"nothing":             {direct("one", "li", ""), "", false, ""},
		"gone":                {direct("one", "li", ""), "7", true, bridge.KindNotFound},
		"another bot":         {direct("two", "li", ""), "1", true, bridge.KindForbidden},
		"another person":      {direct("one", "zhang", ""), "1", true, bridge.KindForbidden},
		"from group to chat":  {group("li"), "1", true, bridge.KindForbidden},
		"from chat to group":  {direct("one", "li", ""), "2", true, bridge.KindForbidden},
		"a negative number":   {direct("one", "li", ""), "-1", true, bridge.KindForbidden},
		"more than a number":  {direct("one", "li", ""), "1 OR 1", true, bridge.KindForbidden},
		"longer than any job": {direct("one", "li", ""), "99999999999999999999", true, bridge.KindForbidden},
	} {
		j, named, err := r.About(t.Context(), clicked(c.m, bridge.DoGood, c.job).Action)
		if named != c.named || bridge.KindOf(err) != c.kind || (j.ID != 0) != (c.named && c.kind == "") {
			t.Errorf("%s: job %d, %v, %v", name, j.ID, named, err)
		}
	}
}
