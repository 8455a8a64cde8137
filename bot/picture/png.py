"""A drawing as an image. It takes tens of milliseconds, so it is made in a thread; the font comes along, as servers have none."""

import asyncio
from pathlib import Path
from typing import Final

import resvg_py

from bot.picture.graph import Graph
from bot.picture.svg import drawn

_FONT: Final = Path(__file__).with_name("DejaVuSans.ttf")
_ZOOM: Final = 2.0
_LARGEST: Final = 4_000
"""Pixels of a side; a larger drawing is made smaller."""


async def image_of(graph: Graph) -> bytes | None:
    """A graph as PNG; None if it cannot be drawn."""
    return await asyncio.to_thread(_image_of, graph)


def _image_of(graph: Graph) -> bytes | None:
    svg = drawn(graph)
    if svg is None:
        return None
    try:
        return bytes(
            resvg_py.svg_to_bytes(svg_string=svg, zoom=_zoom(svg), skip_system_fonts=True, font_files=[str(_FONT)])
        )
    except ValueError:
        return None


def _zoom(svg: str) -> float:
    sides = [float(svg.split(f'{side}="', 1)[1].split('"', 1)[0]) for side in ("width", "height")]
    return min(_ZOOM, _LARGEST / max(sides))
