// Package router decides who a message is from, which thread of talk it belongs
// to, and who answers it: an agent, or we ourselves when it is a command or when
// a rule says so.
//
// The same person has the same lane on every platform, so that a conversation
// begun on one is continued on another. A group chat has a lane and a session of
// its own, shared by its members unless the bot wants it otherwise, and never
// shares with a direct chat. Which agent answers is decided when a message is
// accepted, because that is its lane; everything else is decided when it is
// handled.
//
// Rules are tried in order and the first one that holds decides; Explain tells
// for any message which one that is, and why not the ones before it.
package router
