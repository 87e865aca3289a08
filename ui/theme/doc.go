// Package theme is the look of the window: our colours in light and dark, the
// embedded fonts that make Chinese even and bold everywhere, and the sizes.
package theme
