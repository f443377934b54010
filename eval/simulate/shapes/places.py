"""Houses, land, rooms, and the flyers of services."""

from __future__ import annotations

from eval.simulate.dice import Dice
from eval.simulate.shapes.parts import GLOWS, WHITE, Parameters, count, scribble, spread, star, wheel, word
from eval.simulate.sketch import Colour, Sketch, around, mix

_SKY: Colour = (164, 204, 232)


def house(s: Sketch, p: Parameters, dice: Dice) -> None:
    storeys, windows, roof = count(p, "storeys", 1), count(p, "windows", 2), word(p, "roof", "flat")
    half = 0.5 if storeys > 3 else 0.68
    floor, top = 0.85, 0.85 - 0.3 * storeys - 0.12 if storeys > 1 else 0.1
    if not count(p, "tower"):
        s.rect(-1, -1, 1, floor, mix(_SKY, WHITE, dice.between(0, 0.5)))
        s.rect(-1, floor, 1, 1, s.inks.leaf if storeys < 4 else (110, 110, 114))
    if count(p, "sun"):
        s.oval(0.72, -0.72, 0.2, 0.2, (252, 212, 70))
    for x in (-0.86, 0.88) if count(p, "trees") else ():
        s.rect(x - 0.04, 0.4, x + 0.04, floor, s.inks.wood)
        s.oval(x, 0.25, 0.2, 0.34, s.inks.leaf)
    if count(p, "chimney"):
        s.rect(0.3, top - 0.5, 0.44, top, s.inks.shade)
    s.rect(-half, top, half, floor, s.inks.main)
    for y in spread(5, top + 0.1, floor - 0.05) if count(p, "planks") else ():
        s.line([(-half, y), (half, y)], 0.025, s.inks.shade)
    high = {"gable": 0.42, "steep": 0.95}.get(roof, 0.0)
    tile: Colour = (150, 70, 54) if roof == "gable" else (84, 72, 70)
    if high:
        s.poly([(-half - 0.12, top), (0, top - high), (half + 0.12, top)], tile)
    else:
        s.rect(-half - 0.04, top - 0.07, half + 0.04, top, s.inks.shade)
    _facade(s, p, half, top, floor, storeys, windows)
    _additions(s, p, half, top, floor, dice)


def _facade(s: Sketch, p: Parameters, half: float, top: float, floor: float, storeys: int, windows: int) -> None:
    cells = s.grid((-half + 0.03, top + 0.02, half - 0.03, floor - 0.04), storeys, windows) if windows else []
    for (x0, y0), (x1, y1) in cells:
        x, wide = (x0 + x1) / 2, min(0.14, (x1 - x0) * 0.42)
        s.rect(x - wide, y0 + 0.03, x + wide, y1 - 0.03, s.inks.glass)
        s.line([(x, y0 + 0.03), (x, y1 - 0.03)], 0.025, WHITE)
        if count(p, "balconies"):
            s.rect(x - wide * 1.4, y1 - 0.1, x + wide * 1.4, y1, WHITE)
    if count(p, "garage"):
        s.rect(-half * 0.75, top + 0.14, half * 0.75, floor, s.inks.pale)
        for y in spread(5, top + 0.22, floor - 0.06):
            s.line([(-half * 0.75, y), (half * 0.75, y)], 0.025, s.inks.shade)
    else:
        s.rect(-0.11, floor - 0.32, 0.11, floor, s.inks.ink if storeys > 3 else s.inks.wood)


def _additions(s: Sketch, p: Parameters, half: float, top: float, floor: float, dice: Dice) -> None:
    for side in (-1, 1) if count(p, "tower") else ():
        s.rect(side * 0.55, top - 0.35, side * 0.92, floor, s.inks.shade)
        for x in (0.55, 0.7, 0.85):
            s.rect(side * x, top - 0.47, side * (x + 0.08), top - 0.33, s.inks.shade)
        s.poly([(side * 0.72, top - 0.8), (side * 0.95, top - 0.68), (side * 0.72, top - 0.56)], s.inks.accent)
        s.line([(side * 0.72, top - 0.8), (side * 0.72, top - 0.4)], 0.03, s.inks.ink)
    if count(p, "sign"):
        s.rect(0.42, 0.3, 0.98, 0.66, WHITE)
        s.rect(0.42, 0.3, 0.98, 0.42, (214, 50, 50))
        scribble(s, (0.5, 0.46, 0.92, 0.62), 2, (60, 60, 60), dice)
        s.rect(0.68, 0.66, 0.74, 0.95, s.inks.wood)


def plot(s: Sketch, p: Parameters, dice: Dice) -> None:
    s.rect(-1, -1, 1, -0.1, _SKY)
    s.rect(-1, -0.1, 1, 1, s.inks.main)
    s.poly([(-0.2, 1), (0.4, 1), (0.1, -0.1), (0.0, -0.1)], (176, 150, 106))
    for x in spread(count(p, "trees", 3), -0.75, 0.8):
        y = dice.between(-0.25, 0.0)
        s.rect(x - 0.03, y, x + 0.03, y + 0.25, s.inks.wood)
        s.oval(x, y - 0.12, 0.19, 0.24, s.inks.shade)
    if count(p, "fence"):
        for x in spread(9, -0.95, 0.95):
            s.rect(x - 0.03, 0.35, x + 0.03, 0.75, WHITE)
        for y in (0.45, 0.62):
            s.line([(-1, y), (1, y)], 0.04, WHITE)


def room(s: Sketch, p: Parameters, dice: Dice) -> None:
    s.rect(-1, -1, 1, 0.35, s.inks.main)
    s.rect(-1, 0.35, 1, 1, s.inks.wood)
    s.rect(-0.8, -0.75, -0.1, 0.0, WHITE)
    s.rect(-0.74, -0.69, -0.16, -0.06, _SKY)
    s.line([(-0.45, -0.7), (-0.45, 0)], 0.04, WHITE)
    s.rect(0.1, 0.0, 0.95, 0.6, s.inks.shade)
    s.rect(0.1, 0.25, 0.95, 0.7, s.inks.accent, 0.05)
    s.rect(0.2, 0.1, 0.5, 0.3, WHITE, 0.06)
    s.rect(-0.85, 0.2, -0.3, 0.28, s.inks.shade)
    for x in (-0.8, -0.38):
        s.rect(x, 0.28, x + 0.05, 0.75, s.inks.shade)
    s.line([(0.5, -1), (0.5, -0.7)], 0.03, s.inks.ink)
    s.poly([(0.4, -0.7), (0.6, -0.7), (0.7, -0.5), (0.3, -0.5)], dice.pick(GLOWS))


def flyer(s: Sketch, p: Parameters, dice: Dice) -> None:
    s.rect(-0.72, -0.96, 0.72, 0.96, WHITE)
    s.rect(-0.72, -0.96, 0.72, -0.6, s.inks.main)
    scribble(s, (-0.58, -0.88, 0.58, -0.68), 1, s.inks.contrast, dice)
    scribble(s, (-0.55, 0.42, 0.55, 0.72), 3, (130, 130, 136), dice)
    s.rect(-0.72, 0.8, 0.72, 0.96, s.inks.main)
    s.rect(-0.4, 0.84, 0.4, 0.92, s.inks.contrast)
    _icon(s.inset(0, -0.1, 0.46), word(p, "icon"), dice)


def _icon(s: Sketch, kind: str, dice: Dice) -> None:
    dark = mix(s.inks.main, s.inks.ink, 0.4)
    if kind == "tap":
        s.line([(-0.7, -0.2), (0.4, -0.2), (0.5, 0.2)], 0.3, s.inks.metal)
        s.rect(-0.25, -0.75, -0.1, -0.3, s.inks.metal)
        s.rect(-0.5, -0.85, 0.15, -0.7, dark)
        s.oval(0.5, 0.65, 0.17, 0.24, (70, 150, 230))
    elif kind == "roller":
        s.rect(-0.8, -0.8, 0.6, -0.35, s.inks.main, 0.1)
        s.line([(0.6, -0.58), (0.85, -0.58), (0.85, -0.1), (0, -0.1), (0, 0.2)], 0.09, s.inks.metal)
        s.rect(-0.12, 0.2, 0.12, 0.9, dark)
    elif kind == "van":
        s.rect(-0.3, -0.55, 0.95, 0.4, s.inks.main)
        s.poly([(-0.95, 0.4), (-0.95, 0.0), (-0.7, -0.3), (-0.3, -0.3), (-0.3, 0.4)], dark)
        wheel(s, -0.55, 0.45, 0.22)
        wheel(s, 0.55, 0.45, 0.22)
    elif kind == "hammer":
        s.line([(-0.6, 0.85), (0.25, -0.4)], 0.2, s.inks.wood)
        s.line([(-0.2, -0.7), (0.75, -0.1)], 0.34, dark)
    elif kind == "plant":
        s.line([(0, 0.9), (0, -0.2)], 0.1, s.inks.leaf)
        s.oval(-0.4, -0.1, 0.4, 0.22, s.inks.leaf)
        s.oval(0.4, -0.4, 0.4, 0.22, s.inks.leaf)
        s.oval(0, -0.7, 0.2, 0.24, s.inks.leaf)
    elif kind == "book":
        s.poly([(0, -0.4), (-0.95, -0.6), (-0.95, 0.5), (0, 0.7)], dark)
        s.poly([(0, -0.4), (0.95, -0.6), (0.95, 0.5), (0, 0.7)], s.inks.main)
        s.line([(0, -0.4), (0, 0.7)], 0.06, WHITE)
    elif kind == "note":
        s.line([(-0.35, 0.5), (-0.35, -0.7), (0.6, -0.85), (0.6, 0.35)], 0.13, dark)
        s.oval(-0.52, 0.55, 0.26, 0.2, dark)
        s.oval(0.43, 0.4, 0.26, 0.2, dark)
    elif kind == "car":
        s.rect(-0.9, -0.05, 0.9, 0.4, s.inks.main, 0.1)
        s.poly([(-0.6, -0.05), (-0.35, -0.5), (0.35, -0.5), (0.65, -0.05)], dark)
        wheel(s, -0.5, 0.42, 0.22)
        wheel(s, 0.5, 0.42, 0.22)
        s.rect(-0.16, -0.8, 0.16, -0.5, (60, 110, 210))
    elif kind == "balloon":
        for x, fill in ((-0.5, GLOWS[0]), (0.0, GLOWS[4]), (0.5, GLOWS[2])):
            s.line([(x, 0), (0, 0.95)], 0.04, s.inks.ink)
            s.oval(x, -0.4 - 0.2 * (x == 0), 0.32, 0.4, fill)
    elif kind == "wrench":
        s.line([(-0.5, 0.7), (0.4, -0.4)], 0.24, dark)
        s.arc(0.5, -0.52, 0.4, 0.4, 0, 260, 0.2, dark)
        star(s, -0.45, -0.45, 0.4, s.inks.main, 8)
        s.oval(-0.45, -0.45, 0.12, 0.12, WHITE)
    else:
        for side in (-1, 1):
            s.line([(side * 0.45, 0.5), (-side * 0.35, -0.9)], 0.12, s.inks.metal)
            s.ring(side * 0.5, 0.62, 0.3, 0.12, dark)
        for dx, dy in around(6):
            s.oval(0.75 + dx * 0.14, -0.4 + dy * 0.14, 0.1, 0.1, GLOWS[3])
        s.oval(0.75, -0.4, 0.08, 0.08, GLOWS[4])
