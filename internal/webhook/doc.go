// Package webhook is the door: the one public HTTP listener that platforms
// deliver to.
//
// It answers /hook/<bot id> and the files that prove the domain's owner, and
// nothing else; the Host does not matter. A request is read with limits on
// size and time, handed to the bot for authentication, and answered only after
// everything in it is durably accepted; if that fails the platform gets a 503
// and will deliver again. What cannot prove where it comes from is turned away
// and counted, with one journal entry a minute, so that strangers cannot fill
// the disk. A caller who keeps doing that is watched: its requests are looked at
// a few at a time, but never turned away for what was sent before, because a
// platform may share its address behind a tunnel.
package webhook
