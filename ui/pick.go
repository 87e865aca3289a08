package ui

import (
	"context"
	"errors"
	"io"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/storage"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
)

// fileAtMost is the largest file that is read: more than any platform takes.
const fileAtMost = 32 << 20

// pictureTypes are what the dialog calls pictures.
func pictureTypes() []string { return []string{".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp"} }

// pick lets the admin choose a file. It is read in the background: it may lie on a
// slow network.
func (w *Window) pick(ctx context.Context, pictures bool, got func(name string, data []byte, err error)) {
	choice := dialog.NewFileOpen(func(r fyne.URIReadCloser, err error) {
		if err != nil || r == nil { // nothing was chosen
			if err != nil {
				got("", nil, unreadable("", err))
			}
			return
		}
		live.Ask(ctx, w.hub, func(context.Context) ([]byte, error) { return read(r) }, func(data []byte, err error) {
			got(r.URI().Name(), data, err)
		})
	}, w.win)
	if pictures {
		choice.SetFilter(storage.NewExtensionFileFilter(pictureTypes()))
	}
	w.offer(choice)
}

// save lets the admin choose where a file is saved.
func (w *Window) save(name string, picked func(path string)) {
	choice := dialog.NewFileSave(func(f fyne.URIWriteCloser, err error) {
		if err == nil && f == nil { // nothing was chosen
			return
		}
		if err == nil {
			err = f.Close() // whoever writes it puts another one in its place
		}
		if err != nil {
			(&shell{w}).Trouble(unreadable(name, err))
			return
		}
		picked(f.URI().Path())
	}, w.win)
	choice.SetFileName(name)
	w.offer(choice)
}

// offer shows a choice of files as large as the window lets it.
func (w *Window) offer(choice *dialog.FileDialog) {
	size := w.win.Canvas().Size()
	choice.Resize(fyne.NewSize(size.Width*0.85, size.Height*0.85))
	choice.Show()
}

// drop takes a file that was dropped on the window while something is sent.
func (w *Window) drop(ctx context.Context, all []fyne.URI) {
	if w.frame == nil || w.front != live.PageSend || len(all) == 0 {
		return
	}
	file := all[0]
	live.Ask(ctx, w.hub, func(context.Context) ([]byte, error) {
		r, err := storage.Reader(file)
		if err != nil {
			return nil, unreadable(file.Name(), err)
		}
		return read(r)
	}, func(data []byte, err error) {
		if err != nil {
			(&shell{w}).Trouble(err)
			return
		}
		w.send.Take(file.Name(), data, isPicture(file.Extension()))
	})
}

func isPicture(extension string) bool {
	for _, e := range pictureTypes() {
		if strings.EqualFold(e, extension) {
			return true
		}
	}
	return false
}

// read reads a whole file, unless it is larger than anybody takes.
func read(r fyne.URIReadCloser) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, fileAtMost+1))
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, unreadable(r.URI().Name(), err)
	}
	if len(data) > fileAtMost {
		return nil, &bridge.Error{Kind: bridge.KindTooLarge, Op: "send: file", Code: "large", Args: map[string]string{"file": r.URI().Name(), "megabytes": "32"}}
	}
	return data, nil
}

func unreadable(name string, err error) error {
	return &bridge.Error{Kind: bridge.KindInvalid, Op: "send: file", Code: "file", Args: map[string]string{"file": name}, Err: err}
}
