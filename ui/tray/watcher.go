package tray

import (
	"context"
	"runtime"
	"time"

	"github.com/godbus/dbus/v5"
)

// watcher is the D-Bus name of whoever shows tray icons on a Linux desktop
// (freedesktop.org, StatusNotifierItem).
const watcher = "org.kde.StatusNotifierWatcher"

// Watched says whether anybody shows tray icons. Some Linux desktops do not;
// there a hidden window would be lost.
func Watched(ctx context.Context) bool {
	if runtime.GOOS != "linux" {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	bus, err := dbus.ConnectSessionBus(dbus.WithContext(ctx))
	if err != nil {
		return false
	}
	defer func() { _ = bus.Close() }()
	return owned(ctx, bus, watcher)
}

func owned(ctx context.Context, bus *dbus.Conn, name string) bool {
	var has bool
	err := bus.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.NameHasOwner", 0, name).Store(&has)
	return err == nil && has
}
