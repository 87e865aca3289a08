package tray_test

import (
	"bufio"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"

	"switchboard/ui/tray"
)

// TestWatched runs a session bus of its own.
func TestWatched(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("other desktops always have a tray")
	}
	daemon, err := exec.LookPath("dbus-daemon")
	if err != nil {
		t.Skip("no dbus-daemon here")
	}
	cmd := exec.CommandContext(t.Context(), daemon, "--session", "--nofork", "--print-address=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() })
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address = strings.TrimSpace(address)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", address)

	if tray.Watched(t.Context()) {
		t.Error("found a tray where there is none")
	}
	bus, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = bus.Close() }()
	if _, err := bus.RequestName("org.kde.StatusNotifierWatcher", dbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
	if !tray.Watched(t.Context()) {
		t.Error("did not find the tray")
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
	if tray.Watched(t.Context()) {
		t.Error("found a tray without a bus")
	}
}
