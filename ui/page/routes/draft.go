package routes

import (
	"maps"
	"reflect"
	"slices"

	"switchboard/internal/bridge"
)

// draft is what the page shows: the rules as they are stored, and as the admin
// wants them.
type draft struct{ stored, want []bridge.Route }

func newDraft(stored []bridge.Route) draft { return draft{stored, clone(stored)} }

func clone(all []bridge.Route) []bridge.Route {
	all = slices.Clone(all)
	for i := range all {
		all[i].When = slices.Clone(all[i].When)
		for k := range all[i].When {
			all[i].When[k].Values = slices.Clone(all[i].When[k].Values)
		}
		all[i].Then.Inputs = maps.Clone(all[i].Then.Inputs)
	}
	return all
}

// changed says that there is something to save.
func (d *draft) changed() bool {
	if len(d.stored) == 0 && len(d.want) == 0 {
		return false
	}
	return !reflect.DeepEqual(clone(d.stored), clone(d.want))
}

// add puts a new rule at the end and returns where.
func (d *draft) add(r bridge.Route) int {
	d.want = append(d.want, r)
	return len(d.want) - 1
}

func (d *draft) remove(i int) { d.want = slices.Delete(d.want, i, i+1) }

// move brings a rule up or down, and returns where it is then.
func (d *draft) move(i, by int) int {
	to := i + by
	if to < 0 || to >= len(d.want) {
		return i
	}
	d.want[i], d.want[to] = d.want[to], d.want[i]
	return to
}
