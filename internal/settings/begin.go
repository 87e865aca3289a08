package settings

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

const firstWords = `# Switchboard's settings. Secrets are kept in the keyring, never here.
# 总机的设置。密钥保存在系统钥匙串里，不写在这个文件中。
`

// Begin writes a new settings file with one agent. It never replaces a file
// that is there: the error is then os.ErrExist. The file appears whole or not
// at all.
func Begin(path string, a Agent) error {
	type agent struct {
		ID      string `yaml:"id"`
		Kind    string `yaml:"kind"`
		BaseURL string `yaml:"base_url"`
	}
	text, err := yaml.Marshal(map[string][]agent{"agents": {{a.ID, a.Kind, a.BaseURL}}})
	if err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".switchboard-*") // 0600
	if err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.WriteString(firstWords + string(text))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	if err := os.Link(f.Name(), path); err != nil { // unlike a rename, fails when there is one
		return fmt.Errorf("settings: %w", err)
	}
	return nil
}
