package people

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"switchboard/internal/bridge"
)

const (
	// roomFresh is how long the name of a group is good for.
	roomFresh = 24 * time.Hour
	// roomAgain is when one is asked for again that could not be looked up, and
	// roomForbidden when the right to see it is missing.
	roomAgain     = time.Minute
	roomForbidden = 10 * time.Minute
	// roomPatience is how long a message in a group may wait for its name.
	roomPatience = time.Second
)

// NameChat asks a platform what a group is called. A bot whose messages say it
// themselves is an error of KindUnsupported.
type NameChat func(ctx context.Context, bot, chat string) (string, error)

// Rooms knows what groups are called whose messages do not say so. Make one with
// NewRooms.
type Rooms struct {
	name NameChat
	log  *slog.Logger

	mu sync.Mutex
	of map[[2]string]*room // by bot and chat
}

// room is what is known of one group.
type room struct {
	mu   sync.Mutex
	name string
	due  time.Time // when it is asked for again
}

// NewRooms makes a keeper of names.
func NewRooms(name NameChat, log *slog.Logger) *Rooms {
	return &Rooms{name: name, log: log, of: map[[2]string]*room{}}
}

// Name returns what a group is called, as far as it is known; the platform is asked
// once a day, for a moment only.
func (r *Rooms) Name(ctx context.Context, bot, chat string) string {
	one := r.room(bot, chat)
	one.mu.Lock()
	defer one.mu.Unlock()
	if time.Now().Before(one.due) {
		return one.name
	}
	short, cancel := context.WithTimeout(ctx, roomPatience)
	defer cancel()
	name, err := r.name(short, bot, chat)
	pause := roomFresh
	switch kind := bridge.KindOf(err); kind { //nolint:exhaustive // all others may pass soon
	case "":
		one.name = name
	case bridge.KindUnsupported:
		return ""
	case bridge.KindForbidden:
		pause = roomForbidden
	default:
		pause = roomAgain
	}
	if ctx.Err() != nil {
		return one.name
	}
	if err != nil {
		r.log.LogAttrs(ctx, slog.LevelWarn, "the name of a group cannot be looked up", slog.String("bot", bot), slog.String("chat", chat), slog.Any("error", err))
	}
	one.due = time.Now().Add(pause)
	return one.name
}

func (r *Rooms) room(bot, chat string) *room {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := [2]string{bot, chat}
	if r.of[key] == nil {
		r.of[key] = &room{}
	}
	return r.of[key]
}
