// Package journal writes down what happened to each message, without its
// content, and tells the window that something changed.
//
// Recording never waits: entries go into a bounded buffer and are stored in
// batches. If the store cannot keep up, or fails for too long, the oldest are
// dropped and counted; the message itself is safe in the inbox all the same.
package journal
