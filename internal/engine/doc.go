// Package engine is one message's trip, told as a plain function: find out who
// asks, ask the agent, show the answer, and say how the attempt ended.
//
// It decides by bridge.Kind alone and knows no platform and no agent. What it
// promises: every accepted message gets exactly one visible answer, or one
// sentence that says why not; a message that is taken up again after a crash
// goes on where it stopped; and a person never reads a technical error.
package engine
