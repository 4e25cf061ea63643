#!/usr/bin/env python3
"""Make assets/report-font: the part of Inter that the figures of a report need as PNG.

    pip install fonttools
    python3 scripts/make_report_font.py [FOLDER]     # of Inter-Regular.otf and Inter-SemiBold.otf; Debian: fonts-inter

Latin with its accents, digits, punctuation and the signs used in figures; without hinting, which a 2x PNG does not need.
"""

import sys
from pathlib import Path

from fontTools import subset

FOLDER = Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/fonts/opentype/inter")
OUT = Path(__file__).resolve().parent.parent / "assets" / "report-font"
SIGNS = "×±·•…–—−≤≥≈→←↓↑‘’“”µσθ∞✓�"
CHARACTERS = [*range(0x20, 0x7F), *range(0xA0, 0x180), *map(ord, SIGNS)]

for style in ("Regular", "SemiBold"):
    options = subset.Options(
        hinting=False, desubroutinize=True, layout_features=["kern", "tnum"], notdef_outline=True, name_IDs=[0, 1, 2, 4, 5, 6, 13, 14, 16, 17]
    )
    font = subset.load_font(FOLDER / f"Inter-{style}.otf", options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=CHARACTERS)
    subsetter.subset(font)
    path = OUT / f"Inter-{style}-subset.otf"
    subset.save_font(font, path, options)
    print(path, path.stat().st_size, "bytes")
