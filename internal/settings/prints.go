package settings

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Prints returns a fingerprint of every value in a settings file, by its key, so
// that it can be told later which keys were changed without keeping the values.
// A file that cannot be read is one value without a key.
func Prints(text []byte) map[string]string {
	all := map[string]string{}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		all[""] = fingerprint(string(text))
		return all
	}
	for _, n := range doc.Content {
		printsOf(n, "", all)
	}
	return all
}

// printsOf collects what is below a node. Items of a list go by their id or name,
// so that one that is added does not change the keys of those behind it.
func printsOf(n *yaml.Node, path string, all map[string]string) {
	switch n.Kind { //nolint:exhaustive // what is left has one value
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			printsOf(n.Content[i+1], join(path, n.Content[i].Value), all)
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			name := scalarAt(item, "id")
			if name == "" {
				name = scalarAt(item, "name")
			}
			if name == "" {
				name = strconv.Itoa(i + 1)
			}
			printsOf(item, join(path, name), all)
		}
	case yaml.AliasNode:
		printsOf(n.Alias, path, all)
	default:
		all[path] = fingerprint(n.Value)
	}
}

func fingerprint(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// ChangedKeys names the keys whose values differ, sorted.
func ChangedKeys(before, after map[string]string) []string {
	changed := map[string]bool{}
	for key, value := range before {
		if now, there := after[key]; !there || now != value {
			changed[key] = true
		}
	}
	for key := range after {
		if _, there := before[key]; !there {
			changed[key] = true
		}
	}
	return slices.Sorted(maps.Keys(changed))
}
