"""How cards are drawn; run by `cards.pdf` as a program of its own: MessagePack in, a PDF out."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from itertools import groupby

import msgspec
import segno
from fpdf import FPDF

from killer.mail.addresses import plain
from killer.mail.cards import Card, Words
from killer.mail.glyphs import FONT, NAME, readable, width

# Millimetres on A4.
WIDTH, HEIGHT = 85.0, 54.0
COLUMNS, ROWS = 2, 5
LEFT, TOP = (210 - COLUMNS * WIDTH) / 2, (297 - ROWS * HEIGHT) / 2
MARK = 5.0  # a cut mark
PAD = 5.0
CODE = 38.0  # with its quiet zone of four modules
TEXT_LEFT, TEXT_WIDTH = 6.0, WIDTH - CODE - 9.5
NAME_HEIGHT = 21.5
SIZES = (22, 20, 18, 16, 14, 12.5, 11, 10, 9, 8, 7)  # points
BREAKING = 9.0  # points at which a long word is broken rather than set still smaller
POINT = 25.4 / 72  # millimetres
LINE = 0.42  # millimetres of a line for each point of its size
INK, SOFT, SIGNAL, EDGE = (16, 20, 23), (74, 82, 88), (196, 34, 10), (150, 156, 152)


def pdf(cards: Sequence[Card], texts: Words) -> bytes:
    """Draw cards on A4, ten on a page, with cut marks; about 8 ms of one core for each."""
    paper = FPDF(format="A4")
    paper.set_auto_page_break(auto=False)
    paper.set_margin(0)
    paper.set_title(f"Killer: {texts.game}")
    paper.add_font(NAME, fname=FONT)
    for start in range(0, len(cards), COLUMNS * ROWS):
        paper.add_page()
        on_page = cards[start : start + COLUMNS * ROWS]
        _cut_marks(paper)
        for place, card in enumerate(on_page):
            row, column = divmod(place, COLUMNS)
            _card(paper, LEFT + column * WIDTH, TOP + row * HEIGHT, card, texts)
    return bytes(paper.output())


def _cut_marks(paper: FPDF) -> None:
    """Mark where to cut: outside the cards, and a small cross wherever four of them meet."""
    paper.set_draw_color(*EDGE)
    paper.set_line_width(0.15)
    right, bottom = LEFT + COLUMNS * WIDTH, TOP + ROWS * HEIGHT
    for x in (LEFT + n * WIDTH for n in range(COLUMNS + 1)):
        paper.line(x, TOP - MARK - 1, x, TOP - 1)
        paper.line(x, bottom + 1, x, bottom + MARK + 1)
        for y in (TOP + n * HEIGHT for n in range(ROWS + 1)):
            paper.line(LEFT - MARK - 1, y, LEFT - 1, y)
            paper.line(right + 1, y, right + MARK + 1, y)
            paper.line(x - 1, y, x + 1, y)
            paper.line(x, y - 1, x, y + 1)


def _card(paper: FPDF, x: float, y: float, card: Card, texts: Words) -> None:
    _frame(paper, x, y)
    left, top = x + TEXT_LEFT, y + PAD + 1.2
    _reticle(paper, left + 1.9, top + 1.6)
    paper.set_text_color(*INK)
    _line(paper, left + 5.2, top - 0.1, "KILLER", 9.5)
    paper.set_text_color(*SOFT)
    _block(paper, left, top + 5.2, readable(texts.game), (7.5, 7, 6.5, 6), 6.4)
    paper.set_text_color(*INK)
    _block(paper, left, top + 13.2, readable(plain(card.nickname)), SIZES, NAME_HEIGHT)
    paper.set_text_color(*SOFT)
    _block(paper, left, y + HEIGHT - 15.4, texts.how, (6.5, 6, 5.5), 5.6)
    paper.set_text_color(*SIGNAL)
    _block(paper, left, y + HEIGHT - 9.4, texts.warning, (6, 5.5, 5), 5.2)
    _code(paper, x + WIDTH - CODE - 2.2, y + (HEIGHT - CODE) / 2, card.url)


def _frame(paper: FPDF, x: float, y: float) -> None:
    """Draw the corners of the dossier's sheet."""
    paper.set_draw_color(*SIGNAL)
    paper.set_line_width(1.0)
    near, far, arm = 3.0, 3.0, 5.5
    right, bottom = x + WIDTH - far, y + HEIGHT - far
    paper.line(right - arm, y + near, right + 0.5, y + near)
    paper.line(right, y + near, right, y + near + arm)
    paper.line(x + near - 0.5, bottom, x + near + arm, bottom)
    paper.line(x + near, bottom - arm, x + near, bottom)


def _reticle(paper: FPDF, x: float, y: float) -> None:
    paper.set_draw_color(*SIGNAL)
    paper.set_line_width(0.45)
    paper.circle(x, y, 1.25)
    for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        paper.line(x + 0.7 * dx, y + 0.7 * dy, x + 1.9 * dx, y + 1.9 * dy)


def _line(paper: FPDF, x: float, y: float, text: str, size: float) -> None:
    paper.set_font(NAME, size=size)
    paper.set_xy(x, y)
    paper.cell(text=text, h=size * LINE)


def _block(
    paper: FPDF, x: float, y: float, text: str, sizes: Sequence[float], height: float
) -> None:
    """Set a text as large as it fits, in as many lines as that takes."""
    for size in sizes:
        lines = _broken(text, size)
        if len(lines) * size * LINE <= height and all(_fits(line, size) for line in lines):
            break
    for number, line in enumerate(lines):
        _line(paper, x, y + number * size * LINE, line, size)


def _fits(line: str, size: float) -> bool:
    return width(line) * size * POINT <= TEXT_WIDTH


def _broken(text: str, size: float) -> list[str]:
    """Break a text between words and after hyphens.

    A word too long for a line asks for a smaller size, and is itself broken at a small one.
    """
    lines = [""]
    for word in re.findall(r"[^\s-]*-+|[^\s-]+|\s", text):
        longer = lines[-1] + word
        if lines[-1] and not _fits(longer.rstrip(), size):
            lines.append(word.lstrip())
        else:
            lines[-1] = longer
    lines = [line.strip() for line in lines if line.strip()]
    if size > BREAKING:
        return lines
    return [piece for line in lines for piece in _pieces(line, size)]


def _pieces(line: str, size: float) -> list[str]:
    pieces = [""]
    for letter in line:
        if not _fits(pieces[-1] + letter, size):
            pieces.append("")
        pieces[-1] += letter
    return pieces


def _code(paper: FPDF, x: float, y: float, url: str) -> None:
    """Draw a QR code as rectangles, each as long as its modules are dark."""
    paper.set_fill_color(*INK)
    rows = list(segno.make(url, error="m", micro=False).matrix_iter(border=4))
    side = CODE / len(rows)
    for number, row in enumerate(rows):
        column = 0
        for dark, run in groupby(row):
            length = len(list(run))
            if dark:
                # a hair taller than a module, so that no viewer shows white between two rows
                paper.rect(x + column * side, y + number * side, length * side, side * 1.02, "F")
            column += length


if __name__ == "__main__":
    asked = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=tuple[list[Card], Words])
    sys.stdout.buffer.write(pdf(*asked))
