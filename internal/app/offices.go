package app

import (
	"context"
	"log/slog"
	"slices"
	"strings"

	"switchboard/internal/bridge"
	"switchboard/internal/health"
	"switchboard/internal/i18n"
	"switchboard/internal/people"
	"switchboard/internal/router"
)

const partOffices = "departments"

// listDepartments asks the directory behind a bot.
func (a *App) listDepartments(ctx context.Context, bot string) ([]bridge.Department, error) {
	const op = "app: list departments"
	b, _, ok := a.findBot(bot)
	if !ok {
		return nil, &bridge.Error{Kind: bridge.KindUnavailable, Op: op, Detail: "the bot is not open"}
	}
	if l, can := b.(bridge.DepartmentLister); can {
		return l.Departments(ctx)
	}
	return nil, &bridge.Error{Kind: bridge.KindUnsupported, Op: op}
}

// readDepartments keeps the lists of departments fresh that the settings need,
// until ctx ends.
func (a *App) readDepartments(ctx context.Context) error {
	people.KeepReading(ctx, a.naming, a.readAllDepartments)
	return nil
}

// readAllDepartments reports whether all lists that are needed are known.
func (a *App) readAllDepartments(ctx context.Context) bool {
	all := true
	for _, b := range a.settings.Bots {
		all = a.readDepartmentsOf(ctx, b.ID) == nil && all
	}
	return all
}

// readDepartmentsOf reads a list if it is needed and old. Where only ids are written
// it does not matter whether that works. A bot that is not open has other troubles.
func (a *App) readDepartmentsOf(ctx context.Context, bot string) error {
	var err error
	wanted := a.departmentsNamed(bot).all()
	if _, _, open := a.findBot(bot); open && len(wanted) > 0 {
		err = a.offices.Refresh(ctx, bot)
	}
	names := slices.DeleteFunc(wanted, bridge.IsID)
	if ctx.Err() != nil || bridge.KindOf(err) == bridge.KindUnsupported || len(names) == 0 {
		err = nil
	}
	if err != nil {
		a.log.LogAttrs(ctx, slog.LevelWarn, "the names of departments cannot be read", slog.String("bot", bot), slog.Any("error", err))
	}
	a.warnOfDepartments(bot, names, err)
	return err
}

// warnOfDepartments keeps the notice true that names of departments cannot be read.
func (a *App) warnOfDepartments(bot string, names []string, err error) {
	changed := false
	if err == nil {
		changed = a.health.Clear(health.DepartmentsUnread, bot)
	} else {
		changed = a.health.Raise(health.Warning{
			Code: health.DepartmentsUnread, Severity: bridge.SeverityWarning, Affects: bot, Detail: strings.Join(names, ", "), Err: err,
		})
	}
	if changed {
		a.journal.Tell(bridge.Change{Kind: bridge.ChangeOverview})
	}
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
	n.rules = a.ruleValues(bot, router.ByDepartment)
	return n
}

// ruleValues are those of a condition in the rules that may be about a bot.
func (a *App) ruleValues(bot string, by router.Condition) (all []string) {
	for _, rule := range a.Routes() {
		about, values := true, []string(nil)
		for _, c := range rule.When {
			switch router.Condition(c.By) { //nolint:exhaustive // the others do not matter
			case router.ByBot:
				about = slices.Contains(c.Values, bot)
			case by:
				values = c.Values
			}
		}
		if about {
			all = append(all, values...)
		}
	}
	return all
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
		if _, _, open := a.findBot(b.ID); !open {
			continue // which has a line of its own
		}
		doubts, err := a.offices.Review(ctx, b.ID, named.all())
		switch {
		case bridge.KindOf(err) == bridge.KindUnsupported:
			silent = append(silent, b.ID)
		case err != nil:
			r.unread(b.ID, named, err)
		default:
			a.warnOfDepartments(b.ID, nil, nil)
			r.sort(b.ID, named, doubts)
		}
	}
	for _, bot := range silent { // a rule may be meant for another bot, which knows the name
		named := a.departmentsNamed(bot)
		named.rules = slices.DeleteFunc(named.rules, func(name string) bool { _, read := r.settled[name]; return read })
		r.nobody(bot, named.all())
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
	names := slices.DeleteFunc(named.all(), bridge.IsID)
	if len(names) == 0 {
		return
	}
	e := i18n.Explain(r.lang, err)
	what := i18n.Text(r.lang, "department.unread", "names", strings.Join(names, ", ")) + " " + e.What
	r.lines = append(r.lines, CheckLine{Who: bot, What: what, Next: strings.TrimSpace(e.Next + " " + i18n.Text(r.lang, "department.unread.next"))})
}

// nobody says that a bot hears people without departments only, whatever is written
// for one.
func (r *review) nobody(bot string, names []string) {
	if len(names) > 0 {
		pairs := []any{"names", strings.Join(names, ", "), "bot", bot}
		r.lines = append(r.lines, CheckLine{Who: bot, What: i18n.Text(r.lang, "department.none", pairs...), Next: i18n.Text(r.lang, "department.none.next", pairs...)})
	}
}

func doubtful(lang bridge.Language, who string, d people.Doubt) CheckLine {
	key, pairs := "department.unknown", []any{"name", d.Name, "known", strings.Join(d.Known, ", ")}
	if len(d.IDs) > 0 {
		key, pairs = "department.ambiguous", []any{"name", d.Name, "count", len(d.IDs), "ids", strings.Join(d.IDs, ", ")}
	}
	return CheckLine{Who: who, What: i18n.Text(lang, key, pairs...), Next: i18n.Text(lang, key+".next", pairs...)}
}
