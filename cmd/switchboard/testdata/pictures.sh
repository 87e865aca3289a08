#!/bin/sh
# Takes a picture of every page in both languages, light and dark, with a played
# house:  pictures.sh OUTPUT-FOLDER [WIDTH HEIGHT [empty|first|busy]]
# PEOPLE=en_US.UTF-8 gives the people English names; PLAY=6 waits for the demo.
# Needs Xvfb, dbus-run-session, ImageMagick and a C compiler; ends with an error
# when the toolkit complained.
set -eu
out=$(mkdir -p "$1" && cd "$1" && pwd)
width=${2:-1100} height=${3:-720} house=${4:-busy}
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
mkdir -m 700 "$work/run" "$work/config" "$work/.cache"
program=${PROGRAM:-$work/played}
[ -x "$program" ] || (cd "$here" && go test -c -o "$program" .)
export XDG_RUNTIME_DIR="$work/run" XDG_CONFIG_HOME="$work/config" HOME="$work" LANG="${PEOPLE:-zh_CN.UTF-8}" SWITCHBOARD_PLAYED="$house"
export LIBGL_ALWAYS_SOFTWARE=1
mkdir -p "$work/config/fyne/io.switchboard.desktop"
echo "{\"width\": $width.0, \"height\": $height.0, \"page\": \"overview\"}" > "$work/config/fyne/io.switchboard.desktop/preferences.json"

cat > "$work/inside.sh" <<'IN'
"$1" --smoke "$2" --data "$3/data" > "$3/log" 2>&1 &
app=$!
while kill -0 "$app" 2>/dev/null; do
	for ready in "$2"/*.ready; do
		[ -e "$ready" ] || continue
		name=$(basename "$ready" .ready)
		[ "${name%playground}" = "$name" ] || sleep "${PLAY:-0}"
		import -window root "$2/$name.png"
		rm "$ready"
	done
	sleep 0.1
done
wait "$app"
IN
code=0
xvfb-run -a -s "-screen 0 ${width}x${height}x24" dbus-run-session -- sh "$work/inside.sh" "$program" "$out" "$work" || code=$?
cat "$work/log"
# The toolkit reads its preferences while it writes them, and says so: harmless.
if grep -v "Preferences load error" "$work/log" | grep -E "Error in Fyne call thread|Fyne error|Translation failure|panic"; then code=1; fi
rm -rf "$work"
exit $code
