"""The animated picture of a session: each part is visible when it was on the screen, and drawn once."""
import sys
import unittest
import xml.etree.ElementTree as xml
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
sys.path.insert(0, str(SCRIPTS))
import session_svg  # noqa: E402

SVG = "{http://www.w3.org/2000/svg}"


def picture(text, *others):
    """A picture as the program draws it, of one run of text and other shapes."""
    length = f"{8.4 * len(text):.1f}"
    shapes = [f'<text x="12.0" y="25" textLength="{length}" lengthAdjust="spacingAndGlyphs" fill="#d8dee9">{text}</text>', *others]
    return "\n".join(['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 58" width="200" height="58">', "<title>t</title>",
                      '<rect width="100%" height="100%" fill="#11151c"></rect>', "<g>", *shapes, "</g></svg>"])


DOTS = '<path d="M13.2 30.0h2.2v2.2h-2.2zM17.1 30.0h2.2v2.2h-2.2z" fill="#cc6666"></path>'
# Drawn at 0, 1 and 3 seconds; the third screen is shown for as long as a picture takes.
FRAMES = [(10.0, picture("name  early", DOTS), ""), (11.0, picture("name  late"), "b: best"), (13.0, picture("name  early"), "")]


def words(element):
    return ["".join(text.itertext()) for text in element.iter(SVG + "text")]


class Session(unittest.TestCase):
    def setUp(self):
        self.text = session_svg.draw(FRAMES)
        self.picture = xml.fromstring(self.text)
        self.groups = {words(group)[0]: group for group in self.picture.iter(SVG + "g") if group.get("class") and words(group)}

    def keyframes(self, word):
        name = self.groups[word].get("class")
        return self.text.split(f"@keyframes {name}{{")[1].split("}}")[0]

    def test_what_is_always_on_the_screen_is_not_animated(self):
        self.assertEqual(words(self.picture).count("name"), 1)
        self.assertNotIn("name", self.groups)

    def test_a_word_is_visible_at_the_times_at_which_it_was_on_the_screen(self):
        self.assertEqual(words(self.picture).count("early"), 1)
        period = 3 + session_svg.EVERY
        expected = [(0, "visible"), (1, "hidden"), (3, "visible")]
        rule = "}".join(f"{100 * time / period:.2f}%{{visibility:{shown}" for time, shown in expected)
        self.assertEqual(self.keyframes("early"), rule)
        self.assertTrue(self.keyframes("late").startswith("0.00%{visibility:hidden}"))

    def test_without_animation_the_last_screen_is_shown(self):
        hidden = {word: group.get("visibility") for word, group in self.groups.items()}
        self.assertEqual(hidden, {"early": None, "late": "hidden"})

    def test_the_picture_names_the_key_that_was_pressed(self):
        self.assertIn("b: best", words(self.groups["late"]))

    def test_the_dots_of_one_colour_are_one_path(self):
        paths = [path.get("d") for path in self.picture.iter(SVG + "path")]
        self.assertEqual(paths, ["M13.2 30h2.2v2.2h-2.2zM17.1 30h2.2v2.2h-2.2z"])

    def test_a_word_stands_where_it_stood_in_its_run(self):
        early = next(text for text in self.picture.iter(SVG + "text") if text.text == "early")
        self.assertEqual((early.get("x"), early.get("y")), ("62.4", "25"))

    def test_the_picture_in_the_documents_is_small_and_tells_its_speed(self):
        picture = (SCRIPTS.parent / "docs" / "session.svg").read_text()
        self.assertLess(len(picture.encode()), 450_000)
        self.assertIn(session_svg.CAPTION, words(xml.fromstring(picture)))


if __name__ == "__main__":
    unittest.main()
