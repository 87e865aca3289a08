// Package assets holds what the desktop app carries inside itself: the icons,
// the fonts and the colours of the platforms. All of it is our own work except
// the fonts, which are under the SIL Open Font License (fonts/OFL.txt).
//
// It knows no toolkit and hands out plain bytes and colours.
package assets
