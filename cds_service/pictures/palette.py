"""Colours, marker shapes and hatches. No meaning is carried by colour alone: shape, dash, hatch or words go along."""

from __future__ import annotations

from dataclasses import dataclass

# Okabe and Ito, "Color universal design", 2008
BLACK, ORANGE, SKY, GREEN = "#000000", "#e69f00", "#56b4e9", "#009e73"
BLUE, VERMILION, PURPLE = "#0072b2", "#d55e00", "#cc79a7"
INK, QUIET, GRID, PAPER, PALE, TINT = "#222222", "#555555", "#d9d9d9", "#ffffff", "#f2f2f2", "#cfe6f5"

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"

# Paths around 0,0 with a reach of 1.
SHAPES = {
    "circle": "M1,0 A1,1 0 1 1 -1,0 A1,1 0 1 1 1,0 Z",
    "square": "M-0.9,-0.9 H0.9 V0.9 H-0.9 Z",
    "diamond": "M0,-1.25 L1.25,0 L0,1.25 L-1.25,0 Z",
    "triangle": "M0,-1.15 L1.1,0.85 H-1.1 Z",
    "inverted": "M0,1.15 L1.1,-0.85 H-1.1 Z",
    "hexagon": "M1.1,0 L0.55,0.95 H-0.55 L-1.1,0 L-0.55,-0.95 H0.55 Z",
    "cross": "M-1,-0.5 L-0.5,-1 L0,-0.5 L0.5,-1 L1,-0.5 L0.5,0 L1,0.5 L0.5,1 L0,0.5 L-0.5,1 L-1,0.5 L-0.5,0 Z",
    "plus": "M-0.4,-1.1 H0.4 V-0.4 H1.1 V0.4 H0.4 V1.1 H-0.4 V0.4 H-1.1 V-0.4 H-0.4 Z",
}


@dataclass(frozen=True, slots=True)
class Look:
    """How one series is drawn: a shape and a colour that always go together."""

    shape: str
    colour: str


LOOKS = (
    Look("circle", BLUE),
    Look("square", VERMILION),
    Look("diamond", GREEN),
    Look("triangle", PURPLE),
    Look("inverted", ORANGE),
    Look("hexagon", SKY),
    Look("cross", BLACK),
    Look("plus", QUIET),
)
