package simulator

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/bridge"
)

// Fault names a trouble that can be switched on.
type Fault string

// The troubles on the way in: how a platform delivers what people write.
const (
	// FaultDuplicate delivers a message that was accepted again, Copies times, at once.
	FaultDuplicate Fault = "duplicate"
	// FaultDelay delivers a message later, by For.
	FaultDelay Fault = "delay"
	// FaultReorder holds a message back until the next one of that platform was
	// delivered, or for For.
	FaultReorder Fault = "reorder"
	// FaultDrop loses the answer to a message on its way, so that the platform
	// delivers again.
	FaultDrop Fault = "drop"
)

// The troubles of every API call.
const (
	// FaultSlow answers a call later, by For.
	FaultSlow Fault = "slow"
	// FaultReset resets the connection before the platform looked at the call.
	FaultReset Fault = "reset"
	// FaultFail answers with the HTML page of a gateway, status 502.
	FaultFail Fault = "fail"
	// FaultExpire ends every token given out so far.
	FaultExpire Fault = "expire"
	// FaultSecret refuses the app's secret and every token.
	FaultSecret Fault = "secret"
)

// The troubles of the calls that show or change a message.
const (
	// FaultBusy is the platform's answer when it cannot cope: Feishu 99991400
	// without a header, WeCom -1, DingTalk serviceBusy.
	FaultBusy Fault = "busy"
	// FaultLimit is the platform's answer to too many calls. With For, it says
	// for how long where the platform has a way to: Feishu 99991400 with
	// x-ogw-ratelimit-reset; for a minute and more DingTalk the ban with "wait",
	// in minutes, and WeCom 45009, which means that.
	// Without: Feishu 230020, WeCom 45033, DingTalk QpsLimitForAppkeyAndApi.
	FaultLimit Fault = "limit"
	// FaultQuota is the answer when the month's budget is spent: Feishu
	// 99991403, DingTalk ApiCountLimitForOrg. WeCom has none.
	FaultQuota Fault = "quota"
	// FaultBreak resets the connection after the message was shown, so that the
	// caller cannot know.
	FaultBreak Fault = "break"
	// FaultGone makes the card that is to be changed disappear.
	FaultGone Fault = "gone"
	// FaultDissolved answers that the group does not exist any more.
	FaultDissolved Fault = "dissolved"
	// FaultLeft answers that the person has left the company.
	FaultLeft Fault = "left"
)

// FaultKinds lists every fault, in the order of their description.
func FaultKinds() []Fault {
	return []Fault{
		FaultDuplicate, FaultDelay, FaultReorder, FaultDrop,
		FaultSlow, FaultReset, FaultFail, FaultExpire, FaultSecret,
		FaultBusy, FaultLimit, FaultQuota, FaultBreak, FaultGone, FaultDissolved, FaultLeft,
	}
}

// Trouble is one fault and how often it strikes.
type Trouble struct {
	Fault Fault
	// Platform restricts it to one; empty means all.
	Platform bridge.Platform
	// Chance is how likely it strikes, from 0 to 1. It is not used with Next.
	Chance float64
	// Next is how many of the next occasions it strikes, for certain.
	Next int
	// Copies is how many more deliveries FaultDuplicate makes; 0 means one.
	Copies int
	// For is the time of a FaultDelay, FaultReorder, FaultSlow or FaultLimit.
	For time.Duration
}

// Faults are troubles of the platforms, switched on by tests and by hand. The
// zero value is none.
type Faults struct {
	// Refuse is short for a FaultBusy at the next N occasions.
	Refuse int
	// Break is short for a FaultBreak at the next N occasions.
	Break int
	// Expire makes every token given out so far invalid, now.
	Expire bool
	// Seed decides what strikes when; the same seed strikes at the same
	// occasions of each fault and platform.
	Seed uint64
	// Troubles are what strikes.
	Troubles []Trouble
}

func (f Faults) troubles() []Trouble {
	all := slices.Clone(f.Troubles)
	if f.Refuse > 0 {
		all = append(all, Trouble{Fault: FaultBusy, Next: f.Refuse})
	}
	if f.Break > 0 {
		all = append(all, Trouble{Fault: FaultBreak, Next: f.Break})
	}
	return all
}

// ParseFaults reads the short form of faults: names and how often, separated by
// commas, for example
//
//	seed=7,duplicate=0.2*3,busy=0.1,limit=0.05@2s,slow=200ms,feishu:gone=1x
//
// The value is a chance from 0 to 1, or a number of occasions followed by x, or
// a time alone, which strikes always. *N is the number of copies and @TIME for
// how long. A platform's name and a colon before the fault restrict it.
func ParseFaults(spec string) (Faults, error) {
	var f Faults
	for item := range strings.SplitSeq(spec, ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		name, value, ok := strings.Cut(item, "=")
		if !ok {
			return Faults{}, fmt.Errorf("simulator: fault %q: a value is missing, for example %s=0.1", item, name)
		}
		if name == "seed" {
			seed, err := strconv.ParseUint(value, 10, 64)
			if err != nil {
				return Faults{}, fmt.Errorf("simulator: seed %q is not a number", value)
			}
			f.Seed = seed
			continue
		}
		t, err := parseTrouble(name, value)
		if err != nil {
			return Faults{}, err
		}
		f.Troubles = append(f.Troubles, t)
	}
	return f, nil
}

func parseTrouble(name, value string) (Trouble, error) {
	t := Trouble{Fault: Fault(name)}
	if p, rest, found := strings.Cut(name, ":"); found {
		t.Platform, t.Fault = bridge.Platform(p), Fault(rest)
		if !slices.Contains(allPlatforms(), t.Platform) {
			return Trouble{}, fmt.Errorf("simulator: fault %q: there is no platform %q", name, p)
		}
	}
	if !slices.Contains(FaultKinds(), t.Fault) {
		return Trouble{}, fmt.Errorf("simulator: there is no fault %q", t.Fault)
	}
	if err := t.often(value); err != nil {
		return Trouble{}, fmt.Errorf("simulator: fault %q: %w", name, err)
	}
	if t.For == 0 && slices.Contains([]Fault{FaultDelay, FaultReorder, FaultSlow}, t.Fault) {
		return Trouble{}, fmt.Errorf("simulator: fault %q needs a time, for example %s=0.1@2s", name, name)
	}
	return t, nil
}

// often reads how often a fault strikes.
func (t *Trouble) often(value string) error {
	amount, wait, timed := strings.Cut(value, "@")
	var err error
	if timed {
		if t.For, err = time.ParseDuration(wait); err != nil || t.For < 0 {
			return fmt.Errorf("%q is not a time", wait)
		}
	}
	amount, copies, several := strings.Cut(amount, "*")
	if several {
		if t.Copies, err = strconv.Atoi(copies); err != nil || t.Copies < 1 {
			return fmt.Errorf("%q is not a number of copies", copies)
		}
	}
	if count, found := strings.CutSuffix(amount, "x"); found {
		if t.Next, err = strconv.Atoi(count); err != nil || t.Next < 1 {
			return fmt.Errorf("%q is not a number of occasions", amount)
		}
		return nil
	}
	if d, err := time.ParseDuration(amount); err == nil && !timed && d > 0 {
		t.Chance, t.For = 1, d
		return nil
	}
	if t.Chance, err = strconv.ParseFloat(amount, 64); err != nil || !(t.Chance >= 0 && t.Chance <= 1) {
		return fmt.Errorf("%q is not a chance from 0 to 1", amount)
	}
	return nil
}

// String is the short form that ParseFaults reads.
func (f Faults) String() string {
	var all []string
	if f.Seed != 0 {
		all = append(all, "seed="+strconv.FormatUint(f.Seed, 10))
	}
	for _, t := range f.troubles() {
		all = append(all, t.String())
	}
	return strings.Join(all, ",")
}

// String is the short form that ParseFaults reads.
func (t Trouble) String() string {
	var b strings.Builder
	if t.Platform != "" {
		b.WriteString(string(t.Platform) + ":")
	}
	b.WriteString(string(t.Fault) + "=")
	if t.Next > 0 {
		b.WriteString(strconv.Itoa(t.Next) + "x")
	} else {
		b.WriteString(strconv.FormatFloat(t.Chance, 'g', -1, 64))
	}
	if t.Copies > 0 {
		b.WriteString("*" + strconv.Itoa(t.Copies))
	}
	if t.For > 0 {
		b.WriteString("@" + t.For.String())
	}
	return b.String()
}

// copies is how many more deliveries a FaultDuplicate makes.
func (t Trouble) copies() int { return cmp.Or(t.Copies, 1) }
