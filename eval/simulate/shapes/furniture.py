"""Furniture, large appliances and lamps."""

from __future__ import annotations

from eval.simulate.dice import Dice
from eval.simulate.shapes.parts import (
    GLOWS,
    LAMPS,
    WHITE,
    Box,
    Parameters,
    at,
    count,
    fitted,
    number,
    spread,
    within,
    word,
)
from eval.simulate.sketch import Colour, Sketch, mix


def sofa(s: Sketch, p: Parameters, dice: Dice) -> None:
    seats, arm = count(p, "seats", 2), number(p, "arms", 0.15)
    half = 0.5 if seats == 1 else 0.74 + 0.07 * seats
    for x in (-half + 0.08, half - 0.14) if count(p, "legs") else ():
        s.rect(x, 0.6, x + 0.06, 0.78, s.inks.wood)
    s.rect(-half, -0.42, half, 0.3, s.inks.shade, 0.1)
    cells = s.grid((-half + arm, -0.36, half - arm, 0.1), 1, seats)
    for (x0, y0), (x1, y1) in cells:
        s.rect(x0 - 0.02, y0, x1 + 0.02, y1 + 0.06, s.inks.main, 0.08)
    s.rect(-half, 0.14, half, 0.62, s.inks.shade, 0.05)
    for (x0, _), (x1, _) in cells:
        s.rect(x0 - 0.03, 0.12, x1 + 0.03, 0.36, s.inks.tint, 0.06)
    for x in (-half, half - arm):
        s.rect(x, -0.1, x + arm, 0.64, s.inks.main, min(arm / 2, 0.08))
    if count(p, "pulled"):
        s.poly([(-half + arm, 0.3), (half - arm, 0.3), (half, 0.86), (-half, 0.86)], s.inks.tint)
        s.rect(-half, 0.86, half, 0.96, s.inks.shade)
    if count(p, "corner"):
        s.poly([(half - 0.55, 0.16), (half, 0.16), (half, 0.92), (half - 0.62, 0.92)], s.inks.main)
        s.rect(half - 0.6, 0.78, half, 0.92, s.inks.shade)


def chair(s: Sketch, p: Parameters, dice: Dice) -> None:
    back, kind, half = number(p, "back", 0.8), word(p, "legs", "four"), number(p, "seat", 0.42)
    seat = 0.12 if kind != "none" else 0.4
    if kind == "stool":
        seat = -0.3
    top = seat - back * 0.95
    _chair_legs(s, kind, half, seat)
    if count(p, "padded"):
        s.rect(-half * 0.9, top, half * 0.9, seat, s.inks.main, 0.16)
        s.rect(-half * 0.6, top + 0.1, half * 0.6, seat - 0.1, s.inks.tint, 0.1)
    else:
        for x in (-half, half - 0.07):
            s.rect(x, top, x + 0.07, seat, s.inks.main)
        slats = count(p, "slats")
        for y in spread(3, top + 0.05, seat - 0.25) if slats == 3 else ():
            s.rect(-half, y, half, y + 0.1, s.inks.main)
        for x in spread(slats, -half + 0.1, half - 0.1) if slats > 3 else ():
            s.rect(x - 0.03, top, x + 0.03, seat, s.inks.main)
        if not slats:
            s.rect(-half, top, half, seat - back * 0.5, s.inks.main, 0.05)
        s.rect(-half, top, half, top + 0.08, s.inks.shade)
    s.rect(-half - 0.06, seat, half + 0.06, seat + (0.2 if "padded" in p else 0.1), s.inks.shade, 0.05)
    for side in (-1, 1) if count(p, "arms") else ():
        s.rect(side * (half + 0.02), seat - 0.32, side * (half + 0.16), seat - 0.22, s.inks.shade, 0.03)
        s.rect(side * (half + 0.06), seat - 0.3, side * (half + 0.13), seat + 0.1, s.inks.shade)
    if count(p, "belt"):
        s.line([(-0.2, top + 0.15), (0, seat - 0.1), (0.2, top + 0.15)], 0.08, s.inks.accent)
        s.rect(-0.07, seat - 0.14, 0.07, seat, (210, 40, 40))
    if count(p, "tray"):
        s.rect(-half - 0.25, seat - 0.2, half + 0.25, seat - 0.08, WHITE, 0.05)


def _chair_legs(s: Sketch, kind: str, half: float, seat: float) -> None:
    if kind in ("four", "rocker"):
        for x in (-half, half - 0.08, -half * 0.6, half * 0.5):
            s.rect(x, seat, x + 0.08, 0.88, s.inks.main if abs(x) > half * 0.7 else s.inks.shade)
    if kind == "rocker":
        s.arc(0, 0.2, 0.95, 0.76, 35, 145, 0.09, s.inks.main)
    elif kind == "wheels":
        s.rect(-0.05, seat, 0.05, 0.75, s.inks.metal)
        for x in (-0.5, 0, 0.5):
            s.line([(0, 0.68), (x, 0.85)], 0.07, s.inks.ink)
            s.oval(x, 0.9, 0.08, 0.08, s.inks.ink)
    elif kind == "stool":
        for x in (-0.42, 0.42):
            s.line([(x * 0.5, seat), (x, 0.95)], 0.07, s.inks.metal)
        s.line([(-0.36, 0.55), (0.36, 0.55)], 0.05, s.inks.metal)
    elif kind == "cross":
        s.line([(-0.4, seat), (0.5, 0.95)], 0.08, s.inks.main)
        s.line([(0.4, seat), (-0.5, 0.95)], 0.08, s.inks.main)


def table(s: Sketch, p: Parameters, dice: Dice) -> None:
    half, high, kind = number(p, "width", 0.9), number(p, "height", 0.5), word(p, "legs", "four")
    top, floor = -0.15 if high > 0.4 else 0.05, (-0.15 if high > 0.4 else 0.05) + high * 1.5
    for side in (-1, 1) if count(p, "chairs") else ():
        s.rect(side * 0.72, top - 0.4, side * 0.8, floor, s.inks.shade)
        s.rect(side * 0.72, top + 0.25, side * 0.98, top + 0.33, s.inks.shade)
        s.rect(side * 0.9, top + 0.3, side * 0.97, floor, s.inks.shade)
    if kind == "four":
        for x, y in (
            (-half + 0.05, floor),
            (half - 0.15, floor),
            (-half + 0.3, floor - 0.2),
            (half - 0.38, floor - 0.2),
        ):
            s.rect(x, top, x + 0.1, y, s.inks.shade)
    elif kind == "panel":
        for x in (-half + 0.03, half - 0.12):
            s.rect(x, top, x + 0.09, floor, s.inks.shade)
    elif kind == "pedestal":
        s.rect(-0.06, top, 0.06, floor, s.inks.shade)
        s.oval(0, floor, half * 0.7, 0.1, s.inks.shade)
    else:
        for x in (-half * 0.6, half * 0.6):
            s.line([(x - 0.16, floor), (x, top), (x + 0.16, floor)], 0.07, s.inks.shade)
    if count(p, "shelf"):
        s.rect(-half + 0.05, floor - 0.2, half - 0.05, floor - 0.1, s.inks.main)
    for i in range(count(p, "drawers")):
        s.rect(half - 0.58, top + 0.05 + i * 0.27, half - 0.05, top + 0.29 + i * 0.27, s.inks.tint)
        s.rect(half - 0.38, top + 0.15 + i * 0.27, half - 0.25, top + 0.19 + i * 0.27, s.inks.ink)
    if count(p, "round"):
        s.oval(0, top, half, 0.2, s.inks.main)
    else:
        s.poly([(-half + 0.15, top - 0.2), (half - 0.15, top - 0.2), (half, top), (-half, top)], s.inks.main)
        s.rect(-half, top, half, top + 0.08, s.inks.shade)
    if count(p, "net"):
        s.line([(-half + 0.15, top - 0.1), (half - 0.15, top - 0.1)], 0.03, WHITE)
        s.rect(-0.04, top - 0.36, 0.04, top + 0.04, WHITE)


def bed(s: Sketch, p: Parameters, dice: Dice) -> None:
    half, pillows = number(p, "width", 0.9), count(p, "pillows")
    quilt = s.inks.accent
    if count(p, "mattress_only"):
        s.poly([(-half + 0.2, -0.35), (half - 0.1, -0.35), (half, 0.2), (-half, 0.2)], s.inks.main)
        s.rect(-half, 0.2, half, 0.5, s.inks.tint, 0.04)
        s.line([(-half, 0.28), (half, 0.28)], 0.03, s.inks.shade)
        for u in (0.25, 0.5, 0.75):
            for y in (-0.2, 0.02):
                s.oval(-half + 2 * half * u, y, 0.04, 0.03, s.inks.shade)
        return
    if count(p, "rails"):
        s.rect(-half, 0.2, half, 0.34, WHITE)
        for x in spread(count(p, "rails"), -half, half):
            s.rect(x - 0.025, -0.5, x + 0.025, 0.6, s.inks.main)
        for y in (-0.5, 0.5):
            s.rect(-half - 0.05, y - 0.06, half + 0.05, y + 0.06, s.inks.main)
        for x in (-half, half):
            s.rect(x - 0.06, -0.6, x + 0.06, 0.85, s.inks.shade)
        return
    if count(p, "bunk"):
        for x in (-half, half):
            s.rect(x - 0.05, -0.95, x + 0.05, 0.95, s.inks.main)
        for y in (-0.4, 0.5):
            s.rect(-half, y - 0.2, half, y, quilt, 0.05)
            s.rect(-half + 0.05, y - 0.26, -half + 0.05 + 0.35 * pillows, y - 0.1, WHITE, 0.06)
            s.rect(-half, y, half, y + 0.14, s.inks.main)
        for y in spread(5, -0.25, 0.8):
            s.rect(half - 0.3, y, half, y + 0.05, s.inks.shade)
        s.rect(half - 0.34, -0.5, half - 0.28, 0.95, s.inks.shade)
        return
    head = number(p, "head", 0.4)
    s.rect(-half, -0.3 - head, half, 0.1, s.inks.main, 0.06)
    s.poly([(-half + 0.06, -0.25), (half - 0.06, -0.25), (half, 0.6), (-half, 0.6)], WHITE)
    s.poly([(-half + 0.05, 0.05), (half - 0.05, 0.05), (half + 0.02, 0.64), (-half - 0.02, 0.64)], quilt)
    for x in spread(pillows, -half * 0.5, half * 0.5):
        s.rect(x - half * 0.7 / pillows, -0.3, x + half * 0.7 / pillows, -0.04, s.inks.pale, 0.08)
    s.rect(-half - 0.02, 0.62, half + 0.02, 0.84, s.inks.main)


def cabinet(s: Sketch, p: Parameters, dice: Dice) -> None:
    box = fitted(number(p, "aspect", 1), 0.86)
    for x in (box[0] + 0.06, box[2] - 0.12) if count(p, "legs") else ():
        s.rect(x, box[3], x + 0.07, box[3] + 0.14, s.inks.ink)
    s.rect(*box, s.inks.shade)
    inner, rows = within(box, 0.03, 0.03, 0.97, 0.97), count(p, "rows", 1)
    columns = count(p, "columns", 1)
    cells = [(*a, *b) for a, b in s.grid(box, rows, columns)]
    if rows == columns == 1:
        cells = [inner]
    elif count(p, "handle") and columns == 1:
        cells = [within(inner, 0, 0, 1, 0.34), within(inner, 0, 0.36, 1, 1)]
    elif columns == 1:
        margin = (box[2] - box[0]) * 0.06
        cells = [(x0 - margin, y0, x1 + margin, y1) for x0, y0, x1, y1 in cells]
    for i, cell in enumerate(cells):
        _door(s, p, cell, i, dice)
    _appliance(s, p, box)


def _door(s: Sketch, p: Parameters, cell: Box, i: int, dice: Dice) -> None:
    if count(p, "open"):
        s.rect(*cell, mix(s.inks.shade, (0, 0, 0), 0.4))
        for u in spread(9, 0.05, 0.88) if count(p, "books") else ():
            s.rect(*within(cell, u, dice.between(0.1, 0.4), u + 0.09, 1), dice.pick((*GLOWS, s.inks.pale, s.inks.wood)))
        return
    s.rect(*cell, s.inks.main)
    glass = count(p, "glass")
    if (glass == 1 and i < 2) or glass == 2:
        s.rect(*within(cell, 0.12, 0.1, 0.88, 0.9), (176, 206, 220))
        for u in spread(3, 0.25, 0.75) if glass == 2 else ():
            s.oval(*at(cell, u, 0.72), 0.06, 0.06, dice.pick(GLOWS))
    if count(p, "tilt"):
        s.rect(*within(cell, 0, 0, 1, 0.12), s.inks.ink)
        s.rect(*within(cell, 0.35, 0.2, 0.65, 0.3), s.inks.shade)
        return
    if count(p, "label"):
        s.rect(*within(cell, 0.34, 0.12, 0.66, 0.42), WHITE)
    fill = s.inks.metal if count(p, "label") else s.inks.contrast
    n = count(p, "knobs", 2 if "aspect" in p else 1)
    tall = cell[3] - cell[1] > cell[2] - cell[0]
    for share in spread(n, 0.2, 0.8) if n else ():
        side = 0.88 if i % 2 == 0 else 0.12
        u, v = (side, share) if tall else (share, 0.5 if "label" not in p else 0.7)
        s.oval(*at(cell, u, v), 0.04, 0.04, fill)
    if count(p, "handle"):
        across = (0.2, 0.16, 0.8, 0.2) if "panel" in p else (0.86, 0.2, 0.92, 0.8)
        s.rect(*within(cell, *across), s.inks.ink)


def _appliance(s: Sketch, p: Parameters, box: Box) -> None:
    if count(p, "panel"):
        s.rect(*within(box, 0.03, 0.03, 0.97, 0.15), s.inks.shade)
        s.rect(*within(box, 0.1, 0.06, 0.36, 0.13), s.inks.ink)
        for u in (0.6, 0.7, 0.8):
            s.oval(*at(box, u, 0.09), 0.035, 0.035, LAMPS[1])
    drum = count(p, "drum")
    if drum:
        r = (box[2] - box[0]) * 0.34
        s.oval(*at(box, 0.5, 0.56), r, r, s.inks.metal if drum == 1 else s.inks.ink)
        s.oval(*at(box, 0.5, 0.56), r * 0.78, r * 0.78, s.inks.glass if drum == 1 else WHITE)
        s.arc(*at(box, 0.5, 0.56), r * 0.6, r * 0.6, 190, 270, 0.05, s.inks.pale if drum == 1 else s.inks.shade)
    if count(p, "lid"):
        s.rect(*within(box, -0.02, 0.2, 1.02, 0.26), s.inks.shade)
        s.rect(*within(box, 0.42, 0.26, 0.58, 0.34), s.inks.ink)
        s.rect(*within(box, 0.78, 0.8, 0.92, 0.9), s.inks.metal)
    if count(p, "window"):
        s.rect(*within(box, 0.14, 0.42, 0.86, 0.84), s.inks.ink, 0.05)
        s.rect(*within(box, 0.14, 0.32, 0.86, 0.36), s.inks.pale)
    for u in spread(count(p, "burners"), 0.2, 0.8) if count(p, "burners") else ():
        s.oval(*at(box, u, 0.0), 0.14, 0.05, s.inks.ink)
        s.oval(*at(box, u, 0.18), 0.06, 0.06, s.inks.ink)


def lamp(s: Sketch, p: Parameters, dice: Dice) -> None:
    style, half = word(p, "style"), number(p, "shade", 0.5)
    glow: Colour = (252, 236, 170)
    if style == "pendant":
        s.line([(0, -1), (0, -0.3)], 0.04, s.inks.ink)
        s.poly([(-0.16, -0.35), (0.16, -0.35), (half, 0.35), (-half, 0.35)], s.inks.main)
        s.oval(0, 0.36, half, 0.12, glow)
    elif style == "lantern":
        s.arc(0, -0.5, 0.36, 0.4, 180, 360, 0.06, s.inks.metal)
        s.rect(-half, -0.55, half, -0.35, s.inks.main, 0.06)
        s.rect(-half * 0.8, -0.35, half * 0.8, 0.45, glow)
        for x in spread(3, -half * 0.8, half * 0.8):
            s.line([(x, -0.35), (x, 0.45)], 0.04, s.inks.shade)
        s.rect(-half * 1.1, 0.45, half * 1.1, 0.8, s.inks.main, 0.06)
    else:
        top = -0.9 if style == "floor" else -0.7
        high = 0.42 if style == "floor" else 0.62
        s.rect(-0.03, top + high, 0.03, 0.85, s.inks.shade)
        s.poly([(-half * 0.6, top), (half * 0.6, top), (half, top + high), (-half, top + high)], s.inks.tint)
        s.rect(-half, top + high - 0.05, half, top + high, glow)
        if style == "table":
            s.oval(0, 0.45, 0.3, 0.36, s.inks.main)
        s.oval(0, 0.86, 0.34, 0.08, s.inks.main)
