package tunneltest

import (
	"encoding/json"
	"net/http"
	"regexp"
)

// denied evaluates a traffic policy for a path, as far as we use the language:
// one rule that denies what does not match. It returns the status, or 0. A
// policy it does not understand denies everything, so that no test passes by
// mistake.
func denied(policy, path string) int {
	if policy == "" {
		return 0
	}
	var document struct {
		Rules []struct {
			Expressions []string `json:"expressions"`
			Actions     []struct {
				Type   string `json:"type"`
				Config struct {
					Status int `json:"status_code"`
				} `json:"config"`
			} `json:"actions"`
		} `json:"on_http_request"`
	}
	shape := regexp.MustCompile(`^!req\.url\.path\.matches\('([^'\\]+)'\)$`)
	if err := json.Unmarshal([]byte(policy), &document); err != nil || len(document.Rules) != 1 {
		return http.StatusInternalServerError
	}
	rule := document.Rules[0]
	if len(rule.Expressions) != 1 || len(rule.Actions) != 1 || rule.Actions[0].Type != "deny" {
		return http.StatusInternalServerError
	}
	found := shape.FindStringSubmatch(rule.Expressions[0])
	if found == nil {
		return http.StatusInternalServerError
	}
	if allowed, err := regexp.MatchString(found[1], path); err != nil || allowed {
		return 0
	}
	return rule.Actions[0].Config.Status
}
