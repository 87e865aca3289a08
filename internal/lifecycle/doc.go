// Package lifecycle keeps the long-lived parts of the program running, each
// beside the others: the door, the inbox, the journal, the connections of bots.
//
// A part that returns or panics before it was told to stop is dead. It is
// started again after a pause that grows with each death in a row, so that a
// part with a lasting trouble costs nothing; until it has been running well for
// a while somebody is told that it is dead, and the other parts go on as if
// nothing had happened. A part whose error says that trying again is useless
// stays dead, and that stays told.
//
// Stopping is ordered: the parts of the highest stage are told to stop, and
// only when they have ended is the next lower stage told. So the door and the
// inbox finish what they began while the journal below them still writes.
package lifecycle
