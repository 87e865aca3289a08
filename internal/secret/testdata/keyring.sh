#!/bin/bash
# Runs a command with a D-Bus and an unlocked gnome-keyring of its own.
set -e
if [ -z "$SWITCHBOARD_TEST_KEYRING" ]; then
	export SWITCHBOARD_TEST_KEYRING=1 XDG_DATA_HOME=$(mktemp -d) XDG_RUNTIME_DIR=$(mktemp -d)
	chmod 700 "$XDG_RUNTIME_DIR"
	trap 'rm -rf "$XDG_DATA_HOME" "$XDG_RUNTIME_DIR"' EXIT
	dbus-run-session -- "$0" "$@"
	exit
fi
printf ci | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1
exec "$@"
