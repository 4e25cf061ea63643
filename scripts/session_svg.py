#!/usr/bin/env python3
"""An animated SVG picture of a session: the recorded search, replayed by the real program in a pseudo-terminal.

    scripts/session_svg.py PROGRAM > docs/session.svg      # needs tmux; takes as long as the session

The program draws its screen about once a second (the key of `save_picture`) while other keys are typed, and the animation
plays these pictures with the times at which they were made. What is on the screen in several of them is drawn once: each word,
bar and Braille dot has the times at which it is visible. Without animation (a printer, prefers-reduced-motion) it is the picture
of the end.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unicodedata
import xml.etree.ElementTree as xml
from collections import defaultdict
from xml.sax.saxutils import escape

SPEED, COLUMNS, ROWS, EVERY = 8, 120, 36, 0.8
# Seconds after the beginning, the key pressed then, and its effect.
KEYS = [(13, "b", "b: the best network so far"), (16, "Escape", "Esc: back"), (18, "3", "3: all children"),
        (21, "p", "p: accuracy against cost"), (24, "1", "1: overview")]
PICTURE = "I"  # the key for a picture
NAMED = 2  # seconds for which the animation names a key
END = "REPLAY ENDED"
LAST, LONGEST = 4, 120  # seconds shown after the end, seconds after which there is none
CAPTION = f"nas-tui replay --sample --from 0 --speed {SPEED}: a real search, replayed at {SPEED} times its speed"
SVG = "{http://www.w3.org/2000/svg}"
FONT = 'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14"'
BELOW, MARGIN = 25.5, 12  # height of the row with the caption, width of the margin
MORE = ("font-weight", "opacity", "text-decoration")  # attributes of text besides its colour


def tmux(*arguments):
    command = ["tmux", "-L", f"nas-tui-session-{os.getpid()}", "-f", "/dev/null", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def picture(folder):
    """The screen as the program draws it; None if that takes too long."""
    tmux("send-keys", PICTURE)
    for _ in range(200):
        for name in os.listdir(folder):
            path = os.path.join(folder, name)
            # The name of a file is taken before its contents are there.
            if name.endswith(".svg") and os.path.getsize(path):
                with open(path) as file:
                    text = file.read()
                os.remove(path)
                return text
        time.sleep(0.01)
    return None


def record(program):
    """(seconds, picture of the screen, words about the key pressed) of each picture."""
    folder = tempfile.mkdtemp()
    variables = "TERM=tmux-256color COLORTERM=truecolor LC_ALL=C.UTF-8"
    tmux("new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), "-c", folder,
         f"{variables} '{program}' replay --sample --from 0 --speed {SPEED}")
    frames, keys, pressed, end, begin = [], list(KEYS), KEYS[0], None, time.monotonic()
    try:
        while not tmux("capture-pane", "-p").strip():
            time.sleep(0.05)
        while True:
            now = time.monotonic() - begin
            if keys and now >= keys[0][0]:
                pressed = keys.pop(0)
                tmux("send-keys", pressed[1])
                time.sleep(0.15)
            text = picture(folder)
            if text:
                frames.append((now, text, pressed[2] if pressed[0] <= now < pressed[0] + NAMED else ""))
            if end is None and text and END in text:
                end = now
            if end is not None and not keys and now > end + LAST or now > LONGEST:
                return frames
            time.sleep(max(0, EVERY - (time.monotonic() - begin - now)))
    finally:
        tmux("kill-server")
        shutil.rmtree(folder)


def columns(text):
    """Columns that a text takes in a terminal."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) > 0 for character in text)


def atoms(text):
    """What a picture consists of, the smallest parts that come and go: (kind, y, x, content, style)."""
    for element in xml.fromstring(text).find(SVG + "g"):
        kind, fill = element.tag.removeprefix(SVG), element.get("fill")
        if kind == "path":
            for x, y, dot in re.findall(r"M([\d.]+) ([\d.]+)([^M]+)", element.get("d")):
                yield kind, float(y), float(x), dot, fill
            continue
        x, y = float(element.get("x")), float(element.get("y"))
        if kind == "rect":
            yield kind, y, x, (element.get("width"), element.get("height")), fill
            continue
        cell = float(element.get("textLength")) / columns(element.text)
        style = (fill, *map(element.get, MORE))
        for word in re.finditer(r"\S+(?: \S+)*", element.text):
            before, own = columns(element.text[:word.start()]), columns(word.group())
            yield kind, y, round(x + before * cell, 1), (word.group(), round(own * cell, 1)), style


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
    dots = defaultdict(str)
    rectangles, texts = [], []
    for kind, y, x, content, style in sorted(parts, key=lambda part: part[1:3]):
        if kind == "rect":
            rectangles.append('<rect x="{:g}" y="{:g}" width="{}" height="{}" class="{}"/>'.format(x, y, *content, palette[style]))
        elif kind == "path":
            dots[style] += f"M{x:g} {y:g}{content}"
        else:
            (word, length), (fill, *more) = content, style
            attributes = "".join(f' {name}="{value}"' for name, value in zip(MORE, more) if value)
            # Fonts differ little in a short word.
            fit = f' textLength="{length:g}"' if len(word) > 5 else ""
            texts.append(f'<text x="{x:g}" y="{y:g}"{fit} class="{palette[fill]}"{attributes}>{escape(word)}</text>')
    paths = [f'<path class="{palette[colour]}" d="{path}"/>' for colour, path in dots.items()]
    return "".join(rectangles + paths + texts)


def keyframes(visible, times):
    """The moments at which a group appears and disappears, as CSS; `visible` says for each picture whether it is on the screen."""
    rule, before = "", None
    for moment, shown in zip(times, visible):
        if shown != before:
            rule += f"{100 * moment / times[-1]:.2f}%{{visibility:{'visible' if shown else 'hidden'}}}"
        before = shown
    return rule


def draw(frames):
    first = xml.fromstring(frames[0][1])
    (w, h), background = map(float, first.get("viewBox").split()[2:]), first.find(SVG + "rect").get("fill")
    seen = defaultdict(set)
    for index, (_, text, key) in enumerate(frames):
        for atom in atoms(text):
            seen[atom].add(index)
        if key:
            seen["text", h + MARGIN, 20.4, (key, 8.4 * len(key)), ("#f0c674", "bold", None, None)].add(index)
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
    h += BELOW
    caption = f'<text x="{w - 2 * MARGIN:.0f}" y="{h - MARGIN:.0f}" text-anchor="end" fill="#8b95a5" font-size="13">{escape(CAPTION)}</text>'
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w:.0f} {h:.0f}" width="{w:.0f}" height="{h:.0f}" role="img">',
        f"<title>{escape(CAPTION)}</title>",
        "<style>text{white-space:pre}"
        f"g[class]{{animation-duration:{period:.1f}s;animation-timing-function:step-end;animation-iteration-count:infinite}}",
        "@media (prefers-reduced-motion:reduce){g[class]{animation:none}}",
        palette.css(), *rules, "</style>",
        f'<rect x=".5" y=".5" width="{w - 1:.0f}" height="{h - 1:.0f}" rx="8" fill="{background}" stroke="#3b4252"/>',
        f"<g {FONT}>",
        *body, caption, "</g>", "</svg>", ""])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.stdout.write(draw(record(os.path.realpath(sys.argv[1]))))
