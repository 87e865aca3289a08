package settings

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"go.yaml.in/yaml/v3"

	"switchboard/internal/bridge"
)

const firstWords = `# Switchboard's settings. Secrets are kept in the keyring, never here.
# 总机的设置。密钥保存在系统钥匙串里，不写在这个文件中。
`

// Save writes the whole file and returns the settings with the stamp of what
// was written. Comments and the order of what is there stay; a copy of the file
// as it was is kept beside it with ".bak" at the end. The file appears whole or
// stays as it was.
//
// Two things are refused: settings that would not read back as they are, with
// the Problems, and a file that somebody changed since these settings were
// loaded, with an error of KindInvalid and code "changed".
func Save(path string, s Settings, known Known) (Settings, error) {
	old, err := os.ReadFile(path) //nolint:gosec // the admin's own choice of file
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s, fmt.Errorf("settings: save: %w", err)
	}
	there := err == nil
	if stamp(old, there) != s.Stamp {
		return s, &bridge.Error{Kind: bridge.KindInvalid, Op: "settings: save", Code: "changed", Args: map[string]string{"file": path}}
	}
	text, err := render(old, s)
	if err != nil {
		return s, fmt.Errorf("settings: save: %w", err)
	}
	if _, problems := Parse(text, known); len(problems.Fatal()) > 0 {
		return s, problems.Fatal()
	}
	if there {
		if err := replace(path+".bak", old); err != nil {
			return s, fmt.Errorf("settings: save: keep a copy: %w", err)
		}
	}
	if err := replace(path, text); err != nil {
		return s, fmt.Errorf("settings: save: %w", err)
	}
	s.Stamp = stamp(text, true)
	return s, nil
}

// stamp tells whether a file is the one that was loaded; "" stands for none.
func stamp(text []byte, there bool) string {
	if !there {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// render writes settings into the text of the file as it was.
func render(old []byte, s Settings) ([]byte, error) {
	want := fileNode(s)
	var doc yaml.Node
	err := yaml.Unmarshal(old, &doc)
	if err != nil || len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode || hasAlias(&doc) {
		doc = yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{want}}
		if len(bytes.TrimSpace(old)) == 0 {
			doc.HeadComment = firstWords
		}
	} else {
		merge(doc.Content[0], want, s.keeps)
	}
	if err := keepRoutes(doc.Content[0], s.Routes); err != nil {
		return nil, err
	}
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := errors.Join(encoder.Encode(&doc), encoder.Close()); err != nil {
		return nil, err
	}
	return text.Bytes(), nil
}

// replace writes a file of the owner's alone so that after a crash it is there
// whole or as it was.
func replace(path string, text []byte) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".switchboard-*") // 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone when the rename worked
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes a rename durable. Windows has no such thing and needs none.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir) //nolint:gosec // where the file is
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
