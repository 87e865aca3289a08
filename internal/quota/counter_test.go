package quota_test

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/quota"
)

// ask takes n questions and returns how many were not refused.
func ask(c *quota.Counter, person string, n int) int {
	good := 0
	for range n {
		if _, over := c.Take(person); !over {
			good++
		}
	}
	return good
}

func TestPerMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := quota.New(quota.Limits{PerMinute: 3})
		begun := time.Now()
		for range 3 {
			if ask(c, "a", 1) != 1 {
				t.Error("refused within the limit")
			}
			time.Sleep(10 * time.Second)
		}
		r, over := c.Take("a")
		if !over || r.Which != quota.Minute || r.Limit != 3 || !r.Until.Equal(begun.Add(time.Minute)) || r.Silent {
			t.Errorf("got %+v, %v", r, over)
		}
		if ask(c, "b", 1) != 1 {
			t.Error("one person's limit is another's")
		}
		time.Sleep(time.Until(r.Until) - time.Nanosecond)
		if ask(c, "a", 1) != 0 {
			t.Error("answered before the time it named")
		}
		time.Sleep(time.Nanosecond)
		if n := ask(c, "a", 5); n != 1 {
			t.Errorf("%d questions at the time it named, want the one that is free", n)
		}
		time.Sleep(time.Minute)
		if n := ask(c, "a", 5); n != 3 {
			t.Errorf("%d questions after a minute's rest", n)
		}
	})
}

func TestPerDay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := quota.New(quota.Limits{PerDay: 2, PerMinute: 1})
		if ask(c, "a", 1) != 1 {
			t.Error("refused")
		}
		time.Sleep(time.Hour)
		ask(c, "a", 1)
		r, over := c.Take("a")
		y, m, d := time.Now().Date()
		if !over || r.Which != quota.Day || !r.Until.Equal(time.Date(y, m, d+1, 0, 0, 0, 0, time.Local)) {
			t.Errorf("got %+v, %v", r, over)
		}
		time.Sleep(time.Until(r.Until))
		if ask(c, "a", 1) != 1 {
			t.Error("refused on the next day")
		}
	})
}

func TestTokens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := quota.New(quota.Limits{TokensPerDay: 100})
		c.Spend("a", 99)
		c.Spend("a", 0)
		c.Spend("a", -5)
		if ask(c, "a", 1) != 1 {
			t.Error("refused below the limit")
		}
		c.Spend("a", 1)
		if r, over := c.Take("a"); !over || r.Which != quota.Tokens || r.Limit != 100 {
			t.Errorf("got %+v, %v", r, over)
		}
		time.Sleep(24 * time.Hour)
		if ask(c, "a", 1) != 1 {
			t.Error("refused on the next day")
		}
	})
}

// TestToday tells what somebody had today, and nothing of yesterday.
func TestToday(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := quota.New(quota.Limits{})
		want := func(asked, tokens int) {
			t.Helper()
			a, n, until := c.Today("a")
			if y, m, d := time.Now().Date(); a != asked || n != tokens || !until.Equal(time.Date(y, m, d+1, 0, 0, 0, 0, time.Local)) {
				t.Errorf("%d questions, %d tokens until %s", a, n, until)
			}
		}
		want(0, 0)
		ask(c, "a", 2)
		ask(c, "b", 5)
		c.Spend("a", 7)
		want(2, 7)
		time.Sleep(24 * time.Hour)
		want(0, 0) // although nobody has asked since
	})
}

func TestUnlimited(t *testing.T) {
	t.Parallel()
	c := quota.New(quota.Limits{})
	c.Spend("a", 1<<40)
	if ask(c, "a", 10000) != 10000 {
		t.Error("refused without a limit")
	}
}

// TestToldOnce: a person hears of it at most once in ten minutes, whichever
// limit it is.
func TestToldOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := quota.New(quota.Limits{PerDay: 1})
		ask(c, "a", 1)
		told := 0
		for range 61 { // an hour, every minute
			if r, over := c.Take("a"); over && !r.Silent {
				told++
			}
			time.Sleep(time.Minute)
		}
		if told != 7 {
			t.Errorf("told %d times in an hour", told)
		}
	})
}

// saved is what Save hands over, nil when that is nothing.
func saved(t *testing.T, c *quota.Counter) (text []byte) {
	t.Helper()
	if err := c.Save(func(b []byte) error { text = b; return nil }); err != nil {
		t.Error(err)
	}
	return text
}

// TestKilled: wherever a program is killed, what was saved last and the notes
// since then are exactly what was counted; a note that was cut off was not.
func TestKilled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limits := quota.Limits{PerDay: 100, PerMinute: 100}
		c := quota.New(limits)
		var text []byte
		var lines bytes.Buffer
		c.Note(func(line []byte) { lines.Write(line) })
		for n := range 50 {
			if n == 20 { // written down, but killed before the notes were dropped
				text = saved(t, c)
			}
			ask(c, "a", 1)
			c.Spend("a", 10)
			time.Sleep(100 * time.Millisecond)
			for _, cut := range []string{"", `{"n":999,"p":"a","q":tr`} {
				again := quota.New(limits)
				if err := again.Restore(text, append(bytes.Clone(lines.Bytes()), cut...)); err != nil {
					t.Fatal(err)
				}
				if left := ask(again, "a", 200); left != 100-n-1 {
					t.Fatalf("after %d questions %d are left", n+1, left)
				}
				for spent, want := range map[int]bool{10 * (n + 1): true, 10*(n+1) + 1: false} {
					again = quota.New(quota.Limits{TokensPerDay: spent})
					if err := again.Restore(text, lines.Bytes()); err != nil {
						t.Fatal(err)
					}
					if _, over := again.Take("a"); over != want {
						t.Fatalf("after %d answers %d tokens are spent: %v", n+1, spent, over)
					}
				}
			}
		}
	})
}

// TestKilledAfterRefusal: who was told a moment ago is not told again.
func TestKilledAfterRefusal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := quota.New(quota.Limits{PerDay: 1})
		var lines bytes.Buffer
		c.Note(func(line []byte) { lines.Write(line) })
		ask(c, "a", 2)
		again := quota.New(quota.Limits{PerDay: 1})
		if err := again.Restore(nil, lines.Bytes()); err != nil {
			t.Fatal(err)
		}
		if r, over := again.Take("a"); !over || !r.Silent {
			t.Errorf("%+v, %v", r, over)
		}
		time.Sleep(24 * time.Hour)
		if ask(again, "a", 2) != 1 {
			t.Error("the next day is not a new one")
		}
	})
}

// TestKept: a restart does not begin the day anew, and another day does.
func TestKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := quota.Limits{PerMinute: 5, PerDay: 8, TokensPerDay: 100}
		c := quota.New(l)
		if text := saved(t, c); text != nil {
			t.Errorf("an empty counter has changes: %s", text)
		}
		ask(c, "a", 5)
		c.Spend("b", 100)
		c.Take("b")
		refuse := errors.New("no room")
		if err := c.Save(func([]byte) error { return refuse }); !errors.Is(err, refuse) {
			t.Error(err)
		}
		text := saved(t, c)
		if again := saved(t, c); text == nil || again != nil {
			t.Errorf("saved %s, then %s", text, again)
		}
		restart := func() *quota.Counter {
			c := quota.New(l)
			if err := c.Restore(text, nil); err != nil {
				t.Fatal(err)
			}
			return c
		}
		if n := ask(restart(), "a", 5); n != 0 {
			t.Errorf("%d questions right after a restart", n)
		}
		if r, over := restart().Take("b"); !over || !r.Silent {
			t.Errorf("after a restart b is told again: %+v, %v", r, over)
		}
		time.Sleep(time.Minute)
		if n := ask(restart(), "a", 5); n != 3 {
			t.Errorf("%d questions a minute after a restart", n)
		}
		time.Sleep(24 * time.Hour)
		if n := ask(restart(), "a", 9); n != 5 {
			t.Errorf("%d questions on the next day", n)
		}
	})
}

// TestRestoreGarbage changes nothing.
func TestRestoreGarbage(t *testing.T) {
	t.Parallel()
	c := quota.New(quota.Limits{PerDay: 1})
	ask(c, "a", 1)
	if c.Restore([]byte("{"), nil) == nil {
		t.Error("took garbage")
	}
	if ask(c, "a", 1) != 0 {
		t.Error("forgot what it knew")
	}
	if err := c.Restore([]byte(`{"people":{"b":null}}`), nil); err != nil {
		t.Error(err)
	}
	ask(c, "b", 1)
}

// TestClockSetBack: times ahead of the clock do not lock anybody out.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	c := quota.New(quota.Limits{PerMinute: 1})
	ahead := time.Now().Add(time.Hour).Format(time.RFC3339)
	if err := c.Restore(fmt.Appendf(nil, `{"day":%q,"people":{"a":{"recent":[%q],"told":%q}}}`, time.Now().Format(time.DateOnly), ahead, ahead), nil); err != nil {
		t.Fatal(err)
	}
	if ask(c, "a", 1) != 1 {
		t.Error("refused because of a time that is not yet")
	}
	if r, over := c.Take("a"); !over || r.Silent {
		t.Errorf("got %+v, %v", r, over)
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	c := quota.New(quota.Limits{PerDay: 100})
	var group sync.WaitGroup
	var mu sync.Mutex
	good := 0
	for range 8 {
		group.Go(func() {
			n := ask(c, "a", 50)
			mu.Lock()
			good += n
			mu.Unlock()
		})
	}
	group.Wait()
	if good != 100 {
		t.Errorf("%d questions passed a limit of 100", good)
	}
}

// TestOvertaken: a question that waited for its turn does not take the one that came
// in between for one of the future, which would not count.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	c := quota.New(quota.Limits{PerMinute: 3})
	var late sync.WaitGroup
	begun := false
	c.Note(func([]byte) { // while nobody else is counted
		if begun {
			return
		}
		begun = true
		late.Go(func() { ask(c, "a", 1) })
		for range 1000 {
			runtime.Gosched()
		}
	})
	ask(c, "a", 2)
	late.Wait()
	if _, over := c.Take("a"); !over {
		t.Error("three questions of a minute leave room for another one")
	}
}

// TestMidnight: what was asked in the last minute of a day counts in the first of the
// next one, and who was told of a refusal shortly before is not told again.
func TestMidnight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := quota.New(quota.Limits{PerMinute: 2})
		_, _, midnight := c.Today("a")
		time.Sleep(time.Until(midnight) - 5*time.Minute)
		ask(c, "told", 2)
		if r, over := c.Take("told"); !over || r.Silent {
			t.Errorf("got %+v, %v", r, over)
		}
		time.Sleep(time.Until(midnight) - 10*time.Second)
		ask(c, "a", 2)
		time.Sleep(20 * time.Second)
		if ask(c, "b", 1) != 1 || ask(c, "a", 1) != 0 {
			t.Error("midnight ends the minute")
		}
		ask(c, "told", 2)
		if r, over := c.Take("told"); !over || !r.Silent {
			t.Errorf("after midnight got %+v, %v", r, over)
		}
	})
}

// TestLowerLimit: who has a lower limit than before waits until enough of the
// questions are a minute old.
func TestLowerLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := quota.New(quota.Limits{PerMinute: 5})
		begun := time.Now()
		for range 5 {
			ask(c, "a", 1)
			time.Sleep(time.Second)
		}
		if r, over := c.TakeWithin("a", quota.Limits{PerMinute: 2}); !over || !r.Until.Equal(begun.Add(3*time.Second+time.Minute)) {
			t.Errorf("got %+v, %v", r, over)
		}
	})
}

// TestNoTokens: an answer cannot cost less than nothing.
func TestNoTokens(t *testing.T) {
	t.Parallel()
	c := quota.New(quota.Limits{TokensPerDay: 10})
	c.Spend("a", 10)
	c.Spend("a", -1)
	if _, tokens, _ := c.Today("a"); tokens != 10 {
		t.Errorf("%d tokens", tokens)
	}
}
