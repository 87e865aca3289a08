// Package store keeps everything Switchboard must not lose: the messages it
// accepted, the answers it gave, the people it knows and what happened to each
// question.
//
// It speaks to SQLite, one file in the data directory, or to PostgreSQL when
// several nodes share the work. One set of migrations and one set of queries run
// on both. What differs is how writes become durable: on SQLite a single
// goroutine owns the only writing connection and commits all waiting writes
// together, because a commit costs one flush of the disk no matter how much is
// in it. When one of them fails all are run again, each in a savepoint of its own,
// so that a failure does not take its neighbours along. On PostgreSQL a write is
// an ordinary transaction. Every write is durable when its method returns.
//
// The table lanes holds one row for each lane and is changed in the same
// transaction as the jobs in it. It is what makes claiming the head of an idle
// lane and listing conversations independent of how many jobs are stored, and on
// PostgreSQL its rows are the locks that keep a lane in order between nodes.
//
// What was said is found through an index of three-character sequences, filled
// when a job is finished, not when it is accepted; on PostgreSQL with the extension
// pg_trgm. One or two characters are found as the beginning of such sequences.
//
// A SQLite file is looked into before it is opened, copied every night (Care) and
// before its schema is changed. One that is damaged is ErrDamaged: Restore puts a
// copy in its place and StartFresh puts it aside; neither deletes anything.
//
// Content (what people wrote and were answered) stands in columns of its own, so
// that Forget drops it while the record of what happened stays.
package store
