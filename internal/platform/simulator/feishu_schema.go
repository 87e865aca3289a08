package simulator

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

var (
	elementID   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)
	remoteImage = regexp.MustCompile(`!\[[^\]]*\]\(\s*https?://`)
	tableRule   = regexp.MustCompile(`^\|?\s*:?-{3,}:?\s*(\|\s*:?-{3,}:?\s*)+\|?$`)
)

// checkCard checks a card against the structure of card JSON 2.0, which refuses
// what it does not know, as "Card JSON 2.0 structure" at
// https://open.feishu.cn/document describes it. Version 1.0 ignores what it
// does not know; entities have to be 2.0.
func checkCard(card map[string]any, entity bool) *refusal {
	if card["schema"] != "2.0" {
		if entity {
			return refuse(300303, "only card json 2.0 is supported")
		}
		return nil
	}
	body, _ := card["body"].(map[string]any)
	all, _ := body["elements"].([]any)
	switch {
	case !shared(card):
		return refuse(300302, "update_multi must be true")
	case len(all) == 0 && entity:
		return refuse(300307, "the card is empty")
	}
	for part, known := range map[string][]string{
		"": {"schema", "config", "card_link", "header", "body"},
		"config": {
			"update_multi", "streaming_mode", "streaming_config", "summary", "locales", "enable_forward", "enable_forward_interaction",
			"width_mode", "use_custom_translation", "style",
		},
		"header": {"title", "subtitle", "template", "text_tag_list", "i18n_text_tag_list", "icon", "padding"},
		"body":   {"direction", "padding", "horizontal_spacing", "horizontal_align", "vertical_spacing", "vertical_align", "elements"},
	} {
		object := card
		if part != "" {
			object, _ = card[part].(map[string]any)
		}
		if no := unknownField(part, object, known); no != nil {
			return no
		}
	}
	return checkElements(card)
}

// shared says that a card may be changed: 2.0 always, 1.0 when it says so.
func shared(card map[string]any) bool {
	config, _ := card["config"].(map[string]any)
	multi, said := config["update_multi"].(bool)
	if card["schema"] == "2.0" {
		return multi || !said
	}
	return multi
}

func unknownField(what string, object map[string]any, known []string) *refusal {
	for _, key := range sortedKeys(object) {
		if !slices.Contains(known, key) {
			return refuse(200621, fmt.Sprintf("parse card json err: unknown property, property: %s, path: ROOT -> %s", key, what))
		}
	}
	return nil
}

// checkElements checks every element of a card.
func checkElements(card map[string]any) *refusal {
	var no *refusal
	count, tables, ids := 0, 0, map[string]bool{}
	each(card["body"], func(e map[string]any) {
		tag, tagged := e["tag"].(string)
		if no != nil || !tagged {
			return
		}
		count++
		n := 0
		if n, no = checkElement(tag, e); no != nil {
			return
		}
		tables += n
		if id, has := e["element_id"].(string); has {
			if ids[id] {
				no = refuse(300301, "element id is duplicated: "+id)
			}
			ids[id] = true
		}
	})
	switch {
	case no != nil:
		return no
	case count > cardMaxParts:
		return refuse(300305, "the number of elements exceeds 200")
	case tables > 5:
		return refuse(11310, "the number of tables exceeds the limit")
	}
	return nil
}

// checkElement checks one element, and returns how many tables it shows.
func checkElement(tag string, e map[string]any) (tables int, no *refusal) {
	known, ok := elementFields(tag)
	if !ok {
		return 0, refuse(200861, "unsupported tag in schema 2.0: "+tag)
	}
	if len(known) > 0 {
		if no := unknownField(tag, e, append(known, "tag", "element_id", "margin")); no != nil {
			return 0, no
		}
	}
	if id, has := e["element_id"]; has {
		name, _ := id.(string)
		if !elementID.MatchString(name) || len(name) > cardMaxID {
			return 0, refuse(300312, "element id is invalid")
		}
	}
	switch tag {
	case "markdown":
		return checkMarkdown(e["content"])
	case "button":
		return 0, checkButton(e)
	case "table":
		return 1, nil
	default:
		return 0, nil
	}
}

// elementFields are the properties of an element of 2.0; an empty list accepts
// all, for those that no chat bot needs.
func elementFields(tag string) ([]string, bool) {
	layout := []string{"direction", "padding", "horizontal_spacing", "horizontal_align", "vertical_spacing", "vertical_align", "elements", "background_style"}
	switch tag {
	case "markdown":
		return []string{"content", "i18n_content", "text_align", "text_size", "text_color", "icon"}, true
	case "plain_text", "lark_md":
		return []string{"content", "i18n_content", "text_align", "text_size", "text_color", "lines"}, true
	case "hr":
		return []string{"tag"}, true
	case "div":
		return []string{"text", "icon", "width"}, true
	case "img":
		return []string{"img_key", "alt", "title", "corner_radius", "scale_type", "size", "transparent", "preview"}, true
	case "button":
		return []string{
			"text", "type", "size", "width", "icon", "hover_tips", "disabled", "disabled_tips", "confirm", "behaviors", "name", "required", "form_action_type",
		}, true
	case "column_set":
		return []string{"columns", "horizontal_spacing", "horizontal_align", "flex_mode", "background_style", "action"}, true
	case "column":
		return append(layout, "width", "weight", "action"), true
	case "collapsible_panel":
		return append(layout, "expanded", "header", "border", "background_color"), true
	case "form":
		return append(layout, "name", "confirm"), true
	case "input":
		return []string{
			"name", "placeholder", "required", "input_type", "max_length", "rows", "auto_resize", "max_rows", "label", "label_position",
			"default_value", "disabled", "disabled_tips", "width", "behaviors", "value", "show_icon", "confirm", "fallback",
		}, true
	}
	free := []string{
		"table", "chart", "person", "person_list", "img_combination", "select_static", "multi_select_static", "select_person",
		"multi_select_person", "select_img", "checker", "date_picker", "picker_time", "picker_datetime", "overflow",
		"interactive_container", "audio", "standard_icon", "custom_icon", "text_tag",
	}
	return nil, slices.Contains(free, tag)
}

// checkMarkdown refuses what makes the platform refuse the whole card.
func checkMarkdown(content any) (tables int, no *refusal) {
	text, ok := content.(string)
	if !ok {
		return 0, refuse(200621, "parse card json err: markdown without content")
	}
	fenced := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "```"):
			fenced = !fenced
		case fenced:
		case remoteImage.MatchString(line):
			return 0, refuse(200570, "image key is invalid")
		case tableRule.MatchString(line):
			tables++
		}
	}
	if tables > 4 {
		return tables, refuse(11310, "the number of tables exceeds the limit")
	}
	return tables, nil
}

func checkButton(e map[string]any) *refusal {
	kinds := []string{
		"", "default", "primary", "danger", "text", "primary_text", "danger_text", "primary_filled", "danger_filled", "laser",
	}
	kind, _ := e["type"].(string)
	if !slices.Contains(kinds, kind) {
		return refuse(200621, "parse card json err: button type "+kind)
	}
	all, _ := e["behaviors"].([]any)
	for _, one := range all {
		b, _ := one.(map[string]any)
		switch address, _ := b["default_url"].(string); {
		case b["type"] == "callback":
		case b["type"] == "open_url" && strings.HasPrefix(address, "http"):
		default:
			return refuse(200621, "parse card json err: behavior of a button")
		}
	}
	return nil
}

// cardText is what people read of a card.
func cardText(card map[string]any) string { return strings.Join(viewOf(card).texts, "\n\n") }

// cardButtons are the words on the buttons of a card.
func cardButtons(card map[string]any) []string { return viewOf(card).buttons }

func viewOf(card map[string]any) view {
	var v view
	v.read(card["body"])
	v.read(card["elements"]) // of version 1.0
	return v
}

// view collects what people read of a card.
type view struct{ texts, buttons []string }

func (v *view) read(part any) {
	switch part := part.(type) {
	case []any:
		for _, one := range part {
			v.read(one)
		}
	case map[string]any:
		text, _ := part["content"].(string)
		switch part["tag"] {
		case "button":
			words, _ := part["text"].(map[string]any)
			label, _ := words["content"].(string)
			v.buttons = append(v.buttons, label)
			return
		case "markdown", "lark_md", "plain_text":
			if text != "" {
				v.texts = append(v.texts, text)
			}
		}
		for _, key := range []string{"header", "title", "text", "elements", "columns", "actions"} {
			v.read(part[key])
		}
	}
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
