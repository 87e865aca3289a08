package app_test

import (
	"testing"

	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
)

// TestQuotes: a question that answers a message is asked together with it, where
// the platform lets us read it.
func TestQuotes(t *testing.T) {
	t.Parallel()
	for _, all := range []bool{true, false} {
		s := onSim(t, simulator.Options{HearAll: all}, echoAgent, "", asUsual)
		for _, p := range []bridge.Platform{"feishu", "dingtalk"} {
			l := simulator.Line{Employee: "zhang", Platform: p, Group: "team", Text: "error 17 on db-1", Lost: true}
			id, err := s.sim.Write(s.ctx, l)
			if err != nil {
				t.Fatal(err)
			}
			want := "> error 17 on db-1\n\nwhat does it mean?"
			if p == "feishu" && !all {
				want = "what does it mean?"
			}
			s.line(simulator.Line{Employee: "li", Platform: p, Group: "team", Text: "what does it mean?", Mention: true, Quote: id}, want)
		}
		// What one said oneself needs no right.
		first, err := s.sim.Write(s.ctx, simulator.Line{Employee: "alex", Platform: "feishu", Text: "first"})
		if err != nil {
			t.Fatal(err)
		}
		until(t, func() bool { return s.settled("first") })
		s.line(simulator.Line{Employee: "alex", Platform: "feishu", Text: "and this?", Quote: first}, "> first\n\nand this?")
		s.clean()
	}
}
