package main

import (
	"context"
	"flag"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"switchboard/internal/bridge"
	"switchboard/internal/logs"
)

// options are the command line.
type options struct {
	data, config  string
	hidden, probe bool
	smoke         string
	ask           func(context.Context) (bridge.Secret, error) // for the passphrase of the secrets

	redactor *logs.Redactor // of the log at the terminal
	level    *slog.LevelVar
}

func parse(args []string, w io.Writer) (options, error) {
	o := options{redactor: &logs.Redactor{}, level: &slog.LevelVar{}}
	f := flag.NewFlagSet("switchboard", flag.ContinueOnError)
	f.SetOutput(w)
	f.StringVar(&o.data, "data", "", "`folder` for settings, database and logs (default: the user's own)")
	f.StringVar(&o.config, "config", "", "settings `file` (default: switchboard.yaml in the data folder)")
	f.BoolVar(&o.hidden, "hidden", false, "start in the tray, without showing the window")
	f.StringVar(&o.smoke, "smoke", "", "show every page in turn and leave a `folder`/NAME.ready file for each, for pictures")
	f.BoolVar(&o.probe, "probe-window", false, "show a window for a moment and exit, to find out whether that works")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if o.data == "" {
		base, err := os.UserConfigDir()
		if err != nil {
			return o, err
		}
		o.data = filepath.Join(base, "switchboard")
	}
	if o.config == "" {
		o.config = filepath.Join(o.data, "switchboard.yaml")
	}
	return o, nil
}
