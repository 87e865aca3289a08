// Package i18n holds every word people read: in the chat, the window, the tray
// and on the command line, in Chinese and English.
//
// A catalogue is a set of small JSON files, catalog/<language>/<area>.json, each
// a flat object from key to text. Both languages have the same keys. A text may
// hold {name} placeholders. The language is chosen per call, not per process,
// because the admin and the people in the chats may speak different ones.
package i18n
