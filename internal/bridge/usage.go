package bridge

import "time"

// UsageBy is what usage is counted by.
type UsageBy string

// The ways to count.
const (
	UsageByPerson UsageBy = "person"
	UsageByBot    UsageBy = "bot"
	UsageByAgent  UsageBy = "agent"
	UsageByDay    UsageBy = "day"
	UsageByMonth  UsageBy = "month"
)

// UsageBys lists them, for catalogues and tests.
func UsageBys() []UsageBy {
	return []UsageBy{UsageByPerson, UsageByBot, UsageByAgent, UsageByDay, UsageByMonth}
}

// UsageQuery selects what was asked and answered. The zero value is the sum of
// everything there ever was.
type UsageQuery struct {
	From, To string // the first and the last day, such as 2026-05-31; empty is open
	By       []UsageBy
	Person   string // Person.ID; empty is everybody
	// NotAgent is left out; empty leaves out none.
	NotAgent string
}

// UsageRow is what was asked and answered, and what that cost. Which of the first
// fields are set is up to UsageQuery.By.
type UsageRow struct {
	Person, Name string // of people whose account is gone both are empty
	Bot, Agent   string
	Day          string // or month, such as 2026-05
	Questions    int    // that an agent was asked
	Answers      int    // that were delivered without trouble
	Tokens       int
	Prices       []Price // by currency; none when nothing was paid
	LastAt       time.Time
}

// Price is an amount of money.
type Price struct {
	Amount   string `json:"amount"` // a decimal number
	Currency string `json:"currency"`
}

// Quota is what somebody may still ask today.
type Quota struct {
	// PerDay and TokensPerDay are the limits, 0 for none; Asked and Tokens are what
	// is used of them.
	PerDay, Asked        int
	TokensPerDay, Tokens int
	Resets               time.Time
}

// PersonUsage is what the window shows of one person's usage.
type PersonUsage struct {
	ThisMonth, LastMonth UsageRow
	Quota                Quota
}
