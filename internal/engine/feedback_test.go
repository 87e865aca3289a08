package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"switchboard/internal/bridge"
)

// judged is an agent that is told what people think.
type judged struct {
	bridge.Agent
	told []string
	err  error
}

func (j *judged) Feedback(_ context.Context, c bridge.Conversation, r bridge.Run, rating bridge.Rating) error {
	if j.err == nil {
		j.told = append(j.told, fmt.Sprintf("%s/%s %s", c.ID, r.Task, rating))
	}
	return j.err
}

// TestRating: a rating is about the last answer, in words of both languages, and
// can be taken back.
func TestRating(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		j := &judged{}
		h.agentOf = func(a bridge.Agent) bridge.Agent { j.Agent = a; return j }
		h.open()
		h.want("one", "li", "/good", "no answer to rate")
		h.say("one", "li", "first")
		h.say("one", "li", "second")
		h.want("one", "li", "/help", "/good")
		h.want("one", "li", "／Good", "was helpful")
		h.want("one", "li", "/没用", "没有帮助")
		h.want("one", "li", "/unrate", "taken back")
		h.want("one", "li", "/good grief", "help: /good grief")
		if got := strings.Join(j.told, ", "); got != "help-1/t2 good, help-1/t2 bad, help-1/t2 " {
			t.Errorf("told %q", got)
		}
		for kind, want := range map[bridge.Kind]string{bridge.KindNotFound: "cannot be rated", bridge.KindUnsupported: "cannot be rated"} {
			j.err = &bridge.Error{Kind: kind, Op: "test"}
			h.want("one", "li", "/good", want)
		}
		h.agentOf = nil
		h.want("one", "li", "/bad", "cannot be rated")
	})
}

// TestRatingInAGroup is about the answer to one's own question.
func TestRatingInAGroup(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		j := &judged{}
		h.agentOf = func(a bridge.Agent) bridge.Agent { j.Agent = a; return j }
		h.open()
		h.hear(h.inGroup("one", "li", "mine"))
		h.hear(h.inGroup("one", "zhang", "yours"))
		h.hear(h.inGroup("one", "li", "/good"))
		if got := h.hear(h.inGroup("one", "alex", "/bad")); !strings.Contains(got, "no answer to rate") {
			t.Errorf("alex reads %q", got)
		}
		if got := strings.Join(j.told, ", "); got != "help-1/t1 good" {
			t.Errorf("told %q", got)
		}
	})
}

// TestAgain asks the last question once more, though it was answered.
func TestAgain(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.open()
		h.want("one", "li", "/again", "no question to ask again")
		h.say("one", "li", "what?")
		h.want("one", "li", "/重新回答", "help: what? (2 in help-1)")
		h.want("one", "li", "/again", "help: what? (3 in help-1)")
		h.want("one", "li", "/retry", "Nothing went wrong")
	})
}
