// Package inbox takes each message exactly once, keeps it safe, and hands it
// out for answering: in order within a lane, lanes side by side.
//
// Accept returns only after the message is durably stored, so a platform is
// never told "received" for something a crash could lose. The dispatcher (Run)
// claims the oldest message of each idle lane, at most as many per queue as the
// agent behind it takes, and calls the handler. How an attempt ended is settled
// in the store; after a crash Rescue takes back what was running.
//
// The job states and verbs are River's, so that a River-backed dispatcher can
// stand beside this one for several nodes. This one serves one process.
package inbox
