package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/internal/router"
)

// groupsTold is how many groups a hint names.
const groupsTold = 8

// nameChat asks a platform what a group is called.
func (a *App) nameChat(ctx context.Context, bot, chat string) (string, error) {
	const op = "app: name of a group"
	b, _, ok := a.findBot(bot)
	if !ok {
		return "", &bridge.Error{Kind: bridge.KindUnavailable, Op: op, Detail: "the bot is not open"}
	}
	if n, can := b.(bridge.ChatNamer); can {
		return n.ChatName(ctx, chat)
	}
	return "", &bridge.Error{Kind: bridge.KindUnsupported, Op: op}
}

// titled adds what groups are called where the platform does not say it with every
// message: rules, lists and people call them by name.
func (a *App) titled(ctx context.Context, d bridge.Delivery) bridge.Delivery {
	d.Messages, d.Actions = slices.Clone(d.Messages), slices.Clone(d.Actions)
	for i, m := range d.Messages {
		d.Messages[i].Chat.Title = a.titleOf(ctx, m.Bot, m.Chat)
	}
	for i, c := range d.Actions {
		d.Actions[i].Chat.Title = a.titleOf(ctx, c.Bot, c.Chat)
	}
	return d
}

func (a *App) titleOf(ctx context.Context, bot string, c bridge.Chat) string {
	if c.Kind != bridge.Group || c.Title != "" || c.ID == "" {
		return c.Title
	}
	return a.rooms.Name(ctx, bot, c.ID)
}

// heard is what is known of the groups that a bot hears.
type heard struct {
	bot            string
	allowed, rules []string // names in the settings: of those it is for, and in rules that may be about it
	groups         []bridge.Chat
	err            error // why names cannot be looked up
}

func (h heard) knows(name string) bool {
	return slices.ContainsFunc(h.groups, func(c bridge.Chat) bool { return c.Title == name })
}

// checkGroups says which groups of the settings are known to no bot by that name.
// It is no mistake: one knows only the groups in which it was written to.
func (a *App) checkGroups(ctx context.Context, lang bridge.Language) (lines []CheckLine) {
	all := a.allHeard(ctx)
	told := map[string]bool{}
	for _, h := range all {
		if h.err != nil {
			e := i18n.Explain(lang, h.err)
			what := i18n.Text(lang, "group.unread", "names", strings.Join(append(h.allowed, h.rules...), ", ")) + " " + e.What
			lines = append(lines, CheckLine{Who: h.bot, What: what, Next: strings.TrimSpace(e.Next + " " + groupHint(lang, h.groups))})
			continue
		}
		for _, name := range h.allowed {
			if !h.knows(name) {
				lines = append(lines, unknownGroup(lang, h.bot, name, h.groups))
			}
		}
		for _, name := range h.rules { // another bot may know it
			if !told[name] && !slices.ContainsFunc(all, func(h heard) bool { return h.err != nil || h.knows(name) }) {
				told[name] = true
				lines = append(lines, unknownGroup(lang, "routes", name, h.groups))
			}
		}
	}
	return lines
}

// allHeard asks about every bot for which the settings name groups.
func (a *App) allHeard(ctx context.Context) (all []heard) {
	for _, b := range a.settings.Bots {
		h := heard{
			bot: b.ID, allowed: slices.DeleteFunc(slices.Clone(b.Allow.Chats), bridge.IsID), rules: slices.DeleteFunc(a.ruleValues(b.ID, router.ByChat), bridge.IsID),
		}
		if _, limits, open := a.findBot(b.ID); open && limits.Groups && len(h.allowed)+len(h.rules) > 0 {
			h.groups, h.err = a.groupsOf(ctx, b.ID)
			all = append(all, h)
		}
	}
	return all
}

// groupsOf are the groups in which a bot was written to lately, and why some of them
// have no name.
func (a *App) groupsOf(ctx context.Context, bot string) ([]bridge.Chat, error) {
	chats, err := a.store.Chats(ctx, bot, time.Now().Add(-groupsKnown), receiversShown)
	if err != nil {
		return nil, fmt.Errorf("app: groups of %s: %w", bot, err)
	}
	chats = slices.DeleteFunc(chats, func(c bridge.Chat) bool { return c.Kind != bridge.Group })
	for i, c := range chats {
		if c.Title != "" {
			continue
		}
		name, failed := a.nameChat(ctx, bot, c.ID)
		if chats[i].Title = name; failed != nil && bridge.KindOf(failed) != bridge.KindUnsupported {
			err = failed
		}
	}
	return chats, err
}

func unknownGroup(lang bridge.Language, who, name string, groups []bridge.Chat) CheckLine {
	return CheckLine{Who: who, OK: true, What: i18n.Text(lang, "group.unknown", "name", name), Next: groupHint(lang, groups)}
}

// groupHint says how a group can be named, with the ids of those that are known.
func groupHint(lang bridge.Language, groups []bridge.Chat) string {
	var known []string
	for _, c := range groups[:min(len(groups), groupsTold)] {
		known = append(known, strings.TrimSpace(c.Title+" ("+c.ID+")"))
	}
	if len(known) == 0 {
		return i18n.Text(lang, "group.none")
	}
	return i18n.Text(lang, "group.known", "groups", strings.Join(known, ", "))
}
