// Package echo is an agent that needs no account: it answers with streamed
// Markdown about the question itself, for trying the program and for tests.
//
// It remembers how many questions a conversation has had and what the previous
// one was, so that continuing a conversation on another platform can be seen.
// The memory is bounded and lost at a restart; an unknown conversation simply
// begins at one.
//
// A question may hold a wish, for demonstrations: "!slow 3" waits three seconds
// before the first text, "!fail" fails, "!cut" breaks off in the middle, and
// "!long 6000" answers with about that many bytes.
package echo
