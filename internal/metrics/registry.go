package metrics

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Registry holds metrics in the order they were made. The zero Registry works;
// all methods may be called from several goroutines at once.
type Registry struct {
	mu  sync.Mutex
	all []family
}

// family is one metric with all its label values.
type family struct {
	name, help, kind string
	write            func(w io.Writer)
}

// Counter only grows.
type Counter struct {
	name   string
	labels []string
	mu     sync.Mutex
	values map[string]float64 // by the labels as they are written
}

// Counter makes a counter with label names.
func (r *Registry) Counter(name, help string, labels ...string) *Counter {
	c := &Counter{name: name, labels: labels, values: map[string]float64{}}
	r.add(family{name, help, "counter", c.write})
	return c
}

// Add counts n more for some label values; there are as many as label names.
func (c *Counter) Add(n float64, values ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.values[pairs(c.labels, values)] += n
}

func (c *Counter) write(w io.Writer) {
	c.mu.Lock()
	values := maps.Clone(c.values)
	c.mu.Unlock()
	for _, labels := range slices.Sorted(maps.Keys(values)) {
		sample(w, c.name, labels, values[labels])
	}
}

// Collect makes a metric that is looked up when it is read: collect calls set
// once for each set of label values. Kind is "gauge", or "counter" for a number
// that somebody else counts.
func (r *Registry) Collect(name, help, kind string, labels []string, collect func(set func(value float64, values ...string))) {
	r.add(family{name, help, kind, func(w io.Writer) {
		all := map[string]float64{}
		collect(func(value float64, values ...string) { all[pairs(labels, values)] = value })
		for _, labels := range slices.Sorted(maps.Keys(all)) {
			sample(w, name, labels, all[labels])
		}
	}})
}

// Histogram counts values by size.
type Histogram struct {
	name    string
	labels  []string
	borders []float64

	mu     sync.Mutex
	values map[string]*heap
}

// heap is what a histogram knows of one set of label values.
type heap struct {
	counts []uint64 // up to each border, and beyond the last
	sum    float64
}

// Histogram makes a histogram; borders are the upper ends of its classes.
func (r *Registry) Histogram(name, help string, borders []float64, labels ...string) *Histogram {
	h := &Histogram{name: name, labels: labels, borders: borders, values: map[string]*heap{}}
	r.add(family{name, help, "histogram", h.write})
	return h
}

// Observe counts one value.
func (h *Histogram) Observe(value float64, values ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := pairs(h.labels, values)
	at := h.values[key]
	if at == nil {
		at = &heap{counts: make([]uint64, len(h.borders)+1)}
		h.values[key] = at
	}
	n, _ := slices.BinarySearch(h.borders, value)
	at.counts[n]++
	at.sum += value
}

func (h *Histogram) write(w io.Writer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, labels := range slices.Sorted(maps.Keys(h.values)) {
		at, total := h.values[labels], uint64(0)
		for n, count := range at.counts {
			total += count
			border := "+Inf"
			if n < len(h.borders) {
				border = number(h.borders[n])
			}
			sample(w, h.name+"_bucket", strings.TrimPrefix(labels+`,le="`+border+`"`, ","), float64(total))
		}
		sample(w, h.name+"_sum", labels, at.sum)
		sample(w, h.name+"_count", labels, float64(total))
	}
}

func (r *Registry) add(f family) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, f)
}

// ContentType is the format Write writes.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// Write writes every metric.
func (r *Registry) Write(w io.Writer) error {
	r.mu.Lock()
	all := slices.Clone(r.all)
	r.mu.Unlock()
	b := bufio.NewWriter(w)
	for _, f := range all {
		help := strings.NewReplacer(`\`, `\\`, "\n", `\n`).Replace(f.help)
		_, _ = fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s %s\n", f.name, help, f.name, f.kind) // Flush tells
		f.write(b)
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	return nil
}

func sample(w io.Writer, name, labels string, value float64) {
	if labels != "" {
		labels = "{" + labels + "}"
	}
	_, _ = fmt.Fprintf(w, "%s%s %s\n", name, labels, number(value)) // the writer keeps the error
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// pairs writes labels as name="value" pairs. A value that is missing is empty.
func pairs(names, values []string) string {
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
	all := make([]string, len(names))
	for i, name := range names {
		value := ""
		if i < len(values) {
			value = values[i]
		}
		all[i] = name + `="` + escape.Replace(strings.ToValidUTF8(value, "\uFFFD")) + `"`
	}
	return strings.Join(all, ",")
}
