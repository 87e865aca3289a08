// Package reply shows one answer in a chat: growing while the agent writes, or
// sent when it is complete, and exactly once however often we are interrupted.
//
// The rule is: store first, then show. Before a step becomes visible the reply
// row says so; after it the row says that it happened. Another attempt reads
// the row and goes on where the last one stopped: it resumes the same draft and
// sends only the parts that are missing, with the same keys. On a platform
// without idempotency keys a part whose outcome a crash left unknown is sent
// again, because a doubled answer is better than a lost one; that is counted
// and noted.
//
// The agent is never held up by a slow platform: Write only notes the newest
// text, and a painter of its own shows it at the pace the platform allows.
package reply
