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
