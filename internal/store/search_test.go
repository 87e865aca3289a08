package store_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/store"
)

// spoken adds a lane in which the same was said a number of times.
func spoken(tb testing.TB, db *sql.DB, lane string, times int, question, answer string) {
	tb.Helper()
	for _, query := range []string{
		`INSERT INTO lanes (lane, queue, head, due_at, open, person, title, platforms, bots, last_job, last_at, questions)
			VALUES (@lane, 'q', 0, 0, 0, 'p', '', ',feishu,', ',main,', (SELECT COALESCE(MAX(id), 0) + @times FROM jobs), 1, @times)`,
		`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < @times)
			INSERT INTO jobs (bot, origin, queue, lane, state, accepted_at, due_at, finished_at, text, extra, message, action)
			SELECT 'main', @lane || '#' || i, 'q', @lane, 'completed', 1, 0, 1, @question, '', '{}', '' FROM n`,
		"INSERT INTO replies (job_id, state, text, error, rest, updated_at) SELECT id, 'delivered', @answer, '', '{}', 1 FROM jobs WHERE lane = @lane",
		"INSERT INTO found (rowid, question, answer) SELECT id, @question || char(3, 3), @answer || char(3, 3) FROM jobs WHERE lane = @lane",
	} {
		_, err := db.ExecContext(tb.Context(), query, sql.Named("lane", lane), sql.Named("times", times), sql.Named("question", question), sql.Named("answer", answer))
		if err != nil {
			tb.Fatal(err)
		}
	}
}

// TestSearchMany finds what was said so often that not every time is looked at:
// by few, and by most.
func TestSearchMany(t *testing.T) {
	t.Parallel()
	path := filled(t, 0)
	db := rawDB(t, path)
	for n := range 20 { // silent ones, so that a few lanes are not most
		spoken(t, db, fmt.Sprint("silent", n), 1, "今天天气", "晴")
	}
	spoken(t, db, "often", 10_050, "周报在哪里", "在群文件")
	spoken(t, db, "late", 1, "我的周报在哪里", "收到")
	for n := range 60 {
		spoken(t, db, fmt.Sprint("all", n), 200, "请问年假", "还剩五天")
	}
	s := openAt(t, path)
	for text, want := range map[string][]string{
		"周报": {"late", "often"}, "周": {"late", "often"}, "周报在": {"late", "often"}, "的周报": {"late"}, "文件": {"often"}, "件": {"often"}, "收到": {"late"},
	} {
		if diff := cmp.Diff(want, lanesWith(t, s, text)); diff != "" {
			t.Error(text, diff)
		}
	}
	for _, text := range []string{"年假", "请问年", "五天"} {
		got := lanesWith(t, s, text)
		if len(got) != 50 || slices.ContainsFunc(got, func(lane string) bool { return !strings.HasPrefix(lane, "all") }) {
			t.Error(text, got)
		}
	}
}

func lanesWith(t *testing.T, s *store.Store, text string) []string {
	t.Helper()
	rows, err := s.Talks(t.Context(), bridge.TalkQuery{Text: text})
	if err != nil {
		t.Fatal(err)
	}
	var lanes []string
	for _, r := range rows {
		lanes = append(lanes, r.Lane)
	}
	slices.Sort(lanes)
	return lanes
}

// TestIndexIsBuiltAnew finds what was said before short texts could be found.
func TestIndexIsBuiltAnew(t *testing.T) {
	t.Parallel()
	path := filled(t, 0)
	downTo(t, path, 14)
	spoken(t, rawDB(t, path), "old", 1, "还有年假", "没有了")
	s := openAt(t, path)
	for _, text := range []string{"年假", "了", "还有年"} {
		if diff := cmp.Diff([]string{"old"}, lanesWith(t, s, text)); diff != "" {
			t.Error(text, diff)
		}
	}
}

// TestForgottenLeavesIndex wants the room of what is forgotten back, though the
// index is not merged while jobs are forgotten.
func TestForgottenLeavesIndex(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "switchboard.db")
	s := openAt(t, path)
	db := rawDB(t, path)
	for n := range 500 { // more than is merged at once
		spoken(t, db, fmt.Sprint("lane", n), 2, "怎么办理", various(n, 500))
	}
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	all := indexSize(t, db)
	if _, err := db.ExecContext(t.Context(), "UPDATE jobs SET finished_at = 3 WHERE id % 2"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ before, most int }{{2, all * 4 / 5}, {4, all / 10}} {
		if n, err := s.Forget(t.Context(), time.UnixMicro(int64(c.before)), time.Time{}); err != nil || n != 500 {
			t.Fatal(n, err)
		}
		if now := indexSize(t, db); now > c.most {
			t.Errorf("the index takes %d bytes, %d with all that was said", now, all)
		}
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if got := lanesWith(t, s, "办理"); got != nil {
		t.Error(got)
	}
}

// various is a text of which little comes again.
func various(seed, length int) string {
	var text strings.Builder
	for n := range length {
		text.WriteRune(rune('一' + (seed*7919+n*n*31+n*seed)%20_000))
	}
	return text.String()
}

func indexSize(t *testing.T, db *sql.DB) (bytes int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), "SELECT SUM(LENGTH(block)) FROM found_data").Scan(&bytes); err != nil {
		t.Fatal(err)
	}
	return bytes
}
