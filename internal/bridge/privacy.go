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

// Privacy is what is hidden of what people and agents write, and what is kept.
type Privacy struct {
	// MaskAnswers hides personal values in answers. MaskToAgent hides those in
	// questions from the agents. StoreContent keeps what was written after it was
	// answered.
	MaskAnswers, MaskToAgent, StoreContent bool
	// ContentDays is how long what was written is kept, and RecordDays how long the
	// record of what happened. 0 keeps it forever.
	ContentDays, RecordDays int
	// Off names built-in rules that are not used.
	Off []string
	// Custom are the admin's own rules, the most important one first.
	Custom []MaskRule
}

// Masked is a value in a sample that would be hidden.
type Masked struct {
	// Start and End are where it is, in bytes of the sample.
	Start, End int
	// Rule is the name of the rule that found it; the words of a built-in one are
	// in the catalogue under "privacy.rule.<rule>".
	Rule string
	// Shown is what people read in its place.
	Shown string
}
