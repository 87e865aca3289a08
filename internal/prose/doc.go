// Package prose mends what people and language models write, so that it fits a
// database, a screen and a platform's request, and reads their Markdown line by
// line. It is a reader of what is commonly written, not of the whole standard:
// every platform writes the blocks it finds in a dialect of its own.
package prose
