"""How the graph of a workflow is drawn: laid out by graphlay, which is young, so only this module knows it."""

from html import escape
from itertools import pairwise
from typing import Any, Final

import graphlay

from bot.picture.graph import Graph, Mark, Node

_PADDING: Final = 24.0
_HEIGHT: Final = 38.0
_PER_CHARACTER: Final = 7.9
_NARROWEST: Final = 130.0
_COLOURS: Final[dict[Mark, tuple[str, str]]] = {
    "plain": ("#2b2d31", "#80848e"),
    "start": ("#1e1f22", "#5865f2"),
    "done": ("#1f3a2a", "#3ba55d"),
    "here": ("#23305a", "#5865f2"),
    "waiting": ("#45381a", "#faa81a"),
    "failed": ("#4a2327", "#ed4245"),
}
"""Of each mark: what it is filled with, and its edge."""
_BACKGROUND: Final = "#313338"
_LINE: Final = "#b5bac1"
_SIDE_LINE: Final = "#80848e"
_TEXT: Final = "#f2f3f5"


def drawn(graph: Graph) -> str | None:
    """A graph as SVG; None if it cannot be laid out."""
    laid = graphlay.Graph()
    for node in graph.nodes:
        laid.node(node.id, width=_width(node), height=_HEIGHT)
    for edge in graph.edges:
        laid.edge(edge.source, edge.target, weight=8.0 if edge.main else 1.0)
    try:
        layout = graphlay.layout(laid, preset="layered", options={"direction": "topbottom"})
    except (graphlay.GraphlayError, ValueError):
        return None
    low, high = layout.bounds["min"], layout.bounds["max"]
    left, top = low["x"] - _PADDING, low["y"] - _PADDING
    width, height = high["x"] - left + _PADDING, high["y"] - top + _PADDING
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{left:.1f} {top:.1f} {width:.1f} {height:.1f}" '
        f'width="{width:.0f}" height="{height:.0f}" font-family="DejaVu Sans" font-size="13">',
        '<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        f'<path d="M0 0 8 4 0 8z" fill="{_LINE}"/></marker></defs>',
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{_BACKGROUND}"/>',
    ]
    routes = list(zip(graph.edges, (route["points"] for route in layout.edges), strict=True))
    positions = layout.positions()
    parts.extend(_line(points, main=edge.main) for edge, points in routes)
    parts.extend(_box(node, *positions[node.id]) for node in graph.nodes)
    parts.extend(_words(edge.label, points) for edge, points in routes if edge.label)
    return "".join((*parts, "</svg>"))


def _width(node: Node) -> float:
    return max(_NARROWEST, len(node.label) * _PER_CHARACTER + 28.0)


def _line(points: list[dict[str, float]], *, main: bool) -> str:
    way = " ".join(f"{point['x']:.1f},{point['y']:.1f}" for point in points)
    dashes = "" if main else ' stroke-dasharray="5 4"'
    return (
        f'<polyline points="{way}" fill="none" stroke="{_LINE if main else _SIDE_LINE}" '
        f'stroke-width="1.6"{dashes} marker-end="url(#a)"/>'
    )


def _words(label: str, points: list[dict[str, float]]) -> str:
    """A way's label, beside its longest stretch."""
    stretches = list(pairwise(points))
    begin, end = max(stretches, key=lambda pair: abs(pair[0]["x"] - pair[1]["x"]) + abs(pair[0]["y"] - pair[1]["y"]))
    x, y = (begin["x"] + end["x"]) / 2 + 5.0, (begin["y"] + end["y"]) / 2 - 3.0
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{_LINE}" font-size="11" stroke="{_BACKGROUND}" stroke-width="4" '
        f'paint-order="stroke">{_shown(label)}</text>'
    )


def _box(node: Node, x: float, y: float) -> str:
    fill, edge = _COLOURS[node.mark]
    width = _width(node)
    round_ = _HEIGHT / 2 if node.mark == "start" else 6.0
    return (
        f'<rect x="{x - width / 2:.1f}" y="{y - _HEIGHT / 2:.1f}" width="{width:.1f}" height="{_HEIGHT:.1f}" '
        f'rx="{round_:.0f}" fill="{fill}" stroke="{edge}" stroke-width="1.6"/>'
        f'<text x="{x:.1f}" y="{y + 4.5:.1f}" fill="{_TEXT}" text-anchor="middle">{_shown(node.label)}</text>'
    )


def _shown(text: Any) -> str:
    return escape("".join(character if character.isprintable() else " " for character in str(text)))
