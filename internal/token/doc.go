// Package token keeps the access token of a platform: fetched once however many
// ask, used until shortly before it ends, replaced when it is refused, and never
// asked for in a loop with a secret that the platform does not accept.
package token
