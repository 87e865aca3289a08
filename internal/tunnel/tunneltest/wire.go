package tunneltest

// The types of streams, in the SDK's numbering.
const (
	typeAuth         = 0
	typeBind         = 1
	typeUnbind       = 2
	typeProxy        = 3
	typeServerInfo   = 8
	typeStopEndpoint = 9
)

// Auth is what an agent says when it connects, as far as tests look at it.
type Auth struct {
	Extra struct {
		Authtoken, Cookie, UserAgent          string
		HeartbeatInterval, HeartbeatTolerance int64 // nanoseconds
	}
}

type authAnswer struct {
	Version string
	// ClientId stays empty: when it changes, version 2.4.0 of the SDK has a data
	// race with its own heartbeat.
	ClientID string `json:"ClientId"`
	Error    string
	Extra    authAnswerExtra
}

type authAnswerExtra struct {
	Region, PlanName, AgentSessionID, Cookie string
}

// Bind is an agent's request for an endpoint.
type Bind struct {
	ID    string `json:"Id"`
	Proto string
	Opts  BindOptions
	Extra struct {
		Token, Description string
		PoolingEnabled     bool
	}
}

// BindOptions are the options of an HTTP endpoint.
type BindOptions struct{ URL, TrafficPolicy string }

type bindAnswer struct {
	ID    string `json:"Id"`
	URL   string
	Proto string
	Opts  BindOptions // the agent repeats them when it reconnects
	Error string
	Extra bindAnswerExtra
}

type bindAnswerExtra struct{ Token, TunnelID string }

type unbind struct {
	ID string `json:"Id"`
}

type unbindAnswer struct{ Error string }

type serverInfo struct{ Region string }

type proxyHeader struct {
	ID                          string `json:"Id"`
	ClientAddr, Proto, EdgeType string
	PassthroughTLS              bool
}

type stopEndpoint struct {
	ID                 string `json:"Id"`
	Message, ErrorCode string
}
