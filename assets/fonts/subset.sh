#!/bin/sh
# Makes the embedded fonts: Noto Sans SC Regular and Bold with the characters of
# GB 2312 and of the Table of General Standard Chinese Characters (kTGH), and a
# small Latin monospace face with the same line metrics.
#
# Needs (Debian): fonts-noto-cjk fonttools python3-fonttools unicode-data.
# The fonts are under the SIL Open Font License, see OFL.txt.
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-/usr/bin/python3}
noto=${NOTO:-/usr/share/fonts/opentype/noto}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$python" - "$work" <<'PY'
import bz2, glob, sys

def span(first, last):
    return {chr(c) for c in range(first, last + 1)}

han = set()
for name in glob.glob("/usr/share/unicode/Unihan_*.bz2"):
    with bz2.open(name, "rt", encoding="utf-8") as lines:
        for line in lines:
            part = line.split("\t")
            if len(part) > 1 and part[1] == "kTGH":
                han.add(chr(int(part[0][2:], 16)))
for high in range(0xA1, 0xF8):
    for low in range(0xA1, 0xFF):
        try:
            han.add(bytes([high, low]).decode("gb2312"))
        except UnicodeDecodeError:
            pass

latin = span(0x20, 0x7E) | span(0xA0, 0x17F)
signs = ({"\u2002"} | span(0x2010, 0x2027) | span(0x2030, 0x205E) | span(0x20A0, 0x20BF) | span(0x2100, 0x214F)
         | span(0x2150, 0x218B) | span(0x2190, 0x21FF) | span(0x2200, 0x22FF) | span(0x2300, 0x23FF)
         | span(0x2460, 0x24FF) | span(0x2500, 0x27BF))
cjk = span(0x3000, 0x303F) | span(0xFF00, 0xFFEF) | span(0x3040, 0x30FF) | span(0x3100, 0x312F) | span(0x3200, 0x33FF)
out = sys.argv[1]
with open(out + "/text.txt", "w", encoding="utf-8") as f:
    f.write("".join(sorted(han | latin | signs | cjk)))
with open(out + "/mono.txt", "w", encoding="utf-8") as f:
    f.write("".join(sorted(latin | span(0x2010, 0x2027) | span(0x2190, 0x21FF) | span(0x2500, 0x25FF))))
PY

make_one() { # collection, number, characters, output
	"$python" -m fontTools.subset "$noto/$1" --font-number="$2" --text-file="$work/$3" \
		--layout-features=kern,locl --no-hinting --output-file="$4"
}
make_one NotoSansCJK-Regular.ttc 2 text.txt NotoSansSC-Regular.otf
make_one NotoSansCJK-Bold.ttc 2 text.txt NotoSansSC-Bold.otf
make_one NotoSansCJK-Regular.ttc 7 mono.txt NotoSansMono-Latin.otf

# The toolkit breaks lines at white space only, so Chinese would never be broken
# inside a run of text. The window puts a hair space (U+200A) wherever a line may
# end. Noto has none, so the empty glyph of the en space is used for it, without
# any width.
for font in NotoSansSC-Regular.otf NotoSansSC-Bold.otf; do
	"$python" - "$font" <<'PY'
import sys
from fontTools.ttLib import TTFont
font = TTFont(sys.argv[1])
empty = font.getBestCmap()[0x2002]
for table in font["cmap"].tables:
    if table.isUnicode() and 0x2002 in table.cmap:
        del table.cmap[0x2002]
        table.cmap[0x200A] = empty
font["hmtx"][empty] = (0, 0)
font.save(sys.argv[1])
PY
done
ls -l ./*.otf
