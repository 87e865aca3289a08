package settings

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"switchboard/internal/bridge"
)

// maskOff reads the name of a built-in rule that is not used.
func (p *parser) maskOff(n *yaml.Node, path string) {
	var name string
	p.str(&name)(n, path)
	if name == "" {
		return // empty, or reported already
	}
	if p.masksFit(n, path, []string{name}, nil) {
		p.s.Privacy.Off = append(p.s.Privacy.Off, name)
	}
}

// mask reads a rule of the admin's. It is checked together with those before it,
// so that the mistake is reported where it was made.
func (p *parser) mask(n *yaml.Node, path string) {
	var r bridge.MaskRule
	before := len(p.problems)
	p.fields(n, path, section{"name": p.str(&r.Name), "pattern": p.exactly(&r.Pattern), "mask": p.str(&r.Mask)})
	all := slices.Concat(p.s.Privacy.Custom, []bridge.MaskRule{r})
	if len(p.problems) == before && p.masksFit(n, path, nil, all) {
		p.s.Privacy.Custom = all
	}
}

func (p *parser) masksFit(n *yaml.Node, path string, off []string, custom []bridge.MaskRule) bool {
	if p.known.CheckMasks == nil {
		return true
	}
	err := p.known.CheckMasks(off, custom)
	if err != nil {
		p.report(n, path, "wrong", "error", err)
	}
	return err == nil
}

// masksNode is the list of the admin's rules.
func masksNode(rules []bridge.MaskRule) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for _, r := range rules {
		item := mapping("name", text(r.Name), "pattern", exact(r.Pattern))
		if r.Mask != "" {
			item.Content = append(item.Content, text("mask"), text(r.Mask))
		}
		list.Content = append(list.Content, item)
	}
	return brief(list)
}

// names is a list of words.
func names(all []string) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, name := range all {
		list.Content = append(list.Content, text(name))
	}
	return list
}
