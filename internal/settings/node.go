package settings

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// fileNode is the whole file as a tree.
func fileNode(s Settings) *yaml.Node {
	agents, bots := &yaml.Node{Kind: yaml.SequenceNode}, &yaml.Node{Kind: yaml.SequenceNode}
	for _, a := range s.Agents {
		agents.Content = append(agents.Content, agentNode(a))
	}
	for _, b := range s.Bots {
		bots.Content = append(bots.Content, botNode(b))
	}
	return mapping(
		"server", mapping("listen", text(s.Server.Listen), "admin", text(s.Server.Admin), "public_url", text(s.Server.PublicURL)),
		"tunnel", mapping("kind", text(s.Tunnel.Kind), "domain", text(s.Tunnel.Domain), "pooling", flag(s.Tunnel.Pooling)),
		"database", text(s.Database),
		"language", text(s.Language),
		"agents", brief(agents),
		"bots", brief(bots),
		"people", peopleNode(s.People),
		"privacy", mapping(
			"mask_answers", flag(s.Privacy.MaskAnswers), "mask_to_agent", flag(s.Privacy.MaskToAgent), "store_content", flag(s.Privacy.StoreContent),
			"content_days", count(s.Privacy.ContentDays), "record_days", count(s.Privacy.RecordDays),
			"off", names(s.Privacy.Off), "custom", masksNode(s.Privacy.Custom)),
		"limits", limitsNode(s.Limits),
		"engine", mapping("stale_after", span(s.Engine.StaleAfter), "session_ttl", span(s.Engine.SessionTTL), "streaming", text(s.Engine.Streaming)),
		"log", mapping("level", text(s.Log.Level)),
		"budgets", budgetsNode(s.Budgets),
		"secrets", texts(s.Secrets),
	)
}

// brief writes a list of nothing as [].
func brief(list *yaml.Node) *yaml.Node {
	if len(list.Content) == 0 {
		list.Style = yaml.FlowStyle
	}
	return list
}

func agentNode(a Agent) *yaml.Node {
	n := mapping("id", text(a.ID), "kind", text(a.Kind))
	if a.BaseURL != "" {
		n.Content = append(n.Content, text("base_url"), text(a.BaseURL))
	}
	n.Content = append(n.Content, text("max_concurrent"), count(a.MaxConcurrent), text("timeout"), span(a.Timeout))
	if len(a.Inputs) > 0 {
		n.Content = append(n.Content, text("inputs"), texts(a.Inputs))
	}
	if a.NameConversations {
		n.Content = append(n.Content, text("name_conversations"), flag(true))
	}
	return n
}

// mapping makes a mapping of pairs of a key and a node.
func mapping(pairs ...any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for i := 0; i+1 < len(pairs); i += 2 {
		key, _ := pairs[i].(string)
		value, _ := pairs[i+1].(*yaml.Node)
		n.Content = append(n.Content, text(key), value)
	}
	return n
}

func texts(all map[string]string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		n.Content = append(n.Content, text(key), text(all[key]))
	}
	if len(all) == 0 {
		n.Style = yaml.FlowStyle // {}
	}
	return n
}

func text(value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
}

// exact is a text in which every character counts, blanks at the ends too. The
// quotes are those in which a backslash is a backslash.
func exact(value string) *yaml.Node {
	n := text(value)
	n.Style = yaml.SingleQuotedStyle
	return n
}

func flag(value bool) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(value)}
}

func count(value int) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.Itoa(value)}
}

func span(d time.Duration) *yaml.Node { return text(Span(d)) }

// Span writes a duration as people do: 2h and not 2h0m0s.
func Span(d time.Duration) string {
	value := d.String()
	if strings.HasSuffix(value, "m0s") {
		value = strings.TrimSuffix(value, "0s")
	}
	if strings.HasSuffix(value, "h0m") {
		value = strings.TrimSuffix(value, "0m")
	}
	return value
}

// keeps says that an item of the file stays as it stands: a bot with mistakes
// was not understood, so it must not be written as if it had been.
func (s Settings) keeps(id string) bool {
	return slices.ContainsFunc(s.Bots, func(b Bot) bool { return b.ID == id && len(b.Broken) > 0 })
}

// merge changes old into want and keeps what people wrote around the values:
// comments, order and style. The file's sections keep keys that want does not
// know; its items, settings of bots and secrets do not.
func merge(old, want *yaml.Node, keeps func(id string) bool) {
	for i := 0; i+1 < len(want.Content); i += 2 {
		key, value := want.Content[i], want.Content[i+1]
		at := childOf(old, key.Value)
		if at == nil {
			old.Content = append(old.Content, key, value)
			continue
		}
		switch {
		case at.Kind == yaml.SequenceNode && value.Kind == yaml.SequenceNode:
			mergeItems(at, value, keeps)
		case at.Kind == yaml.MappingNode && value.Kind == yaml.MappingNode && isOpen(key.Value):
			prune(at, value)
			merge(at, value, keeps)
		case at.Kind == yaml.MappingNode && value.Kind == yaml.MappingNode:
			merge(at, value, keeps)
		case at.Kind != yaml.ScalarNode || value.Kind != yaml.ScalarNode || !same(at, value):
			put(at, value)
		}
	}
	for i := 0; i+1 < len(old.Content); i += 2 {
		lift(old.Content[i], old.Content[i+1])
	}
}

// lift puts a comment behind a key above it when nothing is below the key any
// more: the encoder would write what cannot be read again.
func lift(key, value *yaml.Node) {
	if value.Kind == yaml.ScalarNode || len(value.Content) > 0 || key.LineComment == "" {
		return
	}
	key.HeadComment = strings.TrimPrefix(key.HeadComment+"\n"+key.LineComment, "\n")
	key.LineComment = ""
}

// isOpen says that the keys below a key are the admin's: one that is gone from
// the settings is to be gone from the file.
func isOpen(key string) bool {
	return key == "settings" || key == "inputs" || key == "secrets" || key == "allowed_agents" || key == "roles" || key == "budgets"
}

// prune takes out of old what is not in want, on every level.
func prune(old, want *yaml.Node) {
	var left []*yaml.Node
	for i := 0; i+1 < len(old.Content); i += 2 {
		if value := childOf(want, old.Content[i].Value); value != nil {
			left = append(left, old.Content[i], old.Content[i+1])
			if old.Content[i+1].Kind == yaml.MappingNode && value.Kind == yaml.MappingNode {
				prune(old.Content[i+1], value)
			}
		}
	}
	old.Content = left
	if len(left) == 0 && len(want.Content) > 0 {
		old.Style = 0
	}
}

// mergeItems brings a list into the order of want; items are the same when
// their ids are, or their names where they have no ids.
func mergeItems(old, want *yaml.Node, keeps func(id string) bool) {
	items := make([]*yaml.Node, 0, len(want.Content))
	for _, item := range want.Content {
		key := "id"
		if childOf(item, key) == nil {
			key = "name"
		}
		id := scalarAt(item, key)
		at := slices.IndexFunc(old.Content, func(o *yaml.Node) bool { return o.Kind == yaml.MappingNode && id != "" && scalarAt(o, key) == id })
		switch {
		case at < 0:
			items = append(items, item)
		case key == "id" && keeps(id):
			items = append(items, old.Content[at])
		default:
			prune(old.Content[at], item)
			merge(old.Content[at], item, keeps)
			items = append(items, old.Content[at])
		}
	}
	if len(old.Content) == 0 || len(items) == 0 {
		old.Style = want.Style
	}
	old.Content = items
}

// put replaces a value and keeps the comments at it.
func put(at, value *yaml.Node) {
	head, line, foot := at.HeadComment, at.LineComment, at.FootComment
	*at = *value
	at.HeadComment, at.LineComment, at.FootComment = head, line, foot
}

// same says that two scalars read the same, so that the way it is written stays.
// A number may stand where a text is wanted.
func same(old, want *yaml.Node) bool {
	if want.Style == yaml.SingleQuotedStyle && old.Value != want.Value {
		return false // exact
	}
	return !isNull(old) && strings.TrimSpace(old.Value) == want.Value && (want.Tag == "!!str" || old.Tag == want.Tag)
}

func hasAlias(n *yaml.Node) bool {
	return n.Kind == yaml.AliasNode || n.Anchor != "" || slices.ContainsFunc(n.Content, hasAlias)
}
