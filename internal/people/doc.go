// Package people knows who is who: it lets one person link the platforms they
// write from, and keeps what the platforms' directories say of them.
//
// A link code has six digits, lives for ten minutes and is used once. Whoever
// types it elsewhere becomes the person who asked for it, so it is shown to that
// person alone, and five wrong codes lock a person out for an hour. Only a salted
// hash is stored. That keeps codes out of backups and eyes, no more: six digits
// are quickly tried by somebody who has the database, who needs no code then.
package people
