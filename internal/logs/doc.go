// Package logs writes the program's log so that it can be handed to somebody
// else: into a few files of bounded size, without passwords and keys, and without
// what people wrote.
//
// Secrets are hidden twice: a bridge.Secret shows as dots wherever it is printed,
// and a Redactor that was told the values replaces them in every finished line,
// in the forms in which they appear in JSON and in addresses. Content has no
// place in a log message; attributes under the names that are used for it are
// dropped all the same.
//
// Save puts the files and what else helps into one zip file for support, and
// looks through it before anybody gets it.
package logs
