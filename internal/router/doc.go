// Package router decides who a message is from, which thread of talk it belongs
// to, and who answers it: an agent, or we ourselves when it is a command.
//
// The same person has the same lane on every platform, so that a conversation
// begun on one is continued on another. A group chat has a lane and a session
// of its own, shared by its members, and never shares with a direct chat.
package router
