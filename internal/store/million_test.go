package store_test

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/store"
)

var stored = flag.Int("stored", 0, "messages in the database of BenchmarkStored; it is skipped without")

// The office of BenchmarkStored.
const (
	storedPeople = 1000
	storedDays   = 200
)

// BenchmarkStored is what the window and the terminal ask for with a large number
// of messages stored; fill it with -stored 1000000.
func BenchmarkStored(b *testing.B) {
	if *stored == 0 {
		b.Skip("without -stored")
	}
	path := filepath.Join(b.TempDir(), "switchboard.db")
	stock(b, path, *stored)
	s := openAt(b, path)
	month := time.Now().AddDate(0, -1, 0).Format(time.DateOnly)
	talks := func(q bridge.TalkQuery) func(context.Context) (int, error) {
		return func(ctx context.Context) (int, error) {
			all, err := s.Talks(ctx, q)
			return len(all), err
		}
	}
	usage := func(q bridge.UsageQuery) func(context.Context) (int, error) {
		return func(ctx context.Context) (int, error) {
			all, err := s.Usage(ctx, q)
			return len(all), err
		}
	}
	for _, c := range []struct {
		name string
		ask  func(context.Context) (int, error)
	}{
		{"Talks", talks(bridge.TalkQuery{})},
		{"TalksLater", talks(bridge.TalkQuery{Before: time.Now().Add(-time.Hour)})},
		{"SearchRare", talks(bridge.TalkQuery{Text: "第七百零三号"})},
		{"SearchCommon", talks(bridge.TalkQuery{Text: "年假还剩"})},
		{"SearchTwo", talks(bridge.TalkQuery{Text: "年假"})},
		{"SearchOne", talks(bridge.TalkQuery{Text: "假"})},
		{"SearchOfFew", talks(bridge.TalkQuery{Text: "周报"})},
		{"SearchNothing", talks(bridge.TalkQuery{Text: "量子纠缠"})},
		{"SearchName", talks(bridge.TalkQuery{Text: "员工77"})},
		{"Exchanges", func(ctx context.Context) (int, error) {
			all, err := s.Exchanges(ctx, storedLane(7), 0, 30)
			return len(all), err
		}},
		{"Counts", func(ctx context.Context) (int, error) {
			all, err := s.Counts(ctx, time.Now().Add(-12*time.Hour))
			return len(all), err
		}},
		{"UsageMonth", usage(bridge.UsageQuery{From: month, By: []bridge.UsageBy{bridge.UsageByPerson}})},
		{"UsageAll", usage(bridge.UsageQuery{By: []bridge.UsageBy{bridge.UsageByPerson}})},
		{"UsageAllByMonth", usage(bridge.UsageQuery{By: []bridge.UsageBy{bridge.UsageByPerson, bridge.UsageByMonth}})},
		{"UsageAllByDay", usage(bridge.UsageQuery{By: []bridge.UsageBy{bridge.UsageByDay}})},
		{"UsagePerson", usage(bridge.UsageQuery{Person: storedPerson(7), By: []bridge.UsageBy{bridge.UsageByMonth}})},
		{"People", func(ctx context.Context) (int, error) {
			all, err := s.People(ctx, bridge.PeopleQuery{})
			return len(all), err
		}},
		{"ExportPage", func(ctx context.Context) (int, error) {
			all, _, err := s.Export(ctx, bridge.ExportQuery{Limit: 500})
			return len(all), err
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			rows := 0
			for b.Loop() {
				var err error
				if rows, err = c.ask(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rows), "rows")
		})
	}
	forgetStored(b, s)
}

// forgetStored tells how fast the oldest are forgotten, four days more each time,
// and what a question waits meanwhile.
func forgetStored(b *testing.B, s *store.Store) {
	b.Helper()
	days := storedDays
	b.Run("Forget", func(b *testing.B) {
		ctx, stop := context.WithCancel(b.Context())
		var worst time.Duration
		done := make(chan struct{})
		go func() {
			defer close(done)
			for n := int64(0); ctx.Err() == nil; n++ {
				begin := time.Now()
				if _, err := s.Accept(ctx, []bridge.NewJob{question(1e9*int64(days) + n)}); err == nil {
					worst = max(worst, time.Since(begin))
				}
			}
		}()
		all := 0
		for range b.N {
			days -= 4
			n, err := s.Forget(ctx, time.Now().AddDate(0, 0, -days), time.Now().AddDate(0, 0, -days))
			if all += n; err != nil {
				b.Error(err)
			}
		}
		stop()
		<-done
		b.ReportMetric(float64(all)/b.Elapsed().Seconds(), "forgotten/s")
		b.ReportMetric(float64(worst.Milliseconds()), "ms-worst-accept")
	})
}

func storedPerson(n int) string { return fmt.Sprintf("p_%026d", n) }

func storedLane(n int) string { return "p:" + storedPerson(n) + ":helpdesk" }

// stock makes a database as an office leaves it behind: questions of all people over
// all days, in the order of time. It goes past the store, which is made for being
// right and not for a million at once.
func stock(b *testing.B, path string, n int) {
	b.Helper()
	s := openAt(b, path)
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=synchronous(OFF)&_pragma=cache_size(-200000)")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	begin := time.Now()
	for from := 0; from < n; from += 50_000 {
		stockPart(b, db, from, min(from+50_000, n), n)
	}
	stockRest(b, db)
	b.Logf("%d messages in %s", n, time.Since(begin).Round(time.Second))
}

func stockPart(b *testing.B, db *sql.DB, from, to, all int) {
	b.Helper()
	tx, err := db.BeginTx(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	prepared := func(query string) func(args ...any) {
		st, err := tx.PrepareContext(b.Context(), query)
		if err != nil {
			b.Fatal(err)
		}
		return func(args ...any) {
			if _, err := st.ExecContext(b.Context(), args...); err != nil {
				b.Fatal(err)
			}
		}
	}
	job := prepared(`INSERT INTO jobs (id, bot, origin, queue, lane, state, attempt, accepted_at, due_at, started_at, finished_at, outcome, text, extra, message, action)
		VALUES (?, 'main', ?, 'helpdesk', ?, 'completed', 1, ?, 0, ?, ?, 1, ?, '', ?, '')`)
	answer := prepared(`INSERT INTO replies (job_id, state, text, error, rest, updated_at) VALUES (?, 'delivered', ?, '', ?, ?)`)
	entry := prepared(`INSERT INTO entries (at, kind, job_id, bot, message, attempt, took, note, error) VALUES (?, ?, ?, 'main', ?, 1, 1000, '', '')`)
	found := prepared(`INSERT INTO found (rowid, question, answer) VALUES (?, ?, ?)`)
	first := time.Now().AddDate(0, 0, -storedDays)
	step := time.Since(first) / time.Duration(all)
	dice := rand.New(rand.NewPCG(1, uint64(from)))
	for i := from; i < to; i++ {
		who, at := dice.IntN(storedPeople), first.Add(time.Duration(i)*step)
		asked, told := sentence(dice), sentence(dice)+sentence(dice)+sentence(dice)
		if who < storedPeople/50 {
			asked += "周报" // said often, by a few
		}
		id, micros := i+1, at.UnixMicro()
		message := fmt.Sprintf(`{"id":"om_%032x","bot":"main","platform":"feishu","chat":{"id":"oc_%d","kind":"direct"},"sender":{"id":"ou_%d","tenant":"t1"},"sent_at":%q,"address":{"bot":"main","chat":"oc_%d"}}`,
			id, who, who, at.Format(time.RFC3339Nano), who)
		job(id, fmt.Sprintf("m:om_%032x", id), storedLane(who), micros, micros, micros+3e6, asked, message)
		answer(id, told, `{"draft":{},"sent":1,"conversation":{},"run":{},"agent":"helpdesk"}`, micros+3e6)
		entry(micros, "received", id, fmt.Sprintf("om_%032x", id))
		entry(micros+3e6, "delivered", id, fmt.Sprintf("om_%032x", id))
		found(id, asked+"\x03\x03", told+"\x03\x03")
	}
	if err := tx.Commit(); err != nil {
		b.Fatal(err)
	}
}

// stockRest adds what is kept in step with the questions.
func stockRest(b *testing.B, db *sql.DB) {
	b.Helper()
	for n := range storedPeople {
		for _, query := range []string{
			"INSERT INTO people (id, name, role, language, created_at) VALUES (?, ?, 'member', 'zh-CN', 1)",
			"INSERT INTO identities (person, name, platform, tenant, user_id, first_person, linked_at) VALUES (?, ?, 'feishu', 't1', ?, '', 1)",
		} {
			args := []any{storedPerson(n), fmt.Sprintf("员工%d", n), fmt.Sprintf("ou_%d", n)}
			if _, err := db.ExecContext(b.Context(), query, args[:strings.Count(query, "?")]...); err != nil {
				b.Fatal(err)
			}
		}
	}
	for _, query := range []string{
		`INSERT INTO lanes (lane, queue, head, due_at, open, person, title, platforms, bots, last_job, last_at, questions)
			SELECT lane, 'helpdesk', 0, 0, 0, substr(lane, 3, 28), '', ',feishu,', ',main,', MAX(id), MAX(accepted_at), COUNT(*) FROM jobs GROUP BY lane`,
		`INSERT INTO usages (day, platform, tenant, user_id, bot, agent, currency, questions, answers, tokens, price, last_at)
			SELECT day, 'feishu', 't1', user_id, bot, queue, 'USD', n, 1 * n, 500 * n, 1000000 * n, last_at FROM (
			SELECT date(accepted_at / 1000000, 'unixepoch') AS day, 'ou_' || CAST(substr(lane, 5, 26) AS INTEGER) AS user_id, bot, queue, COUNT(*) AS n, MAX(accepted_at) AS last_at
			FROM jobs GROUP BY 1, lane)`,
	} {
		if _, err := db.ExecContext(b.Context(), query); err != nil {
			b.Fatal(err)
		}
	}
}

// sentence is something that an office says, of words that come up often and a
// number that does not.
func sentence(dice *rand.Rand) string {
	pick := func(words ...string) string { return words[dice.IntN(len(words))] }
	return pick("请问", "我想知道", "麻烦问一下", "今天", "另外") + pick("今年的", "上个月的", "部门的", "客户的", "新员工的") +
		pick("年假", "报销", "合同", "发票", "会议室", "电脑", "工资条", "社保") + pick("还剩几天", "怎么申请", "在哪里办理", "由谁审批", "什么时候到账", "需要哪些材料") +
		pick("？", "，谢谢。", "，比较急。") + fmt.Sprintf("第%s号。", numeral(dice.IntN(100_000)))
}

// numeral writes a number in Chinese, roughly.
func numeral(n int) string {
	digits, units := []rune("零一二三四五六七八九"), []string{"", "十", "百", "千", "万"}
	text := ""
	for place := 0; n > 0; place, n = place+1, n/10 {
		unit := units[place]
		if n%10 == 0 {
			unit = ""
		}
		text = string(digits[n%10]) + unit + text
	}
	return text
}
