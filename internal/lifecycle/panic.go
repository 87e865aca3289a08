package lifecycle

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
)

// PanicError is a panic turned into an error. It holds no value of the program
// except what the Go runtime itself says, because a panic may quote what a
// person wrote.
type PanicError struct {
	What  string // the runtime's own words, or the type of the value
	Stack string // of the goroutine that panicked
}

// Error implements error.
func (e *PanicError) Error() string { return "panic: " + e.What }

// Stack returns the stack of the panic in an error's chain, or "".
func Stack(err error) string {
	var thrown *PanicError
	if errors.As(err, &thrown) {
		return thrown.Stack
	}
	return ""
}

// Recovered makes an error of what recover returned; nil for nil.
func Recovered(value any) error {
	if value == nil {
		return nil
	}
	e := &PanicError{What: fmt.Sprintf("%T", value), Stack: string(debug.Stack())}
	if own, ok := value.(runtime.Error); ok {
		e.What = own.Error()
	}
	return e
}

// contained runs f and returns its panic as an error.
func contained(f func() error) (err error) {
	defer func() {
		if p := Recovered(recover()); p != nil {
			err = p
		}
	}()
	return f()
}
