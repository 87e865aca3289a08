package privacy

import (
	"slices"
	"strings"

	"switchboard/internal/bridge"
)

// draft is what the page shows: the rules as they are stored, and as the admin
// wants them.
type draft struct{ stored, want bridge.Privacy }

func newDraft(stored bridge.Privacy) draft { return draft{stored, clone(stored)} }

func clone(p bridge.Privacy) bridge.Privacy {
	p.Off, p.Custom = slices.Clone(p.Off), slices.Clone(p.Custom)
	return p
}

// changed says that there is something to save.
func (d *draft) changed() bool {
	a, b := d.stored, d.rules()
	same := a.MaskAnswers == b.MaskAnswers && a.MaskToAgent == b.MaskToAgent && a.StoreContent == b.StoreContent &&
		slices.Equal(a.Custom, b.Custom) && slices.Equal(sorted(a.Off), sorted(b.Off))
	return !same
}

func sorted(all []string) []string { return slices.Sorted(slices.Values(all)) }

// deletes says that saving takes stored text away.
func (d *draft) deletes() bool { return d.stored.StoreContent && !d.want.StoreContent }

// rules is what would be saved: a rule in which nothing is written yet is not one.
func (d *draft) rules() bridge.Privacy {
	p := clone(d.want)
	p.Custom = slices.DeleteFunc(p.Custom, func(r bridge.MaskRule) bool { return strings.TrimSpace(r.Name) == "" && r.Pattern == "" })
	return p
}

func (d *draft) uses(rule string) bool { return !slices.Contains(d.want.Off, rule) }

// use switches a built-in rule on or off.
func (d *draft) use(rule string, on bool) {
	d.want.Off = slices.DeleteFunc(d.want.Off, func(r string) bool { return r == rule })
	if !on {
		d.want.Off = append(d.want.Off, rule)
	}
}

func (d *draft) add() { d.want.Custom = append(d.want.Custom, bridge.MaskRule{}) }

func (d *draft) remove(i int) { d.want.Custom = slices.Delete(d.want.Custom, i, i+1) }
