package tunneltest

import (
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"golang.ngrok.com/muxado/v2"
)

// session is one connected agent.
type session struct {
	edge   *Edge
	conn   *stall
	mux    muxado.TypedStreamSession
	cookie string
}

func (e *Edge) accept() {
	for {
		conn, err := e.agents.Accept()
		if err != nil {
			return
		}
		e.wg.Go(func() { e.talk(conn) })
	}
}

// talk is the life of one agent's connection.
func (e *Edge) talk(conn net.Conn) {
	s := &session{edge: e, conn: newStall(conn)}
	secure := tls.Server(s.conn, e.public.TLS.Clone())
	// The heartbeat is never started: the edge answers those of the agent.
	s.mux = muxado.NewHeartbeat(muxado.NewTypedStreamSession(muxado.Server(secure, nil)), func(time.Duration, bool) {}, nil)
	e.mu.Lock()
	e.sessions[s] = true
	if e.mute {
		s.conn.freeze()
	}
	e.mu.Unlock()
	for {
		stream, err := s.mux.AcceptTypedStream()
		if err != nil {
			break
		}
		e.wg.Go(func() { s.answer(stream) })
	}
	_ = s.mux.Close()
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.sessions, s)
	e.binds = slices.DeleteFunc(e.binds, func(b *bind) bool { return b.session == s })
}

func (s *session) answer(stream muxado.TypedStream) {
	defer func() { _ = stream.Close() }()
	in, out := json.NewDecoder(stream), json.NewEncoder(stream)
	switch stream.StreamType() {
	case typeAuth:
		var a Auth
		if in.Decode(&a) == nil {
			_ = out.Encode(s.auth(a))
		}
	case typeBind:
		var b Bind
		if in.Decode(&b) == nil {
			_ = out.Encode(s.bind(b))
		}
	case typeUnbind:
		var u unbind
		if in.Decode(&u) == nil {
			s.unbind(u.ID)
			_ = out.Encode(unbindAnswer{})
		}
	case typeServerInfo:
		_ = out.Encode(serverInfo{Region: "test"})
	}
}

func (s *session) auth(a Auth) authAnswer {
	e := s.edge
	e.mu.Lock()
	defer e.mu.Unlock()
	e.auths = append(e.auths, a)
	if r, refused := e.refusal(typeAuth); refused {
		return authAnswer{Error: r.text()}
	}
	s.cookie = a.Extra.Cookie
	if s.cookie == "" {
		e.count++
		s.cookie = fmt.Sprintf("cookie-%d", e.count)
	}
	return authAnswer{Version: "3", Extra: authAnswerExtra{Region: "test", PlanName: Plan, AgentSessionID: "session", Cookie: s.cookie}}
}

// bind brings an endpoint online. One URL belongs to one session, unless all
// that ask for it pool; a session that was connected before takes its endpoint
// over.
func (s *session) bind(b Bind) bindAnswer {
	e := s.edge
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked = append(e.asked, b)
	if r, refused := e.refusal(typeBind); refused {
		return bindAnswer{Error: r.text()}
	}
	e.count++
	made := &bind{Bind: b, url: b.Opts.URL, token: b.Extra.Token, session: s}
	if made.url == "" {
		made.url = fmt.Sprintf("https://assigned-%d.edge.test", e.count)
	}
	if made.token == "" {
		made.token = fmt.Sprintf("token-%d", e.count)
	}
	if made.ID == "" {
		made.ID = fmt.Sprintf("bind-%d", e.count)
	}
	e.binds = slices.DeleteFunc(e.binds, func(old *bind) bool { return old.token == made.token })
	for _, other := range e.binds {
		if other.url == made.url && (!other.Extra.PoolingEnabled || !b.Extra.PoolingEnabled) {
			return bindAnswer{Error: Refusal{"ERR_NGROK_334", "The endpoint '" + made.url + "' is already online."}.text()}
		}
	}
	e.binds = append(e.binds, made)
	return bindAnswer{ID: made.ID, URL: made.url, Proto: b.Proto, Opts: BindOptions{made.url, b.Opts.TrafficPolicy}, Extra: bindAnswerExtra{Token: made.token, TunnelID: "tn_" + made.ID}}
}

func (s *session) unbind(id string) {
	s.edge.mu.Lock()
	defer s.edge.mu.Unlock()
	s.edge.binds = slices.DeleteFunc(s.edge.binds, func(b *bind) bool { return b.session == s && b.ID == id })
}

// open begins a public connection.
func (s *session) open(b *bind) (net.Conn, error) {
	stream, err := s.mux.OpenTypedStream(typeProxy)
	if err != nil {
		return nil, err
	}
	header, err := json.Marshal(proxyHeader{ID: b.ID, ClientAddr: "203.0.113.7:4711", Proto: "https", EdgeType: "3"})
	if err != nil {
		return nil, err
	}
	if err := binary.Write(stream, binary.LittleEndian, int64(len(header))); err != nil {
		return nil, err
	}
	if _, err := stream.Write(header); err != nil {
		return nil, err
	}
	return stream, nil
}

func (s *session) stop(b *bind, r Refusal) error {
	stream, err := s.mux.OpenTypedStream(typeStopEndpoint)
	if err != nil {
		return err
	}
	defer func() { _ = stream.Close() }()
	return json.NewEncoder(stream).Encode(stopEndpoint{ID: b.ID, Message: r.Text, ErrorCode: r.Code})
}

// stall is a connection that can go dead without being closed.
type stall struct {
	net.Conn
	frozen, closed chan struct{}
	freezing       sync.Once
	closing        sync.Once
}

func newStall(conn net.Conn) *stall {
	return &stall{Conn: conn, frozen: make(chan struct{}), closed: make(chan struct{})}
}

func (c *stall) freeze() { c.freezing.Do(func() { close(c.frozen) }) }

// Read implements net.Conn. What arrives on a frozen connection is lost.
func (c *stall) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	select {
	case <-c.frozen:
		<-c.closed
		return 0, net.ErrClosed
	default:
		return n, err
	}
}

// Write implements net.Conn. On a frozen connection it does not return.
func (c *stall) Write(p []byte) (int, error) {
	select {
	case <-c.frozen:
		<-c.closed
		return 0, net.ErrClosed
	default:
		return c.Conn.Write(p)
	}
}

// Close implements net.Conn.
func (c *stall) Close() error {
	c.closing.Do(func() { close(c.closed) })
	return c.Conn.Close()
}
