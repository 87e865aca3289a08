package metrics_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/metrics"
)

func TestWrite(t *testing.T) {
	t.Parallel()
	var r metrics.Registry
	c := r.Counter("calls_total", "Calls by\nname \\ kind.", "bot", "api")
	c.Add(1, "b", "send")
	c.Add(2, "a", "quote \" slash \\ line \n 中文 \xff")
	c.Add(1.5, "b", "send")
	r.Counter("never_total", "Never counted.")
	h := r.Histogram("seconds", "How long.", []float64{0.5, 1, 2.5}, "agent")
	for _, v := range []float64{0.1, 0.5, 0.6, 2.5, 100} {
		h.Observe(v, "x")
	}
	r.Histogram("plain", "No labels.", []float64{1}).Observe(3)
	r.Collect("waiting", "Waiting now.", "gauge", []string{"agent"}, func(set func(float64, ...string)) {
		set(3, "y")
		set(0, "x")
	})
	want := `# HELP calls_total Calls by\nname \\ kind.
# TYPE calls_total counter
calls_total{bot="a",api="quote \" slash \\ line \n 中文 �"} 2
calls_total{bot="b",api="send"} 2.5
# HELP never_total Never counted.
# TYPE never_total counter
# HELP seconds How long.
# TYPE seconds histogram
seconds_bucket{agent="x",le="0.5"} 2
seconds_bucket{agent="x",le="1"} 3
seconds_bucket{agent="x",le="2.5"} 4
seconds_bucket{agent="x",le="+Inf"} 5
seconds_sum{agent="x"} 103.7
seconds_count{agent="x"} 5
# HELP plain No labels.
# TYPE plain histogram
plain_bucket{le="1"} 0
plain_bucket{le="+Inf"} 1
plain_sum 3
plain_count 1
# HELP waiting Waiting now.
# TYPE waiting gauge
waiting{agent="x"} 0
waiting{agent="y"} 3
`
	var got strings.Builder
	if err := r.Write(&got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Error(diff)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestWriteFails(t *testing.T) {
	t.Parallel()
	var r metrics.Registry
	r.Counter("a_total", "A.")
	if r.Write(full{}) == nil {
		t.Error("no error")
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	var r metrics.Registry
	c, h := r.Counter("a_total", "A.", "l"), r.Histogram("b", "B.", []float64{1}, "l")
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 100 {
				c.Add(1, "x")
				h.Observe(1, "x")
				_ = r.Write(&strings.Builder{})
			}
		})
	}
	group.Wait()
	var got strings.Builder
	_ = r.Write(&got)
	if !strings.Contains(got.String(), `a_total{l="x"} 800`) || !strings.Contains(got.String(), `b_count{l="x"} 800`) {
		t.Error(got.String())
	}
}
