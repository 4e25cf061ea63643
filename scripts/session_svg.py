#!/usr/bin/env python3
"""An animated SVG picture of a session: the recorded search, replayed by the real program in a pseudo-terminal.

    scripts/session_svg.py PROGRAM > docs/session.svg      # needs tmux; takes as long as the session

The screen is captured about once a second while keys are typed, and the picture plays the captures with the times at which
they were made. What is on the screen in several of them is drawn once: each word, bar and Braille dot has the times at which
it is visible. Without animation (a printer, prefers-reduced-motion) it is the picture of the end.
"""
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from xml.sax.saxutils import escape

import ansi_to_svg as screen

SPEED, COLUMNS, ROWS, EVERY = 8, 120, 36, 0.8
# Seconds after the beginning, the key pressed then, and its effect.
KEYS = [(13, "b", "b: the best network so far"), (16, "Escape", "Esc: back"), (18, "3", "3: all children"),
        (21, "p", "p: accuracy against cost"), (24, "1", "1: overview")]
NAMED = 2  # seconds for which the picture names a key
END = "REPLAY ENDED"
LAST, LONGEST = 4, 120  # seconds shown after the end, seconds after which there is none
CAPTION = f"nas-tui replay --sample --speed {SPEED}: a real search, replayed at {SPEED} times its speed"


def tmux(*arguments):
    command = ["tmux", "-L", f"nas-tui-session-{os.getpid()}", "-f", "/dev/null", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def record(program):
    """(seconds, captured screen, words about the key pressed) of each capture."""
    folder = tempfile.mkdtemp()
    variables = "TERM=tmux-256color COLORTERM=truecolor LC_ALL=C.UTF-8"
    tmux("new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), "-c", folder,
         f"{variables} '{program}' replay --sample --speed {SPEED}")
    frames, keys, pressed, end, begin = [], list(KEYS), KEYS[0], None, time.monotonic()
    try:
        while True:
            now = time.monotonic() - begin
            if keys and now >= keys[0][0]:
                pressed = keys.pop(0)
                tmux("send-keys", pressed[1])
                time.sleep(0.15)
            text = tmux("capture-pane", "-ep")
            if text.strip():
                frames.append((now, text, pressed[2] if pressed[0] <= now < pressed[0] + NAMED else ""))
            if end is None and END in text:
                end = now
            if end is not None and not keys and now > end + LAST or now > LONGEST:
                return frames
            time.sleep(max(0, EVERY - (time.monotonic() - begin - now)))
    finally:
        tmux("kill-server")
        os.rmdir(folder)


def atoms(text):
    """What a screen consists of: (kind, row, column, content, style), the smallest parts that come and go."""
    style = screen.Style()
    for row, line in enumerate(text.rstrip("\n").split("\n")):
        for start, characters, (fg, bg, bold, dim, underline), end in screen.runs(line, style):
            if bg:
                yield "rect", row, start, end - start, bg
            content = "".join(characters)
            if screen.is_braille(content[0]):
                for offset, character in enumerate(content):
                    if character != "\u2800":
                        yield "dots", row, start + offset, character, fg
                continue
            for word in re.finditer(r"\S+(?: \S+)*", content):
                column = start + sum(map(screen.width, content[:word.start()]))
                yield "text", row, column, word.group(), (fg, bold, dim, underline)


class Palette:
    """Short names of the colours, as classes."""

    def __init__(self):
        self.names = {}

    def __getitem__(self, colour):
        return self.names.setdefault(colour, f"c{len(self.names)}")

    def css(self):
        return "".join(f".{name}{{fill:{colour}}}" for colour, name in self.names.items())


def shapes(parts, palette):
    """The parts of one group as SVG elements: backgrounds, then dots (one path for each colour), then text."""
    width, height, margin = screen.CELL_WIDTH, screen.CELL_HEIGHT, screen.MARGIN
    dots = defaultdict(str)
    rectangles, texts = [], []
    for kind, row, column, content, style in sorted(parts, key=lambda part: part[1:3]):
        x, y = margin + column * width, margin + row * height
        if kind == "rect":
            rectangles.append(f'<rect x="{x:.1f}" y="{y}" width="{content * width:.1f}" height="{height}" class="{palette[style]}"/>')
        elif kind == "dots":
            dots[style] += screen.dots(x, y, content)
        else:
            fg, bold, dim, underline = style
            more = "".join([' font-weight="bold"' * bold, ' opacity=".65"' * dim, ' text-decoration="underline"' * underline])
            length = sum(map(screen.width, content)) * width
            # Fonts differ little in a short word.
            fit = f' textLength="{length:.1f}"' if len(content) > 5 else ""
            texts.append(f'<text x="{x:.1f}" y="{y + 13:g}"{fit} class="{palette[fg]}"{more}>{escape(content)}</text>')
    paths = [f'<path class="{palette[colour]}" d="{path}"/>' for colour, path in dots.items()]
    return "".join(rectangles + paths + texts)


def keyframes(visible, times):
    """The moments at which a group appears and disappears, as CSS; `visible` says for each capture whether it is on the screen."""
    rule, before = "", None
    for moment, shown in zip(times, visible):
        if shown != before:
            rule += f"{100 * moment / times[-1]:.2f}%{{visibility:{'visible' if shown else 'hidden'}}}"
        before = shown
    return rule


def draw(frames):
    seen = defaultdict(set)
    for index, (_, text, key) in enumerate(frames):
        for atom in atoms(text):
            seen[atom].add(index)
        if key:
            seen["text", ROWS + 0.6, 1, key, ("#f0c674", True, False, False)].add(index)
    groups = defaultdict(list)
    for atom, when in seen.items():
        groups[frozenset(when)].append(atom)
    begin, period = frames[0][0], frames[-1][0] - frames[0][0] + EVERY
    times = [moment - begin for moment, _, _ in frames] + [period]
    palette, rules, body = Palette(), [], []
    for when, parts in sorted(groups.items(), key=lambda group: (len(group[0]) < len(frames), min(group[0]))):
        content = shapes(parts, palette)
        if len(when) == len(frames):
            body.append(content)
            continue
        name = f"g{len(rules)}"
        rules.append(f"@keyframes {name}{{{keyframes([index in when for index in range(len(frames))], times)}}}.{name}{{animation-name:{name}}}")
        hidden = "" if len(frames) - 1 in when else ' visibility="hidden"'
        body.append(f'<g class="{name}"{hidden}>{content}</g>')
    w, h = COLUMNS * screen.CELL_WIDTH + 2 * screen.MARGIN, (ROWS + 1.5) * screen.CELL_HEIGHT + 2 * screen.MARGIN
    caption = f'<text x="{w - 2 * screen.MARGIN:.0f}" y="{h - screen.MARGIN:.0f}" text-anchor="end" fill="#8b95a5" font-size="13">{escape(CAPTION)}</text>'
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w:.0f} {h:.0f}" width="{w:.0f}" height="{h:.0f}" role="img">',
        f"<title>{escape(CAPTION)}</title>",
        "<style>text{white-space:pre}"
        f"g[class]{{animation-duration:{period:.1f}s;animation-timing-function:step-end;animation-iteration-count:infinite}}",
        "@media (prefers-reduced-motion:reduce){g[class]{animation:none}}",
        palette.css(), *rules, "</style>",
        f'<rect x=".5" y=".5" width="{w - 1:.0f}" height="{h - 1:.0f}" rx="8" fill="{screen.BACKGROUND}" stroke="#3b4252"/>',
        f'<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="{screen.FONT_SIZE}">',
        *body, caption, "</g>", "</svg>", ""])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.stdout.write(draw(record(os.path.realpath(sys.argv[1]))))
