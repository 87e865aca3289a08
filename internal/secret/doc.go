// Package secret fetches passwords and keys from where the admin keeps them:
// the system keyring by default, or an environment variable, a file, or a
// systemd credential that switchboard.yaml names.
//
// It never falls back to anything by itself, and tells a missing secret from a
// keyring that is locked or not there, because the next step is another one. On
// a machine without a keyring a file that is encrypted with a passphrase (age,
// scrypt) can take its place, where somebody chose so.
package secret
