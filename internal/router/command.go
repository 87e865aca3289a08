package router

import (
	"strings"
	"unicode"

	"switchboard/internal/bridge"
)

// Command names something a person can tell us, rather than ask the agent.
type Command string

// The commands everybody has.
const (
	CommandNone   Command = ""
	CommandHelp   Command = "help"
	CommandNew    Command = "new"
	CommandStop   Command = "stop"
	CommandRetry  Command = "retry"
	CommandAgain  Command = "again"
	CommandGood   Command = "good"
	CommandBad    Command = "bad"
	CommandUnrate Command = "unrate"
	CommandLink   Command = "link"
	CommandUnlink Command = "unlink"
	CommandMe     Command = "me"
	CommandLang   Command = "lang"
	CommandBot    Command = "bot"
)

// Asks says that an agent may be asked because of it.
func (c Command) Asks() bool { return c == CommandNone || c == CommandRetry || c == CommandAgain }

// Spec says how a command is typed.
type Spec struct {
	Command Command
	// Words are what people may type after the slash, in any language and case.
	Words []string
	// Takes says whether an argument is one for this command. With another one,
	// or with any if it is nil, the text is a question for the agent.
	Takes func(argument string) bool
	// Aside commands do not wait for their turn: they are about the answer that
	// is being given, or have nothing to do with what is asked before and after.
	Aside bool
}

// builtIn returns the commands everybody has.
func builtIn() []Spec {
	return []Spec{
		{Command: CommandHelp, Words: []string{"help", "?", "帮助", "使用帮助"}, Aside: true},
		{Command: CommandNew, Words: []string{"new", "reset", "新对话", "新会话", "重新开始"}},
		{Command: CommandStop, Words: []string{"stop", "停止", "停"}, Aside: true},
		{Command: CommandRetry, Words: []string{"retry", "重试", "再试一次"}},
		{Command: CommandAgain, Words: []string{"again", "regenerate", "重新回答", "重新生成", "换个回答"}},
		{Command: CommandGood, Words: []string{"good", "有用", "赞"}},
		{Command: CommandBad, Words: []string{"bad", "没用", "踩"}},
		{Command: CommandUnrate, Words: []string{"unrate", "取消评价", "撤销评价"}},
		{Command: CommandLink, Words: []string{"link", "绑定", "关联"}, Takes: isNumber},
		{Command: CommandUnlink, Words: []string{"unlink", "解绑", "取消绑定"}},
		{Command: CommandMe, Words: []string{"me", "whoami", "我", "我是谁"}, Aside: true},
		{Command: CommandLang, Words: []string{"lang", "language", "语言"}, Takes: isWord},
		{Command: CommandBot, Words: []string{"bot", "机器人", "转机器人"}},
	}
}

// Argument is what a text that a rule leads here is to a command. Those everybody
// has take of it what could stand behind the slash; others have it all.
func (c Command) Argument(text string) string {
	for _, spec := range builtIn() {
		if spec.Command == c && (spec.Takes == nil || !spec.Takes(text)) {
			return ""
		}
	}
	return text
}

// Commands lists those everybody has.
func Commands() []Command {
	all := builtIn()
	names := make([]Command, 0, len(all))
	for _, spec := range all {
		names = append(names, spec.Command)
	}
	return names
}

// isNumber takes digits, however they are grouped.
func isNumber(argument string) bool {
	return strings.Trim(fold(argument), "0123456789- ") == ""
}

func isWord(argument string) bool { return !strings.ContainsFunc(argument, unicode.IsSpace) }

// vocabulary finds commands by their words.
type vocabulary map[string]Spec

func newVocabulary(more []Spec) vocabulary {
	v := vocabulary{}
	for _, spec := range append(more, builtIn()...) { // nobody takes /help away
		for _, word := range spec.Words {
			v[fold(word)] = spec
		}
	}
	return v
}

// parse recognises a command: a half- or full-width slash and a known word, in
// any case and with blanks around, in a group also after mentions. Anything
// else, an unknown slash word too, is a question for the agent.
func (v vocabulary) parse(m bridge.Message) (spec Spec, argument string) {
	word, argument, ok := slashed(m)
	if !ok {
		return Spec{}, ""
	}
	spec, known := v[fold(word)]
	if !known { // /绑定123456, as nobody writes a blank between Chinese and digits
		if i := strings.IndexFunc(word, unicode.IsDigit); i > 0 && argument == "" {
			word, argument = word[:i], word[i:]
			spec, known = v[fold(word)]
		}
	}
	if !known || argument != "" && (spec.Takes == nil || !spec.Takes(argument)) {
		return Spec{}, ""
	}
	return spec, argument
}

// slashed takes a slash, a word and the rest apart.
func slashed(m bridge.Message) (word, rest string, ok bool) {
	text := strings.TrimSpace(m.Text)
	if m.Chat.Kind == bridge.Group {
		text = afterMentions(text)
	}
	for _, slash := range []string{"/", "／"} {
		if after, found := strings.CutPrefix(text, slash); found {
			word, rest = cut(strings.TrimSpace(after))
			return word, rest, word != ""
		}
	}
	return "", "", false
}

// afterMentions drops names with an @ before them. Platforms put a blank of
// their own kind behind a name.
func afterMentions(text string) string {
	for strings.HasPrefix(text, "@") || strings.HasPrefix(text, "＠") {
		_, rest := cut(text)
		if rest == "" {
			return text
		}
		text = rest
	}
	return text
}

// cut splits a text at its first blank.
func cut(text string) (word, rest string) {
	i := strings.IndexFunc(text, unicode.IsSpace)
	if i < 0 {
		return text, ""
	}
	return text[:i], strings.TrimSpace(text[i:])
}

// fold makes texts equal that look alike to people: case, full-width forms.
func fold(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '！' && r <= '～': // the full-width forms of the ASCII characters
			r -= '！' - '!'
		case r == '\u3000':
			r = ' '
		}
		return unicode.ToLower(r)
	}, text)
}
