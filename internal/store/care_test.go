package store_test

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/store"
)

// TestCare lives through some days: a backup every night at half past three, old
// content forgotten, and what was slept through made up for.
func TestCare(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := openAt(t, filepath.Join(dir, "switchboard.db"))
		defer func() { _ = s.Close() }()
		fill(t, s, 1)
		for _, j := range claimAll(t, s) {
			settle(t, s, j)
		}
		backups := filepath.Join(dir, "backups")
		told := make(chan error, 20)
		c := store.NewCare(s, store.CareOptions{Backups: backups, Keep: func() (time.Duration, time.Duration) { return 48 * time.Hour, 0 }, Told: func(err error) { told <- err }})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- c.Run(ctx) }()
		for day, want := range []int{2, 3, 4, 5} {
			time.Sleep(24 * time.Hour)
			synctest.Wait()
			all, err := store.Backups(backups)
			if err != nil || len(all) != want {
				t.Fatalf("day %d: %v, %v", day, all, err)
			}
			if at := all[0].At; at.Hour() != 3 || at.Minute() < 30 || at.Minute() > 31 {
				t.Errorf("day %d: at %v", day, at)
			}
			j, err := s.Job(t.Context(), 1)
			if err != nil || (j.Message.Text == "") != (day > 1) {
				t.Errorf("day %d: %q, %v", day, j.Message.Text, err)
			}
		}
		stop()
		synctest.Wait()
		if err := <-ended; err != nil || len(told) != 5 || <-told != nil {
			t.Errorf("ended %v, told %d times", err, len(told))
		}
	})
}

// TestCareAfterARestart has a backup of last night already, but has not
// forgotten anything yet.
func TestCareAfterARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := openAt(t, filepath.Join(dir, "switchboard.db"))
		defer func() { _ = s.Close() }()
		fill(t, s, 1)
		settle(t, s, claimAll(t, s)[0])
		time.Sleep(12 * time.Hour)
		if _, err := s.Backup(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
		told := make(chan error, 20)
		c := store.NewCare(s, store.CareOptions{Backups: dir, Keep: func() (time.Duration, time.Duration) { return time.Hour, 0 }, Told: func(err error) { told <- err }})
		ctx, stop := context.WithCancel(t.Context())
		go c.Run(ctx) //nolint:errcheck // ends with the test
		time.Sleep(59 * time.Second)
		synctest.Wait()
		if len(told) != 0 {
			t.Error("it is looked into while the program takes up what was left")
		}
		time.Sleep(4 * time.Minute)
		synctest.Wait()
		if len(told) != 1 || <-told != nil {
			t.Errorf("it is looked into %d times", len(told))
		}
		if all, err := store.Backups(dir); err != nil || len(all) != 1 {
			t.Errorf("backups %v, %v", all, err)
		}
		if j, err := s.Job(t.Context(), 1); err != nil || j.Message.Text != "" {
			t.Errorf("%q, %v", j.Message.Text, err)
		}
		stop()
		synctest.Wait()
	})
}

// TestCareFails tells of a backup that cannot be made, tries again after an hour
// and not before, and goes on when the trouble is over.
func TestCareFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := openAt(t, filepath.Join(dir, "switchboard.db"))
		defer func() { _ = s.Close() }()
		backups := filepath.Join(dir, "backups")
		if err := os.MkdirAll(filepath.Join(backups, "sub"), 0o700); err != nil {
			t.Fatal(err)
		}
		blocked := filepath.Join(dir, "file")
		if err := os.WriteFile(blocked, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		link := filepath.Join(dir, "link")
		if err := os.Symlink(blocked, link); err != nil {
			t.Skip(err)
		}
		told := make(chan error, 20)
		c := store.NewCare(s, store.CareOptions{Backups: link, Told: func(err error) { told <- err }})
		ctx, stop := context.WithCancel(t.Context())
		go c.Run(ctx) //nolint:errcheck // ends with the test
		time.Sleep(50 * time.Minute)
		synctest.Wait()
		if len(told) != 1 || <-told == nil {
			t.Fatalf("told %d times", len(told))
		}
		if err := os.Remove(link); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(backups, link); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		if len(told) != 1 || <-told != nil {
			t.Errorf("told %d times", len(told))
		}
		stop()
		synctest.Wait()
	})
}

// TestCareAfterTheClockWasAhead: backups of a time that is yet to come do not stand
// for those of the nights until then, nor push them out.
func TestCareAfterTheClockWasAhead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := openAt(t, filepath.Join(dir, "switchboard.db"))
		defer func() { _ = s.Close() }()
		backups := filepath.Join(dir, "backups")
		if err := os.MkdirAll(backups, 0o700); err != nil {
			t.Fatal(err)
		}
		for day := range 7 {
			name := time.Now().AddDate(1, 0, day).Format("switchboard-20060102-150405.db")
			if err := os.WriteFile(filepath.Join(backups, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		c := store.NewCare(s, store.CareOptions{Backups: backups})
		ctx, stop := context.WithCancel(t.Context())
		go c.Run(ctx) //nolint:errcheck // ends with the test
		time.Sleep(72*time.Hour + time.Minute)
		synctest.Wait()
		all, err := store.Backups(backups)
		if err != nil || len(all) != 7 {
			t.Fatalf("%v, %v", all, err)
		}
		now := 0
		for _, b := range all {
			if b.At.Before(time.Now()) {
				now++
			}
		}
		if now != 4 { // of the start and of three nights
			t.Errorf("%d of %v are of these days", now, all)
		}
		stop()
		synctest.Wait()
	})
}

func TestStatistics(t *testing.T) {
	t.Parallel()
	s := openAt(t, filepath.Join(t.TempDir(), "switchboard.db"))
	fill(t, s, 3)
	if _, err := s.PersonOf(t.Context(), bridge.Identity{Platform: "feishu", User: "u"}); err != nil {
		t.Fatal(err)
	}
	settle(t, s, claimAll(t, s)[0])
	st, err := s.Statistics(t.Context())
	if err != nil || st.Engine != "sqlite" || st.Jobs != 3 || st.Open != 2 || st.People != 1 || st.Lanes != 3 || st.Bytes < 4096 || st.Schema < 5 ||
		time.Since(st.Oldest) > time.Hour {
		t.Errorf("%+v, %v", st, err)
	}
}

// TestCareFollowsTheSettings: shorter times are kept to within a minute, not only
// from the next night on.
func TestCareFollowsTheSettings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(dir, "switchboard.db")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		var content atomic.Int64
		rounds := make(chan error, 100)
		care := store.NewCare(s, store.CareOptions{
			Backups: filepath.Join(dir, "backups"), Told: func(err error) { rounds <- err },
			Keep: func() (time.Duration, time.Duration) { return time.Duration(content.Load()), 0 },
		})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go care.Run(ctx) //nolint:errcheck // ends with the test
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		before := len(rounds)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if len(rounds) != before {
			t.Errorf("%d rounds without a reason", len(rounds)-before)
		}
		content.Store(int64(time.Hour))
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if len(rounds) != before+1 {
			t.Errorf("%d rounds after a change", len(rounds)-before)
		}
	})
}
