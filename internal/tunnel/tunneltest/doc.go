// Package tunneltest plays the ngrok service for tests: an Edge that the real
// SDK connects to, and behind whose public side requests travel back through
// the SDK.
//
// It speaks the SDK's protocol: TLS, in it a muxado session, in that streams
// that begin with their type. The agent opens streams to authenticate and to
// bind endpoints, with one JSON request and answer each; the edge opens one for
// each public connection, with a JSON header before the bytes, and one to stop
// an endpoint. What it knows of the service's rules is what its documentation
// says ("Errors Reference", https://ngrok.com/docs/errors/reference); it proves
// that we use the SDK rightly, not what the real service does.
package tunneltest
