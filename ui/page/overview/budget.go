package overview

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/ui/live"
	"switchboard/ui/widget"
)

// budgetCard is a monthly allowance in words.
type budgetCard struct {
	title, used, outlook string
	share                float64
	color                fyne.ThemeColorName // of the outlook
}

// describeBudgets are the allowances there are; what is unlimited is no news.
func describeBudgets(w live.Words, all []bridge.Budget) []budgetCard {
	var cards []budgetCard
	for _, b := range all {
		if b.Allowance > 0 {
			cards = append(cards, describeBudget(w, b))
		}
	}
	return cards
}

func describeBudget(w live.Words, b bridge.Budget) budgetCard {
	c := budgetCard{
		title: i18n.Budget(w.Lang, b.Account, b.Meter),
		used:  w.T("overview.used", "used", b.Used, "allowance", b.Allowance),
		share: min(1, float64(b.Used)/float64(b.Allowance)), color: theme.ColorNamePlaceHolder,
	}
	c.outlook = w.T("overview.renews", "day", b.Renews.Format(w.T("time.day")))
	switch {
	case b.Spent():
		c.color = theme.ColorNameError
	case !b.RunsOut.IsZero():
		c.color, c.outlook = theme.ColorNameWarning, w.T("overview.runs_out", "day", b.RunsOut.Format(w.T("time.day")))
	case b.Short():
		c.color = theme.ColorNameWarning
	}
	return c
}

func (c budgetCard) show() fyne.CanvasObject {
	meter := widget.NewMeter()
	meter.Set(c.share)
	return widget.NewPanel(widget.Column(6,
		widget.NewLine(c.title).Bold().Elastic(), widget.NewLine(c.used).Elastic(), meter,
		widget.NewCaption(c.outlook).Colored(c.color).Elastic()))
}
