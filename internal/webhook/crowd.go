package webhook

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"sync"
)

// mostWaiting is how many connections may be open without a whole request.
const mostWaiting = 1024

// crowd limits the connections that have not sent a whole request. Each may take
// as long as the timeouts say, but somebody who opens thousands of them must not
// use up what this computer has: of too many, the one that has taken longest is
// closed. A platform sends its requests in one go, and so is not among those.
type crowd struct {
	most int

	mu    sync.Mutex
	queue *list.List // of net.Conn, in the order they began to wait
	place map[net.Conn]*list.Element
}

func newCrowd(most int) *crowd {
	if most <= 0 {
		most = mostWaiting
	}
	return &crowd{most: most, queue: list.New(), place: map[net.Conn]*list.Element{}}
}

// state follows a connection, as http.Server.ConnState.
func (c *crowd) state(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew, http.StateIdle:
		if late := c.enter(conn); late != nil {
			_ = late.Close()
		}
	case http.StateClosed, http.StateHijacked:
		c.leave(conn)
	case http.StateActive: // it has begun to speak, and waits on
	}
}

// enter puts a connection at the end of the queue. It returns the one that has to
// go, if any.
func (c *crowd) enter(conn net.Conn) net.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, ok := c.place[conn]; ok {
		c.queue.MoveToBack(at)
		return nil
	}
	c.place[conn] = c.queue.PushBack(conn)
	if c.queue.Len() <= c.most {
		return nil
	}
	late, _ := c.queue.Remove(c.queue.Front()).(net.Conn)
	delete(c.place, late)
	return late
}

func (c *crowd) leave(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, ok := c.place[conn]; ok {
		c.queue.Remove(at)
		delete(c.place, conn)
	}
}

// waits is where a request's context keeps what heard calls.
type waits struct{}

// remember makes heard know the connection, as http.Server.ConnContext.
func (c *crowd) remember(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, waits{}, func() { c.leave(conn) })
}

// heard takes the connection of a request that was read to its end out of the
// crowd, until it is idle again.
func heard(ctx context.Context) {
	if leave, ok := ctx.Value(waits{}).(func()); ok {
		leave()
	}
}
