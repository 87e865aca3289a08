package router

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/bridge"
)

// Known is what rules may name.
type Known struct {
	Agents, Bots []string
	Commands     []Spec // beside those everybody has
}

// Mistake is something wrong in the rules of the settings.
type Mistake struct {
	Rule int    // from 0
	Path string // within the rule, such as "when.regexp"
	Err  error  // what is wrong; i18n.Explain has the words
}

const (
	// HandOverFor is how long a human has a chat when the rule does not say.
	HandOverFor = 30 * time.Minute
	// maxPattern bounds regular expressions: they are tried on every message.
	maxPattern = 1000
)

// ParseRules reads rules as the settings have them: a list of mappings, decoded
// into Go's own types. With mistakes the rules are not to be used.
//
//   - name: personnel
//     when: {prefix: hr, role: [member, admin]}
//     agent: hr-app
//     inputs: {country: China}
//   - {when: {outside_hours: "Mon-Fri 09:00-18:00 Asia/Shanghai"}, reply: "We are back at nine."}
//   - {when: {department: Interns, keyword: salary}, refuse: true}
//   - {when: {keyword: [人工, human]}, human: {for: 30m, bot: desk, chat: support-group}}
//   - {when: {keyword: invoice}, forward: {bot: desk, chat: accounting}}
//   - {when: {regexp: "^值班"}, intent: oncall}
func ParseRules(list any, known Known) ([]Rule, []Mistake) {
	items, ok := list.([]any)
	if !ok && list != nil {
		return nil, []Mistake{{Err: wrong("list")}}
	}
	var rules []Rule
	var mistakes []Mistake
	for i, item := range items {
		p := &ruleParser{known: known, rule: Rule{Name: fmt.Sprintf("#%d", i+1)}}
		p.parse(item)
		for _, m := range p.mistakes {
			m.Rule = i
			mistakes = append(mistakes, m)
		}
		rules = append(rules, p.rule)
	}
	return rules, mistakes
}

// ruleParser reads one rule.
type ruleParser struct {
	known    Known
	rule     Rule
	mistakes []Mistake
}

// mistake keeps what is wrong; the words are under "error.router.<code>", and the
// pairs fill them.
func (p *ruleParser) mistake(path, code string, pairs ...string) {
	p.mistakes = append(p.mistakes, Mistake{Path: path, Err: wrong(code, pairs...)})
}

func wrong(code string, pairs ...string) error {
	e := &bridge.Error{Kind: bridge.KindInvalid, Op: "router: rule", Code: code, Args: map[string]string{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		e.Args[pairs[i]] = pairs[i+1]
	}
	return e
}

// fields reads a mapping; each key is given to its reader.
func (p *ruleParser) fields(v any, path string, readers map[string]func(v any, path string)) {
	fields, ok := v.(map[string]any)
	if !ok {
		p.mistake(path, "mapping")
		return
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		at := strings.TrimPrefix(path+"."+key, ".")
		if read, ok := readers[key]; ok {
			read(fields[key], at)
			continue
		}
		p.mistake(at, "unknown", "known", strings.Join(slices.Sorted(maps.Keys(readers)), ", "))
	}
}

func (p *ruleParser) parse(item any) {
	var given map[string]string
	p.fields(item, "", map[string]func(any, string){
		"inputs": func(v any, at string) { given = p.inputs(v, at) },
		"name":   func(v any, at string) { p.rule.Name = p.text(v, at) },
		"when":   p.when, "agent": p.agent, "reply": p.reply, "refuse": p.refuse, "intent": p.intent,
		"forward": p.forward, "human": p.human,
	})
	to, asks := p.rule.Then.(ToAgent)
	switch {
	case p.rule.Then == nil && len(p.mistakes) == 0:
		p.mistake("", "outcome")
	case asks:
		p.rule.Then = ToAgent{to.Agent, given}
	case len(given) > 0:
		p.mistake("inputs", "inputs")
	}
}

// inputs reads values for an agent. An empty one is the wish to send none.
func (p *ruleParser) inputs(v any, path string) map[string]string {
	fields, ok := v.(map[string]any)
	if !ok {
		p.mistake(path, "mapping")
		return nil
	}
	all := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		at := path + "." + name
		switch value := fields[name].(type) {
		case nil:
			all[name] = ""
		case bool, string:
			all[name] = strings.TrimSpace(fmt.Sprint(value))
		default:
			all[name] = p.text(value, at)
		}
	}
	return all
}

func (p *ruleParser) when(v any, path string) {
	r := &p.rule
	p.fields(v, path, map[string]func(any, string){
		string(ByBot):        func(v any, at string) { r.Bots = p.oneOf(v, at, p.known.Bots) },
		string(ByChat):       func(v any, at string) { r.Chats = p.texts(v, at) },
		string(ByPerson):     func(v any, at string) { r.People = p.texts(v, at) },
		string(ByDepartment): func(v any, at string) { r.Departments = p.texts(v, at) },
		string(ByKeyword):    func(v any, at string) { r.Keywords = p.texts(v, at) },
		string(ByRole): func(v any, at string) {
			for _, role := range p.oneOf(v, at, []string{string(bridge.RoleAdmin), string(bridge.RoleMember), string(bridge.RoleGuest)}) {
				r.Roles = append(r.Roles, bridge.Role(role))
			}
		},
		string(ByPrefix):  func(v any, at string) { r.Prefixes = p.prefixes(v, at) },
		string(ByPattern): func(v any, at string) { r.Patterns = p.patterns(v, at) },
		string(ByHours):   func(v any, at string) { r.Hours = p.hours(v, at) },
		string(ByOutside): func(v any, at string) { r.Outside = p.hours(v, at) },
	})
}

// text reads a text; numbers and the like are taken as they are written.
func (p *ruleParser) text(v any, path string) string {
	switch v := v.(type) {
	case string:
		if text := strings.TrimSpace(v); text != "" {
			return text
		}
	case int, int64, uint64, float64:
		return fmt.Sprint(v)
	}
	p.mistake(path, "text")
	return ""
}

// texts reads one text or a list of them.
func (p *ruleParser) texts(v any, path string) []string {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	if len(list) == 0 {
		p.mistake(path, "some")
	}
	var all []string
	for _, item := range list {
		if text := p.text(item, path); text != "" {
			all = append(all, text)
		}
	}
	return all
}

func (p *ruleParser) oneOf(v any, path string, allowed []string) []string {
	all := p.texts(v, path)
	for _, text := range all {
		if !slices.Contains(allowed, text) {
			p.mistake(path, "one_of", "value", text, "allowed", strings.Join(allowed, ", "))
		}
	}
	return all
}

func (p *ruleParser) prefixes(v any, path string) []string {
	words := newVocabulary(p.known.Commands)
	all := p.texts(v, path)
	for i, prefix := range all {
		prefix = strings.TrimLeft(prefix, "/／")
		if _, taken := words[fold(prefix)]; taken {
			p.mistake(path, "command", "value", prefix)
		}
		if prefix == "" || !isWord(prefix) {
			p.mistake(path, "word")
		}
		all[i] = prefix
	}
	return all
}

func (p *ruleParser) patterns(v any, path string) []*regexp.Regexp {
	var all []*regexp.Regexp
	for _, text := range p.texts(v, path) {
		pattern, err := regexp.Compile(text)
		switch {
		case err != nil:
			p.mistake(path, "pattern", "error", err.Error())
		case len(text) > maxPattern:
			p.mistake(path, "long", "most", strconv.Itoa(maxPattern))
		default:
			all = append(all, pattern)
		}
	}
	return all
}

func (p *ruleParser) hours(v any, path string) []Hours {
	var all []Hours
	for _, text := range p.texts(v, path) {
		h, err := ParseHours(text)
		if err != nil {
			p.mistake(path, "hours", "value", text)
		}
		all = append(all, h)
	}
	return all
}

// then keeps the outcome; a rule has one.
func (p *ruleParser) then(path string, o Outcome) {
	if p.rule.Then != nil {
		p.mistake(path, "second")
	}
	p.rule.Then = o
}

func (p *ruleParser) agent(v any, path string) {
	if id := p.oneOf(v, path, p.known.Agents); len(id) == 1 {
		p.then(path, ToAgent{Agent: id[0]})
	} else if len(id) > 1 {
		p.mistake(path, "one_agent")
	}
}

func (p *ruleParser) reply(v any, path string) { p.then(path, FixedReply{p.text(v, path)}) }

func (p *ruleParser) refuse(v any, path string) {
	if on, ok := v.(bool); ok {
		if !on {
			p.mistake(path, "true")
		}
		p.then(path, Refuse{})
		return
	}
	p.then(path, Refuse{p.text(v, path)})
}

func (p *ruleParser) intent(v any, path string) {
	name := Command(p.text(v, path))
	if !slices.ContainsFunc(append(builtIn(), p.known.Commands...), func(s Spec) bool { return s.Command == name }) {
		p.mistake(path, "no_command", "value", string(name))
	}
	p.then(path, ToIntent{name})
}

func (p *ruleParser) forward(v any, path string) {
	var to Forward
	p.fields(v, path, p.target(&to.Bot, &to.Chat))
	p.addressed(path, to.Bot, to.Chat)
	p.then(path, to)
}

func (p *ruleParser) human(v any, path string) {
	to := HandOver{For: HandOverFor}
	if on, ok := v.(bool); ok && on {
		p.then(path, to)
		return
	}
	readers := p.target(&to.Bot, &to.Chat)
	readers["for"] = func(v any, at string) {
		d, err := time.ParseDuration(p.text(v, at))
		if err != nil || d <= 0 {
			p.mistake(at, "time")
			return
		}
		to.For = d
	}
	p.fields(v, path, readers)
	if to.Bot != "" || to.Chat != "" {
		p.addressed(path, to.Bot, to.Chat)
	}
	p.then(path, to)
}

// target reads the chat that something is shown in.
func (p *ruleParser) target(bot, chat *string) map[string]func(any, string) {
	return map[string]func(any, string){
		"bot": func(v any, at string) {
			for _, id := range p.oneOf(v, at, p.known.Bots) {
				*bot = id
			}
		},
		"chat": func(v any, at string) { *chat = p.text(v, at) },
	}
}

func (p *ruleParser) addressed(path, bot, chat string) {
	if bot == "" || chat == "" {
		p.mistake(path, "chat")
	}
}
