// Package webhook is the door: the one public HTTP listener that platforms
// deliver to.
//
// It answers /hook/<bot id> and nothing else. A request is read with limits on
// size and time, handed to the bot for authentication, and answered only after
// everything in it is durably accepted; if that fails the platform gets a 503
// and will deliver again. What cannot prove where it comes from is turned away
// and counted, with one journal entry a minute, so that strangers cannot fill
// the disk.
package webhook
