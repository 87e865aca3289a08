package bridge

// MaskRule is a rule of the admin's own about what is masked in an answer.
type MaskRule struct {
	// Name is what findings and the window call it; unique.
	Name string `json:"name"`
	// Pattern is a regular expression in RE2 syntax.
	Pattern string `json:"pattern"`
	// Mask is "full" (also when empty), "label" for the rule's name in place of
	// the value, or "3+4" to leave the first three and the last four characters.
	Mask string `json:"mask,omitempty"`
}
