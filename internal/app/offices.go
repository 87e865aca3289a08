package app

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/internal/people"
	"switchboard/internal/router"
)

const (
	// officesEvery is how often is looked whether lists of departments are old, or
	// wanted since.
	officesEvery = 10 * time.Minute
	partOffices  = "departments"
)

// listDepartments asks the directory behind a bot.
func (a *App) listDepartments(ctx context.Context, bot string) ([]bridge.Department, error) {
	b, _, ok := a.findBot(bot)
	if l, can := b.(bridge.DepartmentLister); ok && can {
		return l.Departments(ctx)
	}
	return nil, &bridge.Error{Kind: bridge.KindUnsupported, Op: "app: list departments"}
}

// readDepartments keeps the lists of departments fresh that the settings need,
// until ctx ends.
func (a *App) readDepartments(ctx context.Context) error {
	tick := time.NewTicker(officesEvery)
	defer tick.Stop()
	for {
		for _, b := range a.settings.Bots {
			a.readDepartmentsOf(ctx, b.ID)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (a *App) readDepartmentsOf(ctx context.Context, bot string) {
	wanted := a.departmentsNamed(bot).all()
	if len(wanted) == 0 {
		return
	}
	err := a.offices.Refresh(ctx, bot)
	if err == nil || ctx.Err() != nil || bridge.KindOf(err) == bridge.KindUnsupported {
		return
	}
	level := slog.LevelWarn
	if !slices.ContainsFunc(wanted, func(d string) bool { return !isDepartmentID(d) }) {
		level = slog.LevelDebug // no name is needed
	}
	a.log.LogAttrs(ctx, level, "departments are known by their ids only", slog.String("bot", bot), slog.Any("error", err))
}

// namedDepartments are the departments that the settings name for a bot, by name or
// by id: those it is for, and those in rules, which may be meant for another bot.
type namedDepartments struct{ allowed, rules []string }

func (n namedDepartments) all() []string { return append(slices.Clone(n.allowed), n.rules...) }

func (a *App) departmentsNamed(bot string) (n namedDepartments) {
	for _, b := range a.settings.Bots {
		if b.ID == bot {
			n.allowed = b.Allow.Departments
		}
	}
	for _, rule := range a.Routes() {
		about, departments := true, []string(nil)
		for _, c := range rule.When {
			switch router.Condition(c.By) { //nolint:exhaustive // the others are not about departments
			case router.ByBot:
				about = slices.Contains(c.Values, bot)
			case router.ByDepartment:
				departments = c.Values
			}
		}
		if about {
			n.rules = append(n.rules, departments...)
		}
	}
	return n
}

// checkDepartments says which departments of the settings mean nobody.
func (a *App) checkDepartments(ctx context.Context, lang bridge.Language) []CheckLine {
	r := review{lang: lang, unknown: map[string]people.Doubt{}, settled: map[string]bool{}}
	var silent []string
	for _, b := range a.settings.Bots {
		named := a.departmentsNamed(b.ID)
		if len(named.all()) == 0 {
			continue
		}
		doubts, err := a.offices.Review(ctx, b.ID, named.all())
		switch {
		case bridge.KindOf(err) == bridge.KindUnsupported:
			silent = append(silent, b.ID)
		case err != nil:
			r.unread(b.ID, named, err)
		default:
			r.sort(b.ID, named, doubts)
		}
	}
	for _, bot := range silent { // a rule may be meant for another bot, which knows the name
		named := a.departmentsNamed(bot)
		named.rules = slices.DeleteFunc(named.rules, func(name string) bool { _, read := r.settled[name]; return read })
		r.unread(bot, named, &bridge.Error{Kind: bridge.KindUnsupported, Op: "app: list departments"})
	}
	for _, rule := range a.Routes() { // in their order
		for _, c := range rule.When {
			if router.Condition(c.By) == router.ByDepartment {
				r.leftOver(c.Values)
			}
		}
	}
	return r.lines
}

// review collects what is wrong with departments.
type review struct {
	lang  bridge.Language
	lines []CheckLine
	// unknown are names in rules that some bot does not know. They are settled when
	// another one does, or when there is a line about them.
	unknown map[string]people.Doubt
	settled map[string]bool
}

// sort takes in what a directory says: a name in a rule may be meant for another
// bot, any other is for this one.
func (r *review) sort(bot string, named namedDepartments, doubts []people.Doubt) {
	for _, name := range named.rules {
		r.settled[name] = r.settled[name] || !slices.ContainsFunc(doubts, func(d people.Doubt) bool { return d.Name == name })
	}
	for _, d := range doubts {
		if len(d.IDs) > 0 || slices.Contains(named.allowed, d.Name) {
			r.lines = append(r.lines, doubtful(r.lang, bot, d))
			r.settled[d.Name] = true
		} else {
			r.unknown[d.Name] = d
		}
	}
}

// leftOver says which names in a rule are known to no bot.
func (r *review) leftOver(names []string) {
	for _, name := range names {
		if d, doubt := r.unknown[name]; doubt && !r.settled[name] {
			r.lines = append(r.lines, doubtful(r.lang, "routes", d))
			r.settled[name] = true
		}
	}
}

// unread says that names of departments mean nobody, because they cannot be read.
// Where only ids stand nothing is wrong.
func (r *review) unread(bot string, named namedDepartments, err error) {
	names := slices.DeleteFunc(named.all(), isDepartmentID)
	if len(names) == 0 {
		return
	}
	e := i18n.Explain(r.lang, err)
	what := i18n.Text(r.lang, "department.unread", "names", strings.Join(names, ", ")) + " " + e.What
	r.lines = append(r.lines, CheckLine{Who: bot, What: what, Next: strings.TrimSpace(e.Next + " " + i18n.Text(r.lang, "department.unread.next"))})
}

func doubtful(lang bridge.Language, who string, d people.Doubt) CheckLine {
	key, pairs := "department.unknown", []any{"name", d.Name, "known", strings.Join(d.Known, ", ")}
	if len(d.IDs) > 0 {
		key, pairs = "department.ambiguous", []any{"name", d.Name, "count", len(d.IDs), "ids", strings.Join(d.IDs, ", ")}
	}
	return CheckLine{Who: who, What: i18n.Text(lang, key, pairs...), Next: i18n.Text(lang, key+".next", pairs...)}
}

// isDepartmentID says that a text looks like an id: no platform makes one without a
// digit, or of other letters than Latin ones.
func isDepartmentID(text string) bool {
	digit := strings.ContainsFunc(text, unicode.IsDigit)
	return digit && !strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII || unicode.IsSpace(r) })
}
