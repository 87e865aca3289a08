package simulator

// memory is a map that forgets the oldest entries beyond its limit, so that a
// simulator can run for days.
type memory[V any] struct {
	limit int
	all   map[string]V
	order []string
}

func newMemory[V any](limit int) memory[V] { return memory[V]{limit: limit, all: map[string]V{}} }

func (m *memory[V]) put(key string, v V) {
	if _, known := m.all[key]; !known {
		m.order = append(m.order, key)
	}
	m.all[key] = v
	for len(m.order) > m.limit {
		delete(m.all, m.order[0])
		m.order = m.order[1:]
	}
}

func (m *memory[V]) get(key string) (V, bool) {
	v, ok := m.all[key]
	return v, ok
}

// each visits the entries, oldest first, until visit returns false.
func (m *memory[V]) each(visit func(V) bool) {
	for _, key := range m.order {
		if !visit(m.all[key]) {
			return
		}
	}
}
