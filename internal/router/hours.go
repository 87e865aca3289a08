package router

import (
	"fmt"
	"strings"
	"time"
)

// Hours are office hours: some days of the week, from one time of day to
// another. Hours that end before they begin end on the next day.
type Hours struct {
	Days     [7]bool // by time.Weekday
	From, To int     // minutes since midnight
	Zone     *time.Location
	Written  string // as they stand in the settings
}

// ParseHours reads hours such as "Mon-Fri 09:00-18:00" or "Sat,Sun 10:00-16:00
// Asia/Shanghai", also in Chinese: "周一至周五 09:00-18:00", "周末 10：00～16：00".
// Without a zone they are those of this machine.
func ParseHours(text string) (Hours, error) {
	h := Hours{Zone: time.Local, Written: strings.TrimSpace(text)}
	parts := strings.Fields(plain(text))
	if len(parts) < 2 || len(parts) > 3 {
		return h, fmt.Errorf("router: hours %q: want days, times and perhaps a zone, such as Mon-Fri 09:00-18:00 Asia/Shanghai", text)
	}
	if err := h.days(parts[0]); err != nil {
		return h, err
	}
	from, to, ok := strings.Cut(parts[1], "-")
	var err error
	if h.From, err = minutes(from); err == nil && ok {
		h.To, err = minutes(to)
	}
	if err != nil || !ok || h.From == h.To || h.From == 24*60 {
		return h, fmt.Errorf("router: hours %q: want times such as 09:00-18:00", text)
	}
	if len(parts) == 3 {
		if h.Zone, err = time.LoadLocation(parts[2]); err != nil {
			return h, fmt.Errorf("router: hours %q: %w", text, err)
		}
	}
	return h, nil
}

// plain writes hours with the signs that are read, and without blanks beside them.
func plain(text string) string {
	text = strings.NewReplacer("：", ":", "，", ",", "、", ",", "至", "-", "到", "-", "～", "-", "~", "-", "–", "-", "—", "-", "－", "-",
		"工作日", "Mon-Fri", "周末", "Sat-Sun", "每天", "Mon-Sun").Replace(text)
	for _, sign := range []string{"-", ","} {
		for strings.Contains(text, " "+sign) || strings.Contains(text, sign+" ") {
			text = strings.NewReplacer(" "+sign, sign, sign+" ", sign).Replace(text)
		}
	}
	return text
}

func (h *Hours) days(text string) error {
	for part := range strings.SplitSeq(text, ",") {
		first, last, span := strings.Cut(part, "-")
		from, ok := weekday(first)
		to := from
		if span && ok {
			to, ok = weekday(last)
		}
		if !ok {
			return fmt.Errorf("router: hours: want days such as Mon-Fri or Sat,Sun, not %q", text)
		}
		for d := from; ; d = (d + 1) % 7 {
			h.Days[d] = true
			if d == to {
				break
			}
		}
	}
	return nil
}

func weekday(name string) (time.Weekday, bool) {
	for _, week := range []string{"周", "星期", "礼拜"} {
		name = strings.TrimPrefix(name, week)
	}
	if name == "天" {
		name = "日"
	}
	for d := range time.Weekday(7) {
		if full := d.String(); strings.EqualFold(name, full[:3]) || strings.EqualFold(name, full) || name == string([]rune("日一二三四五六")[d]) {
			return d, true
		}
	}
	return 0, false
}

func minutes(clock string) (int, error) {
	if clock == "24:00" {
		return 24 * 60, nil
	}
	t, err := time.Parse("15:04", clock)
	return t.Hour()*60 + t.Minute(), err
}

// Open says whether a moment is within the hours.
func (h Hours) Open(at time.Time) bool {
	at = at.In(h.Zone)
	now, today := at.Hour()*60+at.Minute(), at.Weekday()
	if h.From < h.To {
		return h.Days[today] && now >= h.From && now < h.To
	}
	return h.Days[today] && now >= h.From || h.Days[(today+6)%7] && now < h.To
}

// String writes the hours as ParseHours reads them.
func (h Hours) String() string {
	var days []string
	for d, open := range h.Days {
		if open {
			days = append(days, time.Weekday(d).String()[:3])
		}
	}
	return fmt.Sprintf("%s %02d:%02d-%02d:%02d %s", strings.Join(days, ","), h.From/60, h.From%60, h.To/60, h.To%60, h.Zone)
}
