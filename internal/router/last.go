package router

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"switchboard/internal/bridge"
)

// lookBack is how many questions of a lane may be commands before we give up
// looking for the last one that was not.
const lookBack = 30

// looksBack says that a command is about the last question or its answer.
func (c Command) looksBack() bool {
	return slices.Contains([]Command{CommandRetry, CommandAgain, CommandGood, CommandBad, CommandUnrate}, c)
}

// isPick says that a text picks one of what was shown last.
func isPick(text string) bool {
	_, picks := Pick(text)
	return picks
}

// Pick reads a number as one picks with it: "2", "２", "2." or "2）".
func Pick(text string) (int, bool) {
	found := regexp.MustCompile(`^([1-9１-９])[.)、．。）]?$`).FindStringSubmatch(strings.TrimSpace(text))
	if found == nil {
		return 0, false
	}
	n := []rune(fold(found[1]))[0]
	return int(n - '0'), true
}

// agentsFor lists the agents that somebody may have talked to with a bot: its own
// and those of rules.
func (r *Router) agentsFor(bot string) []string {
	all := []string{r.opt.AgentOf(bot)}
	for _, rule := range r.rulesFor(bot) {
		to, asks := rule.Then.(ToAgent)
		if asks && !slices.Contains(all, to.Agent) && r.opt.Serves(to.Agent) {
			all = append(all, to.Agent)
		}
	}
	return all
}

// lastAgent is the one that somebody's last question was put to: what is said
// about an answer without naming it is about the last one. Without any it is the
// agent that would be asked.
func (r *Router) lastAgent(ctx context.Context, m bridge.Message, p bridge.Person, agent string) (string, error) {
	all := r.agentsFor(m.Bot)
	if len(all) == 1 {
		return agent, nil
	}
	var latest int64
	for _, candidate := range all {
		found, err := r.store.Exchanges(ctx, r.lane(m, p, candidate), 0, lookBack)
		if err != nil {
			return "", fmt.Errorf("router: last question: %w", err)
		}
		for _, x := range found {
			if x.Job.ID > latest && r.isQuestion(x.Job, m) {
				latest, agent = x.Job.ID, candidate
			}
		}
	}
	return agent, nil
}

// isQuestion says that a job is something that who wrote a message asked.
func (r *Router) isQuestion(j bridge.Job, m bridge.Message) bool {
	switch {
	case m.Chat.Kind == bridge.Group && j.Message.Sender.ID != m.Sender.ID:
		return false
	case r.Command(j.Message) != CommandNone:
		return false
	default:
		return j.Action == nil || j.Message.Text != ""
	}
}
