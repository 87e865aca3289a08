// Package quota counts: what each person asks, and what is used of the monthly
// allowances that platforms grant.
//
// A Counter says when a person asks too much: so many questions in any minute, so
// many on a day, so many tokens on a day. A person who is over a limit is told so
// once; for a while after that the refusals are silent, so that refusing costs
// less than answering.
//
// A Ledger adds up calls, pushes and requests by the day, and says how a month's
// allowance stands and when it will be used up at the pace of the last week. It
// is an estimate: the platform's own count is what it goes by, and other programs
// may use the same allowance.
//
// A day is a day of this machine's clock and begins at midnight. What was counted
// can be written down and read back, so that a restart does not begin anew.
package quota
