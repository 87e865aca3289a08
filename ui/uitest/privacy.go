package uitest

import (
	"context"
	"regexp"
	"slices"

	"switchboard/internal/bridge"
)

// Privacy implements ui.Backend.
func (h *House) Privacy() bridge.Privacy {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.privacy == nil {
		return bridge.Privacy{
			MaskAnswers: true, StoreContent: true, Off: []string{"passport"},
			Custom: []bridge.MaskRule{{Name: "工号", Pattern: `EMP\d{6}`, Mask: "3+2"}},
		}
	}
	return *h.privacy
}

// MaskRules implements ui.Backend.
func (*House) MaskRules() []string {
	return []string{"password", "email", "resident_id", "mobile", "bank_card", "passport", "licence_plate"}
}

// PreviewPrivacy implements ui.Backend: of the built-in rules it knows that of
// mobile numbers.
func (*House) PreviewPrivacy(p bridge.Privacy, sample string) ([]bridge.Masked, error) {
	var all []bridge.Masked
	find := func(rule, pattern, shown string) error {
		r, err := regexp.Compile(pattern)
		if err != nil {
			return &bridge.Error{Kind: bridge.KindInvalid, Op: "privacy: pattern", Code: "pattern", Args: map[string]string{"rule": rule, "detail": err.Error()}}
		}
		for _, at := range r.FindAllStringIndex(sample, -1) {
			all = append(all, bridge.Masked{Start: at[0], End: at[1], Rule: rule, Shown: shown})
		}
		return nil
	}
	if !slices.Contains(p.Off, "mobile") {
		if err := find("mobile", `\b1\d{10}\b`, "138＊＊＊＊5678"); err != nil {
			return nil, err
		}
	}
	for _, r := range p.Custom {
		if err := find(r.Name, r.Pattern, "＊＊＊"); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(all, func(a, b bridge.Masked) int { return a.Start - b.Start })
	return all, nil
}

// SavePrivacy implements ui.Backend.
func (h *House) SavePrivacy(_ context.Context, p bridge.Privacy) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.Fail == nil {
		h.privacy = &p
	}
	return h.Fail
}
