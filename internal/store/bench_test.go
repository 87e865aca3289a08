package store_test

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/store"
)

func open(tb testing.TB) *store.Store {
	tb.Helper()
	return openAt(tb, filepath.Join(tb.TempDir(), "switchboard.db"))
}

func question(n int64) bridge.NewJob {
	id := bridge.MessageID(fmt.Sprintf("om_%032x", n*7919))
	lane := fmt.Sprintf("p:p_%026d:helpdesk", n%200)
	return bridge.NewJob{Queue: "helpdesk", Lane: lane, Message: bridge.Message{
		ID: id, Bot: "main", Platform: "feishu", Chat: bridge.Chat{ID: "oc_0123456789abcdef", Kind: bridge.Direct},
		Sender: bridge.Sender{ID: "ou_0123456789abcdef", Tenant: "t1", Name: "张三", Alias: map[string]string{"union_id": "on_x"}},
		SentAt: time.Now(), Text: "请问今年的年假还剩几天？怎么申请跨年休假？",
		Address: bridge.Address{Bot: "main", Chat: "oc_0123456789abcdef", Kind: bridge.Direct, User: "ou_0123456789abcdef", ReplyTo: id},
	}}
}

func BenchmarkAccept1(b *testing.B) {
	s := open(b)
	var n int64
	for b.Loop() {
		n++
		if _, err := s.Accept(b.Context(), []bridge.NewJob{question(n)}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAccept64(b *testing.B) {
	s := open(b)
	var n atomic.Int64
	b.SetParallelism(32) // times GOMAXPROCS
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.Accept(b.Context(), []bridge.NewJob{question(n.Add(1))}); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "accepts/s")
}

// BenchmarkTrip is what the store does for one question from its acceptance to
// the end: 64 conversations at a time.
func BenchmarkTrip(b *testing.B) {
	s := open(b)
	var n atomic.Int64
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			q := question(n.Add(1))
			q.Queue, q.Lane = string(q.Message.ID), "p:"+string(q.Message.ID)+":helpdesk"
			accepted, err := s.Accept(b.Context(), []bridge.NewJob{q})
			if err != nil {
				b.Error(err)
				return
			}
			for _, state := range []bridge.ReplyState{bridge.ReplyPlanned, bridge.ReplyDrafting, bridge.ReplyAnswered, bridge.ReplyDelivered} {
				if err := s.SaveReply(b.Context(), bridge.Reply{JobID: accepted[0].JobID, State: state, Text: "您今年还剩 5 天年假。"}); err != nil {
					b.Error(err)
				}
			}
			jobs, err := s.Claim(b.Context(), "node", q.Queue, 1, time.Minute)
			if err != nil || len(jobs) != 1 {
				b.Errorf("claimed %d, %v", len(jobs), err)
				return
			}
			if _, err := s.Settle(b.Context(), "node", bridge.Settlement{JobID: jobs[0].ID, Attempt: 1, State: bridge.JobCompleted}); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "trips/s")
}

func BenchmarkPersonOf(b *testing.B) {
	s := open(b)
	who := bridge.Identity{Platform: "feishu", Tenant: "t", User: "u", Name: "张三"}
	for b.Loop() {
		if _, err := s.PersonOf(b.Context(), who); err != nil {
			b.Fatal(err)
		}
	}
}
