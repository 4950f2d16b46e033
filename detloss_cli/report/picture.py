"""One picture at the network input: boxes green with positives, red without, and over it the positive cells of each level."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont, ImageOps

from detloss_cli.errors import DetlossError
from detloss_cli.facts import ImageFacts, LevelFacts
from detloss_cli.report.picture_name import FORMATS
from detloss_cli.report.safe import safe

READABLE = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
# The padding of the trainers' letterbox.
PAD = (114, 114, 114)
WITH, WITHOUT, PAPER, INK = (64, 220, 96), (255, 64, 64), (24, 28, 34), (236, 240, 244)
# Fine to coarse; further levels begin again.
LEVELS = ((64, 156, 255), (255, 176, 32), (226, 92, 255), (32, 220, 220), (255, 120, 120))
SMALLEST = 640
LEGEND = 24


def picture(facts: ImageFacts, levels: Sequence[LevelFacts], name: str) -> bytes:
    """The drawn picture as a file.

    Args:
        levels: of the head, as in the cells. name: of the file, for its format.

    Raises:
        DetlossError: the picture cannot be read.
    """
    height, width = facts.imgsz
    zoom = max(1, -(-SMALLEST // max(height, width)))
    canvas = Image.new("RGB", (width * zoom, height * zoom), PAD)
    _paste(canvas, facts, zoom)
    cells = Image.new("RGBA", canvas.size, (0, 0, 0, 0))
    _draw_cells(ImageDraw.Draw(cells), facts, levels, zoom)
    canvas.paste(cells, (0, 0), cells)
    _draw_boxes(ImageDraw.Draw(canvas), facts, zoom)
    return _encoded(_with_legend(canvas, facts, levels), FORMATS[os.path.splitext(name)[1].lower()])


def _paste(canvas: Image.Image, facts: ImageFacts, zoom: int) -> None:
    """The picture upright where the trainer puts it; where there is none the padding stays."""
    if os.path.splitext(facts.path)[1].lower() == ".txt":
        return
    x1, y1, x2, y2 = (round(side * zoom) for side in facts.placed)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(facts.path, formats=READABLE) as opened:
                upright = ImageOps.exif_transpose(opened).convert("RGB").resize((max(1, x2 - x1), max(1, y2 - y1)))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DetlossError("the picture cannot be read", where=facts.path, hint=" ".join(str(error).split())[:120]) from error
    canvas.paste(upright, (x1, y1))


def _draw_cells(draw: ImageDraw.ImageDraw, facts: ImageFacts, levels: Sequence[LevelFacts], zoom: int) -> None:
    """Each positive cell once, coarse levels below fine ones."""
    for level in reversed(range(len(levels))):
        side = levels[level].stride * zoom
        color = LEVELS[level % len(LEVELS)]
        for row, col in sorted({(row, col) for at, row, col, *_ in facts.cells.tolist() if at == level}):
            x, y = col * side, row * side
            draw.rectangle((x, y, x + side - 1, y + side - 1), fill=(*color, 70), outline=(*color, 255))


def _draw_boxes(draw: ImageDraw.ImageDraw, facts: ImageFacts, zoom: int) -> None:
    """Boxes without positives last and thicker: they are what one looks for."""
    font = ImageFont.load_default(11)
    got = facts.positives.sum(axis=1) > 0
    for box in sorted(range(len(facts.boxes_xyxy)), key=lambda i: not got[i]):
        x1, y1, x2, y2 = (float(side) * zoom for side in facts.boxes_xyxy[box])
        color = WITH if got[box] else WITHOUT
        draw.rectangle((x1, y1, max(x1, x2), max(y1, y2)), outline=color, width=2 if got[box] else 3)
        label = f"{facts.line[box]} {safe(facts.name[box])[:24]}"
        top = y1 - 13 if y1 >= 13 else y2 + 1
        draw.rectangle((x1, top, x1 + draw.textlength(label, font=font) + 4, top + 12), fill=color)
        draw.text((x1 + 2, top - 1), label, fill=PAPER, font=font)


def _with_legend(canvas: Image.Image, facts: ImageFacts, levels: Sequence[LevelFacts]) -> Image.Image:
    """The picture with a strip below: counts, and which colour is which level."""
    font = ImageFont.load_default(13)
    got = int((facts.positives.sum(axis=1) > 0).sum())
    parts = [(f"{got} with positives", WITH), (f"{len(facts.positives) - got} without", WITHOUT)]
    for index, level in enumerate(levels):
        number = int(facts.positives[:, index].sum()) if len(facts.positives) else 0
        parts.append((f"{level.level}/{level.stride}: {number}", LEVELS[index % len(LEVELS)]))
    whole = Image.new("RGB", (canvas.width, canvas.height + LEGEND), PAPER)
    whole.paste(canvas, (0, 0))
    draw, x = ImageDraw.Draw(whole), 8.0
    for text, color in parts:
        draw.rectangle((x, canvas.height + 7, x + 10, canvas.height + 17), fill=color)
        draw.text((x + 15, canvas.height + 4), text, fill=INK, font=font)
        x += 31 + draw.textlength(text, font=font)
    return whole


def _encoded(image: Image.Image, kind: str) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, quality=90)
    return stream.getvalue()
