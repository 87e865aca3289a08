package simulator

import "slices"

// elementSet is a change of the elements of a card: the parameters of one
// action of a batch.
type elementSet struct {
	Settings map[string]any   `json:"settings"`
	Type     string           `json:"type"`
	Target   string           `json:"target_element_id"`
	Elements []map[string]any `json:"elements"`
	ID       string           `json:"element_id"`
	IDs      []string         `json:"element_ids"`
	Element  map[string]any   `json:"element"`
	Partial  map[string]any   `json:"partial_element"`
}

// apply makes the change.
func (e elementSet) apply(action string, card map[string]any) *refusal {
	switch action {
	case "partial_update_setting":
		return setCard(card, e.Settings)
	case "add_elements":
		return e.add(card)
	case "delete_elements":
		for _, id := range e.IDs {
			if !e.within(card, id, func(all []any, at int) []any { return slices.Delete(all, at, at+1) }) {
				return missing(id)
			}
		}
		return nil
	case "update_element":
		found := e.within(card, e.ID, func(all []any, at int) []any {
			all[at] = e.Element
			return all
		})
		if !found {
			return missing(e.ID)
		}
		return nil
	case "partial_update_element":
		old := findElement(card, e.ID)
		if old == nil {
			return missing(e.ID)
		}
		for key, value := range e.Partial {
			if key == "tag" && value != old["tag"] {
				return refuse(300314, "the tag of an element cannot be changed")
			}
			old[key] = value
		}
		return nil
	default:
		return refuse(10002, "invalid parameter: action "+action)
	}
}

func missing(id string) *refusal { return refuse(300313, "element does not exist: "+id) }

func (e elementSet) add(card map[string]any) *refusal {
	fresh := make([]any, 0, len(e.Elements))
	for _, one := range e.Elements {
		fresh = append(fresh, one)
	}
	place := map[string]int{"insert_before": 0, "insert_after": 1}
	after, relative := place[e.Type]
	switch {
	case relative:
		ok := e.within(card, e.Target, func(all []any, at int) []any { return slices.Insert(all, at+after, fresh...) })
		if !ok {
			return missing(e.Target)
		}
	case e.Type == "append":
		holder := findElement(card, e.Target)
		if e.Target == "" {
			holder, _ = card["body"].(map[string]any)
		}
		if holder == nil {
			return missing(e.Target)
		}
		all, _ := holder["elements"].([]any)
		holder["elements"] = append(all, fresh...)
	default:
		return refuse(10002, "invalid parameter: type")
	}
	return nil
}

// within changes the list that an element stands in.
func (elementSet) within(card map[string]any, id string, change func(all []any, at int) []any) bool {
	done := false
	each(card["body"], func(holder map[string]any) {
		for _, key := range []string{"elements", "columns"} {
			all, _ := holder[key].([]any)
			at := slices.IndexFunc(all, func(o any) bool {
				e, _ := o.(map[string]any)
				return id != "" && e["element_id"] == id
			})
			if at >= 0 && !done {
				holder[key], done = change(all, at), true
			}
		}
	})
	return done
}

// findElement finds an element by its element_id.
func findElement(card map[string]any, id string) map[string]any {
	var found map[string]any
	each(card["body"], func(e map[string]any) {
		if found == nil && id != "" && e["element_id"] == id {
			found = e
		}
	})
	return found
}

// each visits every object below a part of a card, the outer ones first.
func each(part any, visit func(map[string]any)) {
	switch part := part.(type) {
	case map[string]any:
		visit(part)
		for _, key := range sortedKeys(part) {
			each(part[key], visit)
		}
	case []any:
		for _, one := range part {
			each(one, visit)
		}
	case []map[string]any:
		for _, one := range part {
			each(one, visit)
		}
	}
}
