// Package unlock asks for the passphrase of the encrypted file with the secrets,
// before the house opens. What is typed is kept nowhere but in the entry, and goes
// from there when it was right.
package unlock
