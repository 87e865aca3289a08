package router

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"switchboard/internal/bridge"
)

// Rule says who answers some messages instead of the bot's own agent. All its
// conditions have to hold; one with several values holds for any of them, one
// without is not asked.
type Rule struct {
	Name        string
	Bots        []string
	Chats       []string // ids or titles
	People      []string // ours or the platform's ids, or names
	Roles       []bridge.Role
	Departments []string
	Prefixes    []string // "hr" for "/hr how much leave do I have"
	Keywords    []string
	Patterns    []*regexp.Regexp
	Hours       []Hours
	Outside     []Hours // holds when none of these is open
	Then        Outcome
}

// Outcome is what happens to a message. It is a sealed set.
type Outcome interface{ outcome() }

// ToAgent asks an agent. Inputs are values for the variables it asks for.
type ToAgent struct {
	Agent  string
	Inputs map[string]string
}

// FixedReply answers with a text.
type FixedReply struct{ Text string }

// Refuse answers with a text, or with words of ours when it is empty, and not
// too often.
type Refuse struct{ Text string }

// ToIntent answers as if the message were a command.
type ToIntent struct{ Command Command }

// Forward shows the message in a chat of some bot, and tells the person so.
type Forward struct{ Bot, Chat string }

// HandOver lets a human answer: agents keep out of the chat for a while, or until
// somebody writes /bot. With a chat the question is shown there.
type HandOver struct {
	For       time.Duration
	Bot, Chat string
}

func (ToAgent) outcome()    {}
func (FixedReply) outcome() {}
func (Refuse) outcome()     {}
func (ToIntent) outcome()   {}
func (Forward) outcome()    {}
func (HandOver) outcome()   {}

// Condition names a condition of a rule.
type Condition string

// The conditions. The words are in the catalogue under "router.condition.<name>".
const (
	ByBot        Condition = "bot"
	ByChat       Condition = "chat"
	ByPerson     Condition = "person"
	ByRole       Condition = "role"
	ByDepartment Condition = "department"
	ByPrefix     Condition = "prefix"
	ByKeyword    Condition = "keyword"
	ByPattern    Condition = "regexp"
	ByHours      Condition = "hours"
	ByOutside    Condition = "outside_hours"
)

// Conditions lists every condition, for catalogues and tests.
func Conditions() []Condition {
	return []Condition{ByBot, ByChat, ByPerson, ByRole, ByDepartment, ByPrefix, ByKeyword, ByPattern, ByHours, ByOutside}
}

// facts are what rules are asked about.
type facts struct {
	message     bridge.Message
	person      bridge.Person
	role        bridge.Role
	departments Membership
	said        string // in writing or by voice; empty for a command, which no word of a rule is about
	text        string // the same, folded
	prefix      string // the word after a slash
	at          time.Time
}

// Membership is what is known of the departments of somebody.
type Membership struct {
	Of []string // ids and names
	// Unsure says of a department as the settings call it that nobody can tell now
	// whether it is one of these. Nil knows them all.
	Unsure func(department string) bool
}

// perhaps says that it cannot be told whether one of the departments is among them.
func (m Membership) perhaps(wanted []string) bool {
	return m.Unsure != nil && !anyOf(wanted, m.Of...) && slices.ContainsFunc(wanted, m.Unsure)
}

// perhapsIn says that it cannot be told whether a message was written in one of some
// chats: the group has a name that nobody could look up.
func (f facts) perhapsIn(chats []string) bool {
	c := f.message.Chat
	return c.Kind == bridge.Group && c.Title == "" && !anyOf(chats, c.ID) &&
		slices.ContainsFunc(chats, func(chat string) bool { return !bridge.IsID(chat) })
}

// verdict says whether a rule holds.
type verdict int

const (
	holdsNot verdict = iota
	holds
	unsure // it does if somebody is in a department or a group, which nobody can tell
)

// decides says that a rule decides about a message. One that refuses does so until
// it is known that it does not hold; whatever others permit waits until it is known.
func (r Rule) decides(v verdict) bool {
	_, refuses := r.Then.(Refuse)
	return v == holds || v == unsure && refuses
}

// Always says that a rule holds for every message to its bots, so that none after it
// is asked.
func (r Rule) Always() bool {
	return len(r.Chats)+len(r.People)+len(r.Roles)+len(r.Departments)+len(r.Prefixes)+len(r.Keywords)+len(r.Patterns)+len(r.Hours)+len(r.Outside) == 0
}

// Reason is one condition of a rule and whether it holds.
type Reason struct {
	Condition Condition
	Holds     bool
	// Unsure says that nobody can tell now.
	Unsure bool
	// Got is what the message has, Want what the rule wants.
	Got, Want string
}

// reasons asks the conditions of a rule in turn, up to the first that does not
// hold. The rule holds when the last one does; without conditions it does too.
func (r Rule) reasons(f facts) (all []Reason, v verdict) {
	m, doubts := f.message, []Reason(nil)
	for _, ask := range []struct {
		by        Condition
		want      []string
		got       string
		satisfied func() bool
	}{
		{ByBot, r.Bots, m.Bot, func() bool { return slices.Contains(r.Bots, m.Bot) }},
		{ByChat, r.Chats, m.Chat.ID, func() bool { return anyOf(r.Chats, m.Chat.ID, m.Chat.Title) }},
		{ByPerson, r.People, f.person.ID, func() bool { return anyOf(r.People, f.person.ID, f.person.Name, string(m.Sender.ID)) }},
		{ByRole, texts(r.Roles), string(f.role), func() bool { return slices.Contains(r.Roles, f.role) }},
		{ByDepartment, r.Departments, strings.Join(f.departments.Of, ", "), func() bool { return anyOf(r.Departments, f.departments.Of...) }},
		{ByPrefix, r.Prefixes, f.prefix, func() bool { return f.prefix != "" && slices.ContainsFunc(r.Prefixes, f.begins) }},
		{ByKeyword, r.Keywords, "", func() bool { return slices.ContainsFunc(r.Keywords, f.says) }},
		{ByPattern, texts(r.Patterns), "", func() bool { return slices.ContainsFunc(r.Patterns, f.matches) }},
		{ByHours, texts(r.Hours), f.at.Format(time.RFC3339), func() bool { return slices.ContainsFunc(r.Hours, f.during) }},
		{ByOutside, texts(r.Outside), f.at.Format(time.RFC3339), func() bool { return !slices.ContainsFunc(r.Outside, f.during) }},
	} {
		if len(ask.want) == 0 {
			continue
		}
		reason := Reason{Condition: ask.by, Holds: ask.satisfied(), Got: ask.got, Want: strings.Join(ask.want, ", ")}
		if reason.Unsure = ask.by == ByDepartment && f.departments.perhaps(r.Departments) || ask.by == ByChat && f.perhapsIn(r.Chats); reason.Unsure {
			doubts = append(doubts, reason)
			continue
		}
		all = append(all, reason)
		if !reason.Holds {
			return all, holdsNot
		}
	}
	if len(doubts) > 0 {
		return append(all, doubts...), unsure
	}
	return all, holds
}

func (f facts) during(h Hours) bool       { return h.Open(f.at) }
func (f facts) begins(prefix string) bool { return fold(prefix) == f.prefix }
func (f facts) says(keyword string) bool  { return contains(f.text, fold(keyword)) }
func (f facts) matches(p *regexp.Regexp) bool {
	return f.said != "" && p.MatchString(f.said)
}

// anyOf says that one of the values is wanted. An empty value never is.
func anyOf(wanted []string, values ...string) bool {
	return slices.ContainsFunc(values, func(v string) bool { return v != "" && slices.Contains(wanted, v) })
}

// Departments takes apart what people write of departments: paths and lists.
func Departments(text string) []string {
	parts := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("/,;|、，；", r) })
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return append(parts, text)
}

// contains finds a keyword. One that begins or ends with a Latin letter or digit
// is a word of its own there: "hr" is not in "three".
func contains(text, keyword string) bool {
	for from := 0; keyword != ""; {
		i := strings.Index(text[from:], keyword)
		if i < 0 {
			return false
		}
		at := from + i
		before, _ := utf8.DecodeLastRuneInString(text[:at])
		after, _ := utf8.DecodeRuneInString(text[at+len(keyword):])
		first, _ := utf8.DecodeRuneInString(keyword)
		last, size := utf8.DecodeLastRuneInString(keyword)
		inside := latin(first) && latin(before) || latin(last) && latin(after)
		if !inside {
			return true
		}
		from = at + len(keyword) - size + 1
		for from < len(text) && !utf8.RuneStart(text[from]) {
			from++
		}
	}
	return false
}

func latin(r rune) bool {
	return r < 0x250 && (unicode.IsLetter(r) || unicode.IsDigit(r)) && r != utf8.RuneError
}

// texts writes values as the settings have them.
func texts[T any](values []T) []string {
	var all []string
	for _, v := range values {
		switch v := any(v).(type) {
		case bridge.Role:
			all = append(all, string(v))
		case Hours:
			all = append(all, v.Written)
		case interface{ String() string }:
			all = append(all, v.String())
		}
	}
	return all
}
