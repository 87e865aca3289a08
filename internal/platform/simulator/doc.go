// Package simulator plays the other side: the servers that platforms run, and
// the people and apps that deliver messages from them, on loopback and without
// any account.
//
// It knows the protocols from their documentation and shares no code with the
// connectors, so that it catches their mistakes rather than agrees with them. A
// wrong signature, an expired token, an unknown receiver or a text that the
// real platform would cut without a word gets the platform's own answer, and
// what the platform would swallow silently is kept as a violation.
//
// It plays the Feishu self-built app with cards that grow, the WeCom self-built
// app with, if asked for, customer service, and the DingTalk HTTP robot, with cards
// if asked for them. Three employees write to the bots and in groups, and press the
// buttons they see. Troubles are switched on with SetFaults; what became of each
// message is in Trace.
package simulator
