package secret

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"filippo.io/age"

	"switchboard/internal/bridge"
)

// shortest is how many bytes a new passphrase needs at least.
const shortest = 8

// FileOptions are the settings of a File; the zero value works.
type FileOptions struct {
	// Ask is called for the passphrase when it is needed; nil leaves the file
	// locked until Unlock.
	Ask func(ctx context.Context) (bridge.Secret, error)
	// Once says that Ask would answer the same again: when that did not help, the
	// file stays locked until Unlock, and everybody is told at once why.
	Once bool
	// Work is the logarithm of how hard guessing the passphrase is made. Default
	// 18, about a second; tests take less.
	Work int
}

// File keeps secrets in a file that is encrypted with a passphrase, by age. It
// serves machines without a keyring, and only where somebody chose it. It is
// locked until the passphrase is known.
type File struct {
	path string
	opt  FileOptions

	mu         sync.Mutex
	passphrase bridge.Secret // empty while locked
	refused    error         // why asking did not help, if it is done once
	secrets    map[string]string
	read       version // of the file that secrets come from
}

// version tells whether a file has been written since, as by the command line
// while the program runs.
type version struct {
	at   time.Time
	size int64
}

// content is what is encrypted.
type content struct {
	Version int               `json:"version"`
	Secrets map[string]string `json:"secrets"`
}

// NewFile returns the file at a path, locked.
func NewFile(path string, opt FileOptions) *File {
	if opt.Work == 0 {
		opt.Work = 18
	}
	return &File{path: path, opt: opt}
}

// Exists says whether the file is there, and with that, that somebody chose it.
func (f *File) Exists() bool {
	_, err := os.Stat(f.path)
	return err == nil
}

// Create makes an empty file with a passphrase and leaves it unlocked. A file
// that is there is not touched.
func (f *File) Create(passphrase bridge.Secret) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.Exists():
		return f.fail(bridge.KindInvalid, "vault_exists", nil)
	case len(passphrase.Reveal()) < shortest:
		return f.fail(bridge.KindInvalid, "short_passphrase", nil)
	}
	return f.write(passphrase, map[string]string{})
}

// Unlock reads the file with a passphrase. A wrong one is KindCredential.
func (f *File) Unlock(passphrase bridge.Secret) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.open(passphrase)
}

// Lock forgets the passphrase and everything that was read.
func (f *File) Lock() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.passphrase, f.secrets, f.read = bridge.Secret{}, nil, version{}
}

// Locked says whether the passphrase is needed.
func (f *File) Locked() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.passphrase.Empty()
}

// Rekey gives the file another passphrase.
func (f *File) Rekey(ctx context.Context, passphrase bridge.Secret) error {
	if len(passphrase.Reveal()) < shortest {
		return f.fail(bridge.KindInvalid, "short_passphrase", nil)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.ready(ctx); err != nil {
		return err
	}
	return f.write(passphrase, f.secrets)
}

// Names lists the names of the secrets in it.
func (f *File) Names(ctx context.Context) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.ready(ctx); err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(f.secrets)), nil
}

// Get returns a secret; one that is not there is KindNotFound.
func (f *File) Get(ctx context.Context, name string) (bridge.Secret, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.ready(ctx); err != nil {
		return bridge.Secret{}, err
	}
	value, ok := f.secrets[name]
	if !ok {
		return bridge.Secret{}, missing(name, "vault", f.path)
	}
	return bridge.NewSecret(value), nil
}

// Set keeps a secret.
func (f *File) Set(ctx context.Context, name string, value bridge.Secret) error {
	return f.change(ctx, func(secrets map[string]string) { secrets[name] = value.Reveal() })
}

// Delete removes a secret. One that is not there is no error.
func (f *File) Delete(ctx context.Context, name string) error {
	return f.change(ctx, func(secrets map[string]string) { delete(secrets, name) })
}

func (f *File) change(ctx context.Context, edit func(map[string]string)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.ready(ctx); err != nil {
		return err
	}
	secrets := maps.Clone(f.secrets)
	edit(secrets)
	if maps.Equal(secrets, f.secrets) {
		return nil
	}
	return f.write(f.passphrase, secrets)
}

// ready makes sure that secrets are what the file holds now.
func (f *File) ready(ctx context.Context) error {
	if f.passphrase.Empty() {
		return f.ask(ctx)
	}
	if now, err := f.stat(); err == nil && now == f.read {
		return nil
	}
	return f.open(f.passphrase)
}

func (f *File) ask(ctx context.Context) error {
	if f.opt.Ask == nil {
		return f.fail(bridge.KindUnavailable, "vault_locked", nil)
	}
	if f.refused != nil {
		return f.refused
	}
	passphrase, err := f.opt.Ask(ctx)
	if err != nil {
		err = f.fail(bridge.KindUnavailable, "vault_locked", err)
	} else {
		err = f.open(passphrase)
	}
	if f.opt.Once {
		f.refused = err
	}
	return err
}

// open reads the file. On an error everything stays as it was.
func (f *File) open(passphrase bridge.Secret) error {
	if passphrase.Empty() {
		return f.fail(bridge.KindUnavailable, "vault_locked", nil)
	}
	now, err := f.stat()
	if err != nil {
		return err
	}
	data, err := os.ReadFile(f.path)
	if err != nil {
		return f.unreadable(err)
	}
	c, err := f.decrypt(data, passphrase)
	if err != nil {
		return err
	}
	f.passphrase, f.secrets, f.read = passphrase, c.Secrets, now
	return nil
}

func (f *File) decrypt(data []byte, passphrase bridge.Secret) (content, error) {
	var c content
	identity, err := age.NewScryptIdentity(passphrase.Reveal())
	if err != nil {
		return c, f.fail(bridge.KindInternal, "", err)
	}
	plain, err := age.Decrypt(bytes.NewReader(data), identity)
	var wrong *age.NoIdentityMatchError
	if errors.As(err, &wrong) {
		return c, f.fail(bridge.KindCredential, "wrong_passphrase", nil)
	}
	if err != nil {
		return c, f.fail(bridge.KindInvalid, "vault_damaged", err)
	}
	text, err := io.ReadAll(plain)
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil || c.Version != 1 {
		return c, f.fail(bridge.KindInvalid, "vault_damaged", err)
	}
	if c.Secrets == nil {
		c.Secrets = map[string]string{}
	}
	return c, nil
}

// write puts a new file in the place of the old one, whole or not at all.
func (f *File) write(passphrase bridge.Secret, secrets map[string]string) error {
	sealed, err := f.encrypt(passphrase, secrets)
	if err != nil {
		return f.fail(bridge.KindInternal, "", err)
	}
	if err := replace(f.path, sealed); err != nil {
		return f.fail(bridge.KindForbidden, "vault_unwritable", err)
	}
	now, err := f.stat()
	if err != nil {
		return err
	}
	f.passphrase, f.secrets, f.read = passphrase, secrets, now
	return nil
}

func (f *File) encrypt(passphrase bridge.Secret, secrets map[string]string) ([]byte, error) {
	recipient, err := age.NewScryptRecipient(passphrase.Reveal())
	if err != nil {
		return nil, err
	}
	recipient.SetWorkFactor(f.opt.Work)
	text, err := json.Marshal(content{1, secrets})
	if err != nil {
		return nil, err
	}
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, recipient)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(text)
	if err := errors.Join(err, w.Close()); err != nil {
		return nil, err
	}
	return sealed.Bytes(), nil
}

func (f *File) stat() (version, error) {
	info, err := os.Stat(f.path)
	if err != nil {
		return version{}, f.unreadable(err)
	}
	return version{info.ModTime(), info.Size()}, nil
}

func (f *File) unreadable(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return f.fail(bridge.KindUnavailable, "vault_missing", err)
	}
	return f.fail(bridge.KindForbidden, "file_unreadable", err)
}

func (f *File) fail(kind bridge.Kind, code string, err error) error {
	return &bridge.Error{Kind: kind, Op: "secret: vault", Code: code, Args: map[string]string{"where": f.path}, Err: err}
}

// replace writes a file for its owner alone, whole or not at all.
func replace(path string, data []byte) error {
	half, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // for the owner alone
	if err != nil {
		return err
	}
	_, err = half.Write(data)
	if err = errors.Join(err, half.Sync(), half.Close()); err == nil {
		err = os.Rename(half.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(half.Name()))
	}
	if runtime.GOOS == "windows" { // directories cannot be flushed there
		return nil
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
