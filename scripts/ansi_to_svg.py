#!/usr/bin/env python3
"""Turn a captured terminal screen into an SVG picture.

    tmux capture-pane -ep -t SESSION | scripts/ansi_to_svg.py [TITLE] > docs/screen.svg

Reads text with SGR colour sequences (16, 256 and true colours, bold, dim, reverse, underline) and draws one cell per
column, so that borders and braille line up in any viewer. Needs nothing but Python 3.
"""
import re
import sys
import unicodedata
from xml.sax.saxutils import escape

CELL_WIDTH, CELL_HEIGHT, FONT_SIZE, MARGIN = 8.4, 17, 14, 12
FOREGROUND, BACKGROUND = "#d8dee9", "#11151c"
BASIC = ["#1d1f21", "#cc6666", "#7fb56a", "#d9a441", "#5f9ed1", "#b294bb", "#56b4a9", "#c5c8c6",
         "#6b7280", "#e08080", "#9fd088", "#f0c674", "#81b7e6", "#c9a8d4", "#7fd1c7", "#ffffff"]


def colour_256(index):
    if index < 16:
        return BASIC[index]
    if index >= 232:
        level = 8 + 10 * (index - 232)
        return f"#{level:02x}{level:02x}{level:02x}"
    steps = [0, 95, 135, 175, 215, 255]
    index -= 16
    return "#{:02x}{:02x}{:02x}".format(steps[index // 36], steps[index // 6 % 6], steps[index % 6])


class Style:
    def __init__(self):
        self.reset()

    def reset(self):
        self.fg = self.bg = None
        self.bold = self.dim = self.reverse = self.underline = False

    def apply(self, codes):
        codes = [int(c or 0) for c in codes]
        while codes:
            code = codes.pop(0)
            if code == 0:
                self.reset()
            elif code in (1, 2, 4, 7):
                setattr(self, {1: "bold", 2: "dim", 4: "underline", 7: "reverse"}[code], True)
            elif code == 22:
                self.bold = self.dim = False
            elif code == 24:
                self.underline = False
            elif code == 27:
                self.reverse = False
            elif code in (38, 48) and codes:
                self.extended(code, codes)
            elif code in (39, 49):
                setattr(self, "fg" if code == 39 else "bg", None)
            elif 30 <= code <= 37 or 90 <= code <= 97:
                self.fg = BASIC[code - 30 if code < 90 else code - 82]
            elif 40 <= code <= 47 or 100 <= code <= 107:
                self.bg = BASIC[code - 40 if code < 100 else code - 92]

    def extended(self, code, codes):
        which, kind = ("fg" if code == 38 else "bg"), codes.pop(0)
        if kind == 5 and codes:
            setattr(self, which, colour_256(codes.pop(0)))
        elif kind == 2 and len(codes) >= 3:
            setattr(self, which, "#{:02x}{:02x}{:02x}".format(codes.pop(0), codes.pop(0), codes.pop(0)))

    def key(self):
        fg, bg = self.fg or FOREGROUND, self.bg
        if self.reverse:
            fg, bg = bg or BACKGROUND, fg
        return fg, bg, self.bold, self.dim, self.underline


def width(character):
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cells(line, style):
    """(column, character, style) of each visible character."""
    column = 0
    for part in re.split(r"(\x1b\[[0-9;:]*m)", line):
        match = re.fullmatch(r"\x1b\[([0-9;:]*)m", part)
        if match:
            style.apply(match.group(1).replace(":", ";").split(";"))
            continue
        for character in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]", "", part):
            yield column, character, style.key()
            column += width(character)


def is_braille(character):
    return "\u2800" <= character <= "\u28ff"


def dots(x, y, character):
    """The dots of a Braille cell as a path: drawn, not written, because fonts disagree on their width."""
    bits = ord(character) - 0x2800
    places = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)]
    size = 2.2
    return "".join(f"M{x + (0.27 + 0.46 * column) * CELL_WIDTH - size / 2:.1f} {y + (row + 0.5) * CELL_HEIGHT / 4 - size / 2:.1f}"
                   f"h{size}v{size}h-{size}z" for bit, (column, row) in enumerate(places) if bits >> bit & 1)


def runs(line, style):
    """Neighbouring cells of the same style and kind (text or Braille), joined."""
    run = None
    for column, character, key in cells(line, style):
        same_kind = run and is_braille(run[1][-1]) == is_braille(character)
        if run and same_kind and run[2] == key and run[3] == column:
            run[1].append(character)
            run[3] = column + width(character)
            continue
        if run:
            yield run
        run = [column, [character], key, column + width(character)]
    if run:
        yield run


def draw(text, title):
    lines = text.rstrip("\n").split("\n")
    style, shapes, columns = Style(), [], 0
    for row, line in enumerate(lines):
        for start, characters, (fg, bg, bold, dim, underline), end in runs(line, style):
            columns = max(columns, end)
            x, y, length = MARGIN + start * CELL_WIDTH, MARGIN + row * CELL_HEIGHT, (end - start) * CELL_WIDTH
            if bg:
                shapes.append(f'<rect x="{x:.1f}" y="{y}" width="{length:.1f}" height="{CELL_HEIGHT}" fill="{bg}"/>')
            content = "".join(characters)
            if is_braille(content[0]):
                path = "".join(dots(x + i * CELL_WIDTH, y, c) for i, c in enumerate(content))
                shapes.append(f'<path d="{path}" fill="{fg}"/>')
            elif content.strip():
                weight = ' font-weight="bold"' if bold else ""
                opacity = ' opacity="0.65"' if dim else ""
                line_below = ' text-decoration="underline"' if underline else ""
                shapes.append(f'<text x="{x:.1f}" y="{y + 13}" textLength="{length:.1f}" lengthAdjust="spacingAndGlyphs" '
                              f'fill="{fg}"{weight}{opacity}{line_below}>{escape(content)}</text>')
    w, h = columns * CELL_WIDTH + 2 * MARGIN, len(lines) * CELL_HEIGHT + 2 * MARGIN
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w:.0f} {h:.0f}" width="{w:.0f}" height="{h:.0f}" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>',
        # Chromium ignores an inherited xml:space.
        "<style>text{white-space:pre}</style>",
        f'<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="{FONT_SIZE}" xml:space="preserve">',
        *shapes, "</g>", "</svg>", ""])


if __name__ == "__main__":
    sys.stdout.write(draw(sys.stdin.read(), sys.argv[1] if len(sys.argv) > 1 else "nas-tui"))
