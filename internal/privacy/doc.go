// Package privacy hides personal values in text: mobile numbers, resident IDs,
// bank cards, e-mail addresses, passports, licence plates, passwords and keys,
// and whatever the admin describes in rules of their own.
//
// It does so in two ways. A Filter masks what goes out to a chat, also while
// the answer grows: a Stream never shows a character that the finished mask
// would hide. A Vault replaces what goes in to an agent by placeholders such as
// [MOBILE_1] and a Restorer puts the values back into the answer, for the
// person who wrote them only.
//
// One scanner does the reading for all of it. It goes through a text once, from
// left to right, and decides at each character whether a value begins there.
// What it sees on the left is what it has written already, so that masking a
// masked text changes nothing; what it needs on the right is bounded, so that a
// growing text is never held back by more than MaxDelay characters; and because
// a text that is complete from the start goes the same way, both give the same
// result. When several rules fit at one place the order of BuiltIn decides, and
// the admin's rules come last; of two overlapping values the left one wins,
// except that a rule of the admin's never leaves a part of a built-in value
// bare: both are then masked as one.
//
// The mark is the full-width asterisk. The ASCII one would make words bold and
// bullets look like list items at the start of a line; this one is no markup
// on any platform, is in every Chinese font, and reads as a mask. Where bold
// markup touches it an invisible word joiner is put between, because Markdown
// takes no notice of bold marks between a letter and a punctuation mark.
//
// Nothing here logs, counts by content or keeps a value, except the Vault, and
// that shows as dots wherever it is printed.
package privacy
