// Package bridge holds the words every other part of Switchboard speaks: what a
// platform, a bot, a message, an agent and an answer are.
//
// It imports the standard library only and does nothing by itself, so that the
// platforms, the stages and the window can share types without knowing each
// other. The small mandatory interfaces (Bot, Agent) are complete for a plain
// question and answer; everything a platform or an agent may also be able to do
// is an optional interface, asked for in exactly one package (see archtest).
//
// All times are wall-clock times with a zone; all lengths called "bytes" are
// UTF-8 bytes, because every platform limits bytes and Chinese takes three.
package bridge
