package tunnel

import (
	"encoding/json"
	"fmt"
	"strings"
)

// hookPrefix is the path all webhooks live below.
const hookPrefix = "/hook/"

// Of the traffic policy document we use one rule: what does not match our paths
// is turned away by the service, before it costs this computer anything. The
// free plan allows five rules.
type policyDocument struct {
	OnHTTPRequest []policyRule `json:"on_http_request"`
}

type policyRule struct {
	Name        string         `json:"name"`
	Expressions []string       `json:"expressions"`
	Actions     []policyAction `json:"actions"`
}

type policyAction struct {
	Type   string         `json:"type"`
	Config map[string]int `json:"config"`
}

// trafficPolicy returns the document that lets through these paths only.
func trafficPolicy(paths []string) (string, error) {
	parts := make([]string, 0, len(paths))
	for _, path := range paths {
		part, err := pattern(path)
		if err != nil {
			return "", err
		}
		parts = append(parts, part)
	}
	document, err := json.Marshal(policyDocument{[]policyRule{{
		Name:        "only what the door answers",
		Expressions: []string{"!req.url.path.matches('^(" + strings.Join(parts, "|") + ")$')"},
		Actions:     []policyAction{{Type: "deny", Config: map[string]int{"status_code": 404}}},
	}}})
	if err != nil {
		return "", fmt.Errorf("tunnel: policy: %w", err)
	}
	return string(document), nil
}

// pattern turns a path into a regular expression (RE2, as CEL has it). It needs
// no backslashes, which would have to be escaped twice over.
func pattern(path string) (string, error) {
	if !strings.HasPrefix(path, "/") {
		return "", wrong("path", path)
	}
	var b strings.Builder
	for _, r := range path {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("/_~-", r):
			b.WriteRune(r)
		case r == '.':
			b.WriteString("[.]")
		case r == '*':
			b.WriteString("[^/]*")
		default:
			return "", wrong("path", path)
		}
	}
	if strings.HasSuffix(path, "/") {
		b.WriteString(".*")
	}
	return b.String(), nil
}
