// Package tunnel gives the door a public address, so that platforms can deliver
// to a computer that has none of its own.
//
// There are three kinds. With none nothing is reachable from outside, which is
// enough for bots that keep a connection of their own. With url somebody else
// sees to the way in: a reverse proxy, or a tunnel the admin runs. With ngrok
// the tunnel is part of this program: the door answers on a listener of the
// ngrok SDK, so no request passes through a local port.
//
// A Tunnel is run with Run and watched with Status. What can go wrong is told
// apart at the first answer of the service: a wrong token, a suspended account
// or a version that is too old is shown with its next step and left alone,
// because trying again cannot help and services watch failed log-ins; limits
// that may end, such as too many sessions, are looked at again after pauses of
// up to five minutes; a lost connection is taken up again at once, with short
// pauses that grow.
// Prove sends a signed request of our own out into the internet and tells
// whether it came back.
//
// Two things about the SDK are worth knowing. It retries a refused token for
// ever and reports that only as an event, so it is the event that ends a
// session here. And the service repeats the token in its answer to a wrong one,
// so its texts pass through a filter, and the SDK has no logger of its own.
//
// Facts about the service are from its documentation: "Errors Reference"
// (https://ngrok.com/docs/errors/reference), "Free Plan Limits"
// (https://ngrok.com/docs/pricing-limits/free-plan-limits) and "Deny Action"
// (https://ngrok.com/docs/traffic-policy/actions/deny).
package tunnel
