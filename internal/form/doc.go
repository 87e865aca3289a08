// Package form checks what an admin entered for a bot, so that every platform
// refuses the same mistakes in the same words and names the field.
package form
