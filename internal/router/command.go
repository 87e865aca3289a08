package router

import (
	"strings"
)

// Command is something a person can tell us, rather than ask the agent.
type Command string

// The commands.
const (
	CommandNone Command = ""
	CommandHelp Command = "help"
	CommandNew  Command = "new"
)

// aliases returns what people may type, lower-case, for each command.
func aliases(name string) Command {
	switch name {
	case "help", "帮助", "？", "?":
		return CommandHelp
	case "new", "reset", "新对话", "新会话", "重新开始":
		return CommandNew
	default:
		return CommandNone
	}
}

// ParseCommand recognises a command: a half- or full-width slash and a known
// name, in any case and with blanks around. Anything else, an unknown slash
// word too, is a question for the agent.
func ParseCommand(text string) Command {
	text = strings.ToLower(strings.TrimSpace(text))
	for _, slash := range []string{"/", "／"} {
		if name, ok := strings.CutPrefix(text, slash); ok {
			return aliases(strings.TrimSpace(name))
		}
	}
	return CommandNone
}
