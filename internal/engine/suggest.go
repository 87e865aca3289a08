package engine

import (
	"context"
	"log/slog"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/internal/reply"
	"switchboard/internal/router"
)

const (
	// suggestWithin is how long an answer that can be read waits for the questions
	// below it, and suggestUnseen how long one that nobody can see yet: a message of
	// their own would be one more of those that a platform counts.
	suggestWithin = 4 * time.Second
	suggestUnseen = 2 * time.Second
	// maxSuggestions is how many are shown.
	maxSuggestions = 3
	// greetEvery is how long somebody who opens the chat is not greeted again.
	greetEvery = 30 * 24 * time.Hour
)

// suggestions are questions one may ask, as they stand below a text: with numbers
// to pick one by, or without where the text has numbers of its own.
func suggestions(lang bridge.Language, text string, questions []string) string {
	key, bullet := "reply.suggest", func(n int) string { return strconv.Itoa(n+1) + ". " }
	if numbered().MatchString(text) {
		key, bullet = "reply.suggest_plain", func(int) string { return "- " }
	}
	list := ""
	for n, q := range questions[:min(len(questions), maxSuggestions)] {
		list += "\n" + bullet(n) + strings.Join(strings.Fields(q), " ")
	}
	if list == "" {
		return ""
	}
	return "\n\n" + i18n.Text(lang, key) + list
}

// numbered finds lines that begin with a number, as a menu of the agent's has.
func numbered() *regexp.Regexp { return regexp.MustCompile(`(?m)^\s*[1-9][.)、．）]`) }

// suggest asks the agent for what one might ask next, and puts it below a text.
// The answer does not wait for it for long, and does without when there is
// trouble.
func (t *trip) suggest(ctx context.Context, h *hearing, text string) string {
	suggester, ok := t.agent().(bridge.Suggester)
	if !ok || h.end == nil || h.end.Stopped || h.silent() {
		return text
	}
	within := suggestUnseen
	if t.out.Write(text) {
		within = suggestWithin
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	questions, err := suggester.Suggest(ctx, t.route.Session.Conversation, t.out.Row().Run)
	if err != nil {
		if bridge.KindOf(err) != bridge.KindUnsupported {
			t.log.LogAttrs(ctx, slog.LevelInfo, "no suggestions", slog.Int64("job_id", t.job.ID), slog.Any("error", err))
		}
		return text
	}
	for n := range questions {
		questions[n] = h.veil.beside(questions[n])
	}
	return t.propose(text, questions)
}

// picked is the question that somebody picked with a job by its number from what
// was proposed to them last. Any other number is a question of its own.
func (e *Engine) picked(ctx context.Context, j bridge.Job, text string) (string, error) {
	n, ok := router.Pick(text)
	if !ok {
		return text, nil
	}
	all, err := e.store.Exchanges(ctx, j.Lane, j.ID, lookBack)
	if err != nil {
		return text, err
	}
	for _, x := range slices.Backward(all) {
		if router.Beside(x) {
			continue
		}
		if !own(x.Job, j.Message) {
			return text, nil // it was shown to somebody else
		}
		questions := proposed(x.Reply)
		if n <= len(questions) {
			return questions[n-1], nil
		}
		if len(questions) > 0 || wordless(x.Job) || e.router.Command(x.Job.Message).Asks() {
			return text, nil
		} // a command in between, such as a rating, changes nothing
	}
	return text, nil
}

// own says that a job is of who wrote a message: in a direct chat every one is.
func own(j bridge.Job, m bridge.Message) bool {
	return m.Chat.Kind != bridge.Group || j.Message.Sender.ID == m.Sender.ID
}

// wordless says that a job stands for something done that nobody says in words.
func wordless(j bridge.Job) bool { return j.Action != nil && j.Message.Text == "" }

// proposed are the questions that stand below an answer.
func proposed(r bridge.Reply) []string {
	var questions []string
	for _, b := range r.Buttons {
		if b.Value[bridge.ValueDo] == bridge.DoAsk {
			questions = append(questions, b.Value[bridge.ValueText])
		}
	}
	if len(questions) > 0 {
		return questions
	}
	return listed(r.Text)
}

// listed reads the questions at the end of a text that suggestions made.
func listed(text string) []string {
	at := -1
	for _, lang := range []bridge.Language{bridge.Chinese, bridge.English} {
		head := "\n\n" + i18n.Text(lang, "reply.suggest") + "\n"
		if i := strings.LastIndex("\n\n"+text, head); i >= 0 {
			at = max(at, i+len(head)-2)
		}
	}
	if at < 0 {
		return nil
	}
	var questions []string
	for line := range strings.SplitSeq(text[at:], "\n") {
		question, ok := strings.CutPrefix(line, strconv.Itoa(len(questions)+1)+". ")
		if !ok {
			return nil // something else stands below
		}
		questions = append(questions, question)
	}
	return questions
}

// greeting is what an agent says before the first question, maybe nothing. Its
// words may have variables for who is greeted, as those of its form.
func (e *Engine) greeting(ctx context.Context, agent string, to map[string]string) bridge.Greeting {
	found, _ := e.agents(agent)
	greeter, ok := found.(bridge.Greeter)
	if !ok {
		return bridge.Greeting{}
	}
	ctx, cancel := context.WithTimeout(ctx, suggestWithin)
	defer cancel()
	g, err := greeter.Greet(ctx)
	if err != nil {
		e.log.LogAttrs(ctx, slog.LevelInfo, "no greeting", slog.String("agent", agent), slog.Any("error", err))
		return bridge.Greeting{}
	}
	g.Text = addressed(g.Text, to)
	for n, q := range g.Questions {
		g.Questions[n] = addressed(q, to)
	}
	return g
}

// addressed puts what is known of somebody into words with variables; one that
// nothing is known for is better left out than shown.
func addressed(text string, to map[string]string) string {
	return regexp.MustCompile(`\{\{\s*\w+\s*\}\}`).ReplaceAllStringFunc(text, func(variable string) string {
		return to[strings.Trim(variable, "{} \t\n")]
	})
}

// greeted are the variables for who is greeted.
func greeted(p bridge.Person, role bridge.Role, m bridge.Message, lang bridge.Language) map[string]string {
	return map[string]string{
		bridge.InputUserName: p.Name, bridge.InputRole: string(role), bridge.InputPlatform: string(m.Platform), bridge.InputLanguage: string(lang),
	}
}

// entered greets somebody who opened the chat, once in a long while. It is a
// courtesy: whatever goes wrong, nobody misses an answer.
func (t *trip) entered(ctx context.Context) error {
	t.meet(ctx) // known before the first question, for the rules
	route, err := t.router.Route(ctx, t.job)
	if err != nil || route.Refused != router.RefusedNot || route.Muted || t.stale() {
		return err
	}
	t.route = route
	var ok bool
	if t.bot, t.limits, ok = t.bots(t.job.Message.Bot); !ok {
		return nil
	}
	greeting := t.greeting(ctx, route.Agent, greeted(route.Person, route.Role, t.job.Message, route.Language))
	if greeting.Text == "" && len(greeting.Questions) == 0 {
		return nil
	}
	if say, err := t.store.Tell(ctx, "greeted "+route.Person.ID+" "+t.job.Message.Bot, t.job.ID, greetEvery); err != nil || !say {
		return err
	}
	row, _, err := t.store.Reply(ctx, t.job.ID)
	if err != nil || row.State == bridge.ReplyDelivered {
		return err
	}
	row.JobID = t.job.ID
	t.open(row, reply.PaceOff)
	return t.answerWith(ctx, Answer{Text: greeting.Text, Next: greeting.Questions})
}
