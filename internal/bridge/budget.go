package bridge

import "time"

// Meter names what a monthly allowance is measured in.
type Meter string

// The meters. The words are in the catalogue under "budget.<meter>".
const (
	MeterCalls    Meter = "calls"    // API calls to a platform
	MeterPushes   Meter = "pushes"   // messages that a platform pushes to us, or takes on a webhook
	MeterRequests Meter = "requests" // requests that came through a tunnel
)

// Meters lists every meter, for catalogues and settings.
func Meters() []Meter { return []Meter{MeterCalls, MeterPushes, MeterRequests} }

// Spending is what one bot used of an account's allowance on one day.
type Spending struct {
	// Account is who grants the allowance: a platform, with the host where it is
	// not the platform's usual one, or the service of a tunnel.
	Account string
	Bot     string // empty for a tunnel
	Meter   Meter
	Day     string // by the local clock, time.DateOnly
	Used    int
}

// Budget is a monthly allowance and what is used of it by our own count. All
// bots of an account share it.
type Budget struct {
	Account string
	Meter   Meter
	// Allowance is what a month has; 0 means that it is unlimited or unknown.
	Allowance int
	Used      int
	// ByBot says who used how much; empty for a tunnel.
	ByBot map[string]int
	// Renews is when the next month begins.
	Renews time.Time
	// RunsOut is when the rest is used up at the pace of the last days; zero when
	// it lasts, or when it is too early to tell.
	RunsOut time.Time
}

// Short says that four fifths are used: what can be saved is saved from then on.
func (b Budget) Short() bool { return b.Allowance > 0 && b.Used*5 >= b.Allowance*4 }

// Spent says that nothing is left.
func (b Budget) Spent() bool { return b.Allowance > 0 && b.Used >= b.Allowance }
