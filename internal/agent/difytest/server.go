package difytest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"
)

const (
	// anybody is the user of requests that name none.
	anybody = "DEFAULT-USER"
	// maxUser is how long the name of a user may be, in the server's database.
	maxUser = 255
)

// Server is a Dify server. Make one with New.
type Server struct {
	*httptest.Server

	tb testing.TB

	mu     sync.Mutex
	next   int
	tenant string
	apps   map[string]*app // by key
	files  map[string]*File
	asked  []Question
	rated  []Rating
}

// New starts a server with some apps, one if none is named; it ends with the test.
func New(tb testing.TB, apps ...App) *Server {
	tb.Helper()
	s := &Server{tb: tb, apps: map[string]*app{}, files: map[string]*File{}}
	s.tenant = s.id()
	if len(apps) == 0 {
		apps = []App{{}}
	}
	for _, a := range apps {
		made := s.newApp(a)
		s.apps[made.Key] = made
	}
	mux := http.NewServeMux()
	for path, methods := range s.routes() {
		mux.HandleFunc(path, s.choose(methods))
	}
	mux.HandleFunc("/", noPage)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Version", "1.16.0")
		w.Header().Set("X-Env", "PRODUCTION")
		w.Header().Set("Vary", "Cookie")
		mux.ServeHTTP(w, r)
	}))
	tb.Cleanup(s.Close)
	return s
}

// Edit changes an app while the server runs, as its owner may. Its parameters stay.
func (s *Server) Edit(key string, change func(*App)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.apps[key].App)
}

// Asked returns the questions so far.
func (s *Server) Asked() []Question {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Question(nil), s.asked...)
}

// Rated returns what messages were rated, in order.
func (s *Server) Rated() []Rating {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Rating(nil), s.rated...)
}

// Names returns the names of the conversations with a user.
func (s *Server) Names(user string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, a := range s.apps {
		for _, t := range a.sorted(user) {
			all = append(all, t.name)
		}
	}
	return all
}

// Kept returns what each question of a user is kept to be answered with, as far as
// there are messages.
func (s *Server) Kept(user string) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]string{}
	for _, a := range s.apps {
		for _, m := range a.messages {
			if m.user == user {
				all[m.query] = m.answer
			}
		}
	}
	return all
}

// call is a request to an app.
type call struct {
	http.ResponseWriter
	r *http.Request

	app  *app
	user string
	body object
}

// from is where a request names its user.
type from int

const (
	nowhere from = iota
	fromBody
	fromQuery
	fromForm
)

type route struct {
	user   from
	must   bool // name the user
	handle func(*call)
}

func (s *Server) routes() map[string]map[string]route {
	return map[string]map[string]route{
		"/v1/info":                                      {"GET": {handle: s.info}},
		"/v1/parameters":                                {"GET": {handle: s.parameters}},
		"/v1/meta":                                      {"GET": {handle: s.meta}},
		"/v1/site":                                      {"GET": {handle: s.site}},
		"/v1/chat-messages":                             {"POST": {fromBody, true, s.chat}},
		"/v1/completion-messages":                       {"POST": {fromBody, true, s.complete}},
		"/v1/workflows/run":                             {"POST": {fromBody, true, s.work}},
		"/v1/workflows/run/{run}":                       {"GET": {handle: flowing(s.outcome)}},
		"/v1/chat-messages/{task}/stop":                 {"POST": {fromBody, true, talking(s.stop)}},
		"/v1/completion-messages/{task}/stop":           {"POST": {fromBody, true, of(s.stop, wrongApp, completion)}},
		"/v1/workflows/tasks/{task}/stop":               {"POST": {fromBody, true, of(s.stop, notWorkflow, workflow)}},
		"/v1/workflow/{run}/events":                     {"GET": {fromQuery, true, flowing(s.events)}},
		"/v1/form/human_input/{token}":                  {"GET": {handle: s.showForm}, "POST": {fromBody, true, s.decide}},
		"/v1/messages":                                  {"GET": {fromQuery, false, talking(s.listMessages)}},
		"/v1/messages/{uuid}/feedbacks":                 {"POST": {fromBody, true, s.rate}},
		"/v1/messages/{uuid}/suggested":                 {"GET": {fromQuery, true, talking(s.suggest)}},
		"/v1/app/feedbacks":                             {"GET": {handle: s.listRatings}},
		"/v1/conversations":                             {"GET": {fromQuery, false, talking(s.listTalks)}},
		"/v1/conversations/{uuid}":                      {"DELETE": {fromBody, false, talking(s.forget)}},
		"/v1/conversations/{uuid}/name":                 {"POST": {fromBody, false, talking(s.rename)}},
		"/v1/conversations/{uuid}/variables":            {"GET": {fromQuery, false, talking(s.variables)}},
		"/v1/conversations/{uuid}/variables/{variable}": {"PUT": {fromBody, false, talking(s.setVariable)}},
		"/v1/files/upload":                              {"POST": {fromForm, false, s.upload}},
		"/v1/files/{uuid}/preview":                      {"GET": {fromQuery, false, s.preview}},
		"/v1/audio-to-text":                             {"POST": {fromForm, false, s.listen}},
		"/v1/text-to-audio":                             {"POST": {fromBody, false, s.voice}},
		"/files/{uuid}/file-preview":                    {"GET": {handle: s.signed}},
	}
}

// choose answers requests for one path, in the order in which a server looks at
// them: the path, the method, the key, the user.
func (s *Server) choose(methods map[string]route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		here, allowed := methods[r.Method]
		switch id := r.PathValue("uuid"); {
		case id != "" && !isID(id):
			noPage(w, r)
			return
		case !allowed:
			(&Refusal{http.StatusMethodNotAllowed, "method_not_allowed", "The method is not allowed for the requested URL."}).send(w)
			return
		}
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Expose-Headers", "X-Env, X-Trace-Id, X-Version")
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client has left
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		c := &call{ResponseWriter: w, r: r}
		if strings.HasPrefix(r.URL.Path, "/files/") { // signed, so without a key
			here.handle(c)
		} else if refusal := s.admit(c, here, body); refusal != nil {
			refusal.send(w)
		} else {
			here.handle(c)
		}
	}
}

// admit finds out who asks.
func (s *Server) admit(c *call, here route, body []byte) *Refusal {
	scheme, key, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	c.app = s.apps[key]
	switch {
	case !strings.EqualFold(scheme, "Bearer"):
		c.Header().Set("WWW-Authenticate", `Bearer realm="api"`)
		return &Refusal{http.StatusUnauthorized, "unauthorized", "Authorization header must be provided and start with 'Bearer'"}
	case c.app == nil:
		c.Header().Set("WWW-Authenticate", `Bearer realm="api"`)
		return &Refusal{http.StatusUnauthorized, "unauthorized", "Access token is invalid"}
	}
	c.r.Body = io.NopCloser(strings.NewReader(string(body)))
	switch here.user {
	case fromBody:
		if refusal := c.read(body); refusal != nil {
			return refusal
		}
		if v := c.body.get("user"); v != nil {
			c.user = fmt.Sprint(v)
		}
	case fromQuery:
		c.user = c.r.URL.Query().Get("user")
	case fromForm:
		c.user = c.r.FormValue("user")
	case nowhere:
	}
	if c.user == "" && here.must {
		return invalidParam("Arg user must be provided.")
	}
	if c.user == "" {
		c.user = anybody
	}
	if utf8.RuneCountInString(c.user) > maxUser {
		return &Refusal{http.StatusInternalServerError, "unknown", "Internal Server Error"}
	}
	return nil
}

// read decodes a body.
func (c *call) read(body []byte) *Refusal {
	if !strings.HasPrefix(c.r.Header.Get("Content-Type"), "application/json") {
		return &Refusal{http.StatusUnsupportedMediaType, "unsupported_media_type", "Did not attempt to load JSON data because the request Content-Type was not 'application/json'."}
	}
	v, err := parse(body)
	if err != nil {
		return badRequest("The browser (or proxy) sent a request that this server could not understand.")
	}
	c.body, _ = v.(object)
	return nil
}

// field is a text in the body, "" if there is none.
func (c *call) field(name string) string {
	text, _ := c.body.get(name).(string)
	return text
}

func (s *Server) id() string {
	s.next++
	return fmt.Sprintf("22222222-3333-4444-8555-%012d", s.next)
}

func isID(id string) bool {
	return regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(id)
}

func now() int64 { return time.Now().Unix() }

func (*Server) info(c *call) {
	say(c, http.StatusOK, object{"name", c.app.Name, "description", "d", "tags", []any{}, "mode", c.app.Mode, "author_name", "Admin"})
}

func (*Server) parameters(c *call) {
	c.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprint(c, c.app.Parameters)
}

func (*Server) meta(c *call) {
	var icons object
	for tool, address := range c.app.Icons {
		icons = icons.with(tool, address)
	}
	say(c, http.StatusOK, object{"tool_icons", icons})
}

func (*Server) site(c *call) {
	say(c, http.StatusOK, object{
		"title", c.app.Name, "chat_color_theme", nil, "chat_color_theme_inverted", false, "icon_type", "emoji", "icon", "🤖", "icon_background", "#FFEAD5",
		"description", nil, "copyright", nil, "privacy_policy", nil, "input_placeholder", nil, "custom_disclaimer", "", "default_language", "en-US",
		"show_workflow_steps", true, "use_icon_as_answer_icon", false, "icon_url", nil,
	})
}

// decode reads a part of a body.
func decode(v, into any) error {
	if err := json.Unmarshal([]byte(compact(v)), into); err != nil {
		return fmt.Errorf("difytest: %w", err)
	}
	return nil
}
