#!/bin/sh
# Starts a throw-away PostgreSQL, runs a command against it and removes it again:
#
#   internal/store/testdata/postgres.sh go test ./internal/store/...
#
# The server listens on a socket in its own temporary directory only. The command
# finds its address in SWITCHBOARD_TEST_POSTGRES. The programs are looked for in
# $PG_BIN, in the PATH and where Debian puts them. Run as root, the server runs
# as the user postgres, because PostgreSQL refuses to run as root.
set -eu

if [ $# -eq 0 ]; then
	echo "usage: $0 command [argument...]" >&2
	exit 2
fi

bin=${PG_BIN:-}
if [ -z "$bin" ]; then
	if command -v initdb >/dev/null 2>&1; then
		bin=$(dirname "$(command -v initdb)")
	else
		for dir in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin; do
			[ -x "$dir/initdb" ] && bin=$dir
		done
	fi
fi
if [ ! -x "$bin/initdb" ]; then
	echo "$0: no PostgreSQL server found; install it or set PG_BIN" >&2
	exit 1
fi

# Kept short: the path of a Unix socket has about 100 characters at most.
dir=$(mktemp -d /tmp/switchboard-pg.XXXXXX)
if [ "$(id -u)" -eq 0 ]; then
	chown postgres "$dir"
	if command -v runuser >/dev/null 2>&1; then
		as() { (cd "$dir" && runuser -u postgres -- "$@"); }
	else
		as() { (cd "$dir" && su postgres -s /bin/sh -c 'exec "$@"' -- sh "$@"); }
	fi
else
	as() { "$@"; }
fi

stop() {
	as "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null 2>&1 || true
	rm -rf "$dir"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# -E UTF8 and the C locale make every machine behave the same.
as "$bin/initdb" -D "$dir/data" -U switchboard -A trust -E UTF8 --locale=C >"$dir/initdb.log" 2>&1 || {
	cat "$dir/initdb.log" >&2
	exit 1
}
as "$bin/pg_ctl" -D "$dir/data" -l "$dir/data/server.log" -w -t 60 \
	-o "-c listen_addresses='' -c unix_socket_directories='$dir' -c max_connections=400" start >/dev/null || {
	cat "$dir/data/server.log" >&2
	exit 1
}
chmod 755 "$dir"

SWITCHBOARD_TEST_POSTGRES="postgres://switchboard@/postgres?host=$dir"
export SWITCHBOARD_TEST_POSTGRES
"$@"
