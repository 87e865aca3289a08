package simulator

import (
	"hash/fnv"
	"math"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"switchboard/internal/bridge"
)

// dice decides which occasions a fault strikes. The n-th occasion of a fault on
// a platform has the same outcome for the same seed, whatever else happens.
type dice struct {
	mu       sync.Mutex
	seed     uint64
	troubles []Trouble
	thrown   map[string]uint64
}

func (d *dice) load(f Faults) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seed, d.troubles, d.thrown = f.Seed, f.troubles(), map[string]uint64{}
	for i := range d.troubles {
		if d.troubles[i].Next > 0 {
			d.troubles[i].Chance = 0 // nothing strikes after that many
		}
	}
}

// strike says whether a fault strikes now, and how.
func (d *dice) strike(p bridge.Platform, f Fault) (Trouble, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.troubles {
		t := &d.troubles[i]
		if t.Fault != f || t.Platform != "" && t.Platform != p {
			continue
		}
		if t.Next > 0 {
			t.Next--
			return *t, true
		}
		if d.throw(i, p) < t.Chance {
			return *t, true
		}
	}
	return Trouble{}, false
}

// throw returns the next number from 0 to 1 of a trouble on a platform. d.mu is held.
func (d *dice) throw(trouble int, p bridge.Platform) float64 {
	key := strconv.Itoa(trouble) + ":" + string(p)
	d.thrown[key]++
	h := fnv.New64a()
	_, _ = h.Write([]byte(key + ":" + strconv.FormatUint(d.seed, 10) + ":" + strconv.FormatUint(d.thrown[key], 10)))
	return float64(mix(h.Sum64())>>11) / (1 << 53)
}

// mix spreads the differences of similar texts over all bits.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// SetFaults switches troubles on, in place of those before; the zero Faults
// switches them off.
func (s *Simulator) SetFaults(f Faults) {
	s.dice.load(f)
	if f.Expire {
		for _, t := range []*tokens{&s.feishu.tokens, &s.wecom.tokens, &s.ding.tokens} {
			t.expire()
		}
	}
}

// call wraps an API: it is counted, and the troubles of every call strike.
func (s *Simulator) call(p bridge.Platform, name string, t *tokens, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.count(string(p) + " " + name)
		if slow, yes := s.dice.strike(p, FaultSlow); yes && !s.rest(r, slow.For) {
			return
		}
		if _, yes := s.dice.strike(p, FaultReset); yes {
			reset(w)
			return
		}
		if _, yes := s.dice.strike(p, FaultFail); yes {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusBadGateway)
			_, _ = w.Write([]byte("<html><body><h1>502 Bad Gateway</h1></body></html>"))
			return
		}
		if _, yes := s.dice.strike(p, FaultExpire); yes {
			t.expire()
		}
		h(w, r)
	}
}

// rest waits; false when the caller hung up or the simulator ends.
func (s *Simulator) rest(r *http.Request, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	case <-s.closing:
		return false
	}
}

// reset ends a connection the hard way: the caller sees "connection reset".
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // net/http closes the connection without an answer
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // it is lost anyway
	}
	_ = conn.Close() // it is lost anyway
}

// breakOff resets the connection if it is to break now.
func (s *Simulator) breakOff(w http.ResponseWriter, p bridge.Platform) bool {
	_, yes := s.dice.strike(p, FaultBreak)
	if yes {
		reset(w)
	}
	return yes
}

// seconds rounds up, as in the headers of the platforms.
func seconds(d time.Duration) string { return strconv.Itoa(int(math.Ceil(d.Seconds()))) }
