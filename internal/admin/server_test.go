package admin_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"switchboard/internal/admin"
	"switchboard/internal/bridge"
)

const token = "right-token"

func setup(change func(*admin.Options)) *admin.Server {
	o := admin.Options{
		Token: bridge.NewSecret(token), Loopback: true, MetricsType: "text/x-metrics", Log: slog.New(slog.DiscardHandler),
		Health:  func() any { return map[string]string{"status": "ok"} },
		Ready:   func() bool { return true },
		Metrics: func(_ context.Context, w io.Writer) error { _, err := io.WriteString(w, "a 1\n"); return err },
		Status:  func(context.Context) (any, error) { return map[string]int{"received": 7}, nil },
		Show:    func() bool { return true },
		API: map[string]http.HandlerFunc{"POST /api/v1/things/{id}": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "thing "+r.PathValue("id"))
		}},
	}
	change(&o)
	return admin.New(o)
}

func same(*admin.Options) {}

func ask(s *admin.Server, method, path string, header map[string]string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	r.Host = "127.0.0.1:8781"
	for key, value := range header {
		if key == "Host" {
			r.Host = value
			continue
		}
		r.Header.Set(key, value)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func bearer(value string) map[string]string { return map[string]string{"Authorization": value} }

func TestPages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, path string
		header       map[string]string
		status       int
		body         string
	}{
		{"GET", "/healthz", nil, 200, `{"status":"ok"}`},
		{"GET", "/readyz", nil, 200, "ready"},
		{"GET", "/metrics", bearer("Bearer " + token), 200, "a 1"},
		{"GET", "/api/v1/status", bearer("bearer  " + token), 200, `{"received":7}`},
		{"POST", "/api/v1/show", bearer("Bearer " + token), 204, ""},
		{"GET", "/api/v1/show", bearer("Bearer " + token), 405, ""},
		{"POST", "/api/v1/things/a%2Fb", bearer("Bearer " + token), 200, "thing a/b"},
		{"POST", "/api/v1/things/7", nil, 401, "missing or wrong"},
		{"POST", "/api/v1/things/7", bearer("Bearer wrong"), 401, ""},
		{"GET", "/api/v1/things/7", bearer("Bearer " + token), 405, ""},
		{"GET", "/", bearer("Bearer " + token), 404, ""},
		{"GET", "/hook/b1", nil, 404, ""},
		{"GET", "/metrics", nil, 401, "missing or wrong"},
		{"GET", "/api/v1/status", bearer("Bearer wrong"), 401, ""},
		{"GET", "/api/v1/status", bearer("Bearer "), 401, ""},
		{"GET", "/api/v1/status", bearer("Basic " + token), 401, ""},
		{"GET", "/api/v1/status", bearer(token), 401, ""},
		{"GET", "/api/v1/status?token=" + token, nil, 401, ""},
		{"POST", "/api/v1/show", bearer("Bearer " + token + "x"), 401, ""},
	} {
		w := ask(setup(same), c.method, c.path, c.header)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.body) {
			t.Errorf("%s %s %v: %d %q, want %d %q", c.method, c.path, c.header, w.Code, w.Body, c.status, c.body)
		}
	}
}

// TestOtherPages: no page of somebody else reaches anything, not even with the
// token or what is open to all.
func TestOtherPages(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		header map[string]string
		status int
	}{
		"another site":         {map[string]string{"Origin": "https://evil.example"}, 403},
		"a sandboxed page":     {map[string]string{"Origin": "null"}, 403},
		"another port":         {map[string]string{"Origin": "http://127.0.0.1:3000"}, 403},
		"fetched cross-site":   {map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		"fetched same-site":    {map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		"rebound name":         {map[string]string{"Host": "evil.example:8781"}, 403},
		"rebound name, origin": {map[string]string{"Host": "evil.example:8781", "Origin": "http://evil.example:8781"}, 403},
		"another address":      {map[string]string{"Host": "192.0.2.1"}, 403},
		"no host":              {map[string]string{"Host": ""}, 403},
		"our own page":         {map[string]string{"Origin": "http://127.0.0.1:8781", "Sec-Fetch-Site": "same-origin"}, 200},
		"typed by the admin":   {map[string]string{"Sec-Fetch-Site": "none"}, 200},
		"by name":              {map[string]string{"Host": "localhost:8781"}, 200},
		"IPv6":                 {map[string]string{"Host": "[::1]:8781"}, 200},
		"without a port":       {map[string]string{"Host": "127.0.0.1"}, 200},
	} {
		for path, method := range map[string]string{"/healthz": "GET", "/api/v1/status": "GET", "/api/v1/things/7": "POST"} {
			c.header["Authorization"] = "Bearer " + token
			if w := ask(setup(same), method, path, c.header); w.Code != c.status || w.Header().Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s: %s is %d, want %d", name, path, w.Code, c.status)
			}
		}
	}
	outside := setup(func(o *admin.Options) { o.Loopback = false })
	if w := ask(outside, "GET", "/healthz", map[string]string{"Host": "ops.example"}); w.Code != 200 {
		t.Errorf("beyond loopback its own name is %d", w.Code)
	}
	if w := ask(outside, "GET", "/healthz", map[string]string{"Host": "", "Origin": "null"}); w.Code != 403 {
		t.Errorf("a page without an origin is %d", w.Code)
	}
}

func TestTroubles(t *testing.T) {
	t.Parallel()
	right := bearer("Bearer " + token)
	for _, c := range []struct {
		change func(*admin.Options)
		method string
		path   string
		header map[string]string
		status int
	}{
		{func(o *admin.Options) { o.Ready = func() bool { return false } }, "GET", "/readyz", nil, 503},
		{func(o *admin.Options) { o.Show = func() bool { return false } }, "POST", "/api/v1/show", right, 409},
		{func(o *admin.Options) {
			o.Status = func(context.Context) (any, error) { return nil, errors.New("hunter2") }
		}, "GET", "/api/v1/status", right, 500},
		{func(o *admin.Options) { o.Token = bridge.Secret{} }, "GET", "/metrics", bearer("Bearer "), 401},
	} {
		if w := ask(setup(c.change), c.method, c.path, c.header); w.Code != c.status || strings.Contains(w.Body.String(), "hunter2") {
			t.Errorf("%s %s: %d %q, want %d", c.method, c.path, w.Code, w.Body, c.status)
		}
	}
}

// TestShow goes over a real socket, as a second start of the program does.
func TestShow(t *testing.T) {
	t.Parallel()
	shown, there := 0, true
	s := setup(func(o *admin.Options) { o.Show = func() bool { shown++; return there } })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	addr := l.Addr().String()
	if err := admin.Show(t.Context(), addr, bridge.NewSecret(token)); err != nil || shown != 1 {
		t.Errorf("%v, shown %d", err, shown)
	}
	if err := admin.Show(t.Context(), addr, bridge.NewSecret("wrong")); bridge.KindOf(err) != bridge.KindUnavailable || shown != 1 {
		t.Errorf("a wrong token is %v, shown %d", err, shown)
	}
	there = false
	if err := admin.Show(t.Context(), addr, bridge.NewSecret(token)); bridge.KindOf(err) != bridge.KindUnsupported {
		t.Errorf("without a window it is %v", err)
	}
	resp, err := http.Get("http://" + addr + "/healthz")
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Error(resp, err)
	} else {
		_ = resp.Body.Close()
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := admin.Show(t.Context(), addr, bridge.NewSecret(token)); bridge.KindOf(err) != bridge.KindUnavailable {
		t.Errorf("nobody there is %v", err)
	}
}

// TestDiagnostics: the file arrives whole, or it is said why there is none; half a
// file is an error.
func TestDiagnostics(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		token string
		write func(io.Writer) error
		want  bridge.Kind
	}{
		{"whole", token, func(w io.Writer) error { _, err := io.WriteString(w, "PK and so on"); return err }, ""},
		{"gives something away", token, func(io.Writer) error { return &bridge.Error{Kind: bridge.KindBlocked} }, bridge.KindBlocked},
		{"broken", token, func(io.Writer) error { return errors.New("no room") }, bridge.KindUnavailable},
		{"half", token, func(w io.Writer) error { _, _ = io.WriteString(w, "PK"); return errors.New("no room") }, bridge.KindUnavailable},
		{"stranger", "guess", func(io.Writer) error { t.Error("asked without the token"); return nil }, bridge.KindUnavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(setup(func(o *admin.Options) {
				o.Diagnostics = func(_ context.Context, w io.Writer) error { return c.write(w) }
			}))
			defer s.Close()
			var got bytes.Buffer
			err := admin.Diagnostics(t.Context(), s.Listener.Addr().String(), bridge.NewSecret(c.token), &got)
			if c.want == "" && (err != nil || got.String() != "PK and so on") || c.want != "" && bridge.KindOf(err) != c.want {
				t.Errorf("got %q, %v", got.String(), err)
			}
		})
	}
}
