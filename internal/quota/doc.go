// Package quota counts what each person asks, and says when it is too much: so
// many questions in any minute, so many on a day, so many tokens on a day.
//
// A day is a day of this machine's clock and begins at midnight. A person who is
// over a limit is told so once; for a while after that the refusals are silent,
// so that refusing costs less than answering. What was counted can be written
// down and read back, so that a restart does not begin the day anew.
package quota
