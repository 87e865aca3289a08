package secret

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/zalando/go-keyring"

	"switchboard/internal/bridge"
)

// ErrMissing is what a Keyring says of a name it does not have.
var ErrMissing = keyring.ErrNotFound

const (
	service = "switchboard" // of every entry in the keyring
	// patience bounds one call: the keyring may ask the user for a password in
	// a window nobody sees, and its library knows no time-out.
	patience = 3 * time.Second
	// codeLocked is the code of an error about a keyring that is locked or silent.
	codeLocked = "keyring_locked"
	// largest is how long a secret may be where nothing else limits it.
	largest = 64 << 10
)

// limit is how long a secret the keyring of this system takes. Windows takes 2,560
// bytes. macOS takes a command of 4,096, in which the value is written by a third
// longer than it is, beside the name.
func limit() int {
	switch runtime.GOOS {
	case "windows":
		return 2560
	case "darwin":
		return 2800
	default:
		return largest
	}
}

// system is the keyring of the desktop.
type system struct{}

// Get implements Keyring.
func (system) Get(name string) (string, error) {
	if err := session(); err != nil {
		return "", err
	}
	return keyring.Get(service, name)
}

// Set implements Keyring.
func (system) Set(name, value string) error {
	if err := session(); err != nil {
		return err
	}
	return keyring.Set(service, name, value)
}

// Delete implements Keyring.
func (system) Delete(name string) error {
	if err := session(); err != nil {
		return err
	}
	return keyring.Delete(service, name)
}

const busVariable = "DBUS_SESSION_BUS_ADDRESS"

// session looks for the desktop's session where the library would. Without one the
// library starts a bus of its own where dbus-launch is installed; that would stay
// behind with a keyring in which the next start of ours finds nothing.
func session() error {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		return nil
	}
	if address := os.Getenv(busVariable); address != "" && address != "autolaunch:" {
		return nil
	}
	for _, name := range []string{"bus", "dbus-session"} {
		if _, err := os.Stat(filepath.Join("/run/user", strconv.Itoa(os.Getuid()), name)); !errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	}
	return errors.New(busVariable + " is not set")
}

func (v Vault) keyring() Keyring { //nolint:ireturn // whichever it is
	if v.Keyring != nil {
		return v.Keyring
	}
	return system{}
}

// waiting counts the calls that the keyring has not answered in time, and may
// still answer: when somebody has unlocked it, say.
type waiting struct {
	mu       sync.Mutex
	calls    int
	answered bool // one of them well, in the end
}

func (w *waiting) any() bool {
	if w == nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls > 0
}

// forReply remembers a call until its end.
func (w *waiting) forReply(done <-chan reply) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls++
	go func() {
		r := <-done
		w.mu.Lock()
		defer w.mu.Unlock()
		w.calls--
		w.answered = r.err == nil || errors.Is(r.err, ErrMissing)
	}()
}

// takeAnswered tells, once, that a call was answered in the end.
func (w *waiting) takeAnswered() bool {
	if w == nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	answered := w.answered
	w.answered = false
	return answered
}

// reply is what a call of the keyring's library returned.
type reply struct {
	value string
	err   error
}

// bounded runs a call of the keyring's library, which may hang, for at most
// patience. A call given up on goes on in the background until it ends; until
// then others are not made, because each would hang as well and ask the user once
// more.
func (v Vault) bounded(ctx context.Context, name string, call func() (string, error)) (string, error) {
	if v.waiting.any() {
		return "", silent(name)
	}
	done := make(chan reply, 1)
	go func() {
		value, err := call()
		done <- reply{value, err}
	}()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case r := <-done:
		return r.value, classify(name, r.err)
	case <-ctx.Done():
		return "", fmt.Errorf("secret: %s: %w", name, ctx.Err())
	case <-timer.C:
		v.waiting.forReply(done)
		return "", silent(name)
	}
}

func silent(name string) error {
	return unusable(name, codeLocked, errors.New("no answer in time"))
}

// classify tells a missing entry, a keyring that is not there and a locked one
// apart. The library has an error of its own only for the first; the others are
// recognised by the words of D-Bus and of macOS.
func classify(name string, err error) error {
	if err == nil {
		return nil
	}
	says := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(err.Error(), w) {
				return true
			}
		}
		return false
	}
	switch {
	case errors.Is(err, ErrMissing):
		return missing(name, "keyring", "")
	case errors.Is(err, keyring.ErrSetDataTooBig):
		return tooLarge(name, limit())
	case says("unlock", "locked", "dismissed", "interaction is not allowed"):
		return unusable(name, codeLocked, err)
	case says("dial unix", "dbus-launch", busVariable):
		return unusable(name, "keyring_no_bus", err)
	default:
		return unusable(name, "keyring_missing", err)
	}
}

func unusable(name, code string, err error) error {
	return &bridge.Error{Kind: bridge.KindUnavailable, Op: "secret: " + name, Code: code, Args: map[string]string{"name": name}, Err: err}
}

// Keyless says that an error means that there is no keyring here at all.
func Keyless(err error) bool {
	var known *bridge.Error
	return errors.As(err, &known) && (known.Code == "keyring_missing" || known.Code == "keyring_no_bus")
}

// Withheld returns the name of the secret that an error says the keyring did not
// give, because it is locked, silent or not there. It may give it later.
func Withheld(err error) (name string, withheld bool) {
	var known *bridge.Error
	if !errors.As(err, &known) || known.Code != codeLocked && !Keyless(known) {
		return "", false
	}
	return known.Args["name"], true
}

func tooLarge(name string, most int) error {
	return &bridge.Error{
		Kind: bridge.KindTooLarge, Op: "secret: " + name, Code: "too_large", Args: map[string]string{"name": name, "most": strconv.Itoa(most)},
	}
}
