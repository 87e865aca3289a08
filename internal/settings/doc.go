// Package settings reads and checks switchboard.yaml, the file an admin or the
// app writes.
//
// Every problem is reported at once, with its line and a hint in words, and
// nothing is guessed: an unknown key, a wrong type or a missing value is a
// problem. A problem of one bot breaks that bot only. Secrets never stand in
// the file; it names where each one comes from.
//
// The file is read through the node tree of go.yaml.in/yaml/v3, the maintained
// continuation of the most used YAML library, because it keeps the line of
// every key and value, which decoding into structs loses.
package settings
