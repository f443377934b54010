"""Computers and what lies around them: boxes, screens, slabs, keyboards, boards and cables."""

from __future__ import annotations

from eval.simulate.dice import Dice
from eval.simulate.shapes.parts import (
    GLOWS,
    WHITE,
    Box,
    Parameters,
    at,
    count,
    fan,
    fitted,
    knobs,
    lamps,
    landscape,
    number,
    scribble,
    spread,
    within,
    word,
)
from eval.simulate.sketch import Sketch, mix


def keyboard(s: Sketch, p: Parameters, dice: Dice) -> None:
    box = fitted(number(p, "aspect", 3))
    keys = mix(s.inks.main, s.inks.contrast, 0.3)
    if count(p, "rest"):
        s.rect(box[0], box[3] - 0.06, box[2], box[3] + 0.16, s.inks.shade, 0.06)
    s.rect(*box, s.inks.main, 0.05)
    glow = count(p, "glow")
    shift = dice.below(5)
    for i, (a, b) in enumerate(
        s.grid(within(box, 0.02, 0.06, 0.98, 0.94), count(p, "rows", 4), count(p, "columns", 12))
    ):
        s.rect(*a, *b, GLOWS[(i // 3 + shift) % 5] if glow else keys)
    s.rect(*within(box, 0.3, 0.78, 0.66, 0.92), keys if not glow else GLOWS[shift])


def mouse(s: Sketch, p: Parameters, dice: Dice) -> None:
    wide = number(p, "width", 0.45)
    if count(p, "cable"):
        s.line([(0, -0.5), (0.06, -0.8), (dice.between(-0.5, 0.5), -1)], 0.05, s.inks.ink)
    s.oval(0, 0.1, wide, 0.78, s.inks.main)
    s.poly([(-wide * 0.8, -0.35), (-wide * 0.6, -0.66), (wide * 0.6, -0.66), (wide * 0.8, -0.35)], s.inks.tint)
    s.line([(0, -0.66), (0, -0.1)], 0.03, s.inks.shade)
    s.line([(-wide, -0.05), (wide, -0.05)], 0.03, s.inks.shade)
    s.rect(-0.06, -0.5, 0.06, -0.22, s.inks.ink, 0.05)
    if count(p, "glow"):
        glow = dice.pick(GLOWS)
        s.rect(-0.05, -0.48, 0.05, -0.24, glow)
        s.oval(0, 0.48, wide * 0.4, 0.14, glow)
        s.arc(0, 0.1, wide * 0.97, 0.76, 20, 160, 0.06, glow)
    if count(p, "buttons"):
        s.rect(-wide - 0.04, -0.02, -wide * 0.8, 0.1, s.inks.contrast)
        s.rect(-wide - 0.03, 0.14, -wide * 0.8, 0.26, s.inks.contrast)


def box(s: Sketch, p: Parameters, dice: Dice) -> None:
    frame = fitted(number(p, "aspect", 1), 0.82)
    _around_box(s, p, frame, dice)
    s.rect(*frame, s.inks.main, 0.04)
    s.rect(*within(frame, 0, 0.93, 1, 1), s.inks.shade)
    _openings(s, p, frame, dice)
    _controls(s, p, frame, dice)


def _around_box(s: Sketch, p: Parameters, frame: Box, dice: Dice) -> None:
    x0, y0, x1, y1 = frame
    for x in (x0 + 0.15, x1 - 0.15) if count(p, "feet") else ():
        s.rect(x - 0.08, y1, x + 0.08, y1 + 0.09, s.inks.ink)
    if count(p, "cord"):
        s.line([(x1 - 0.1, 0), (x1 + 0.12, 0.05), (x1 + 0.14, 0.4), (x1 - 0.3, y1 + 0.2)], 0.06, s.inks.ink)
    for u in spread(count(p, "antennas"), 0.1, 0.9) if count(p, "antennas") else ():
        x = at(frame, u, 0)[0]
        s.line([(x, y0), (x + (u - 0.5) * 0.2, y0 - 0.5)], 0.06, s.inks.ink)
    if count(p, "paper"):
        s.poly([(x0 + 0.35, y0), (x0 + 0.4, y0 - 0.34), (x1 - 0.4, y0 - 0.34), (x1 - 0.35, y0)], WHITE)
    for x in (x0 + 0.3, x1 - 0.3) if count(p, "terminals") else ():
        s.rect(x - 0.09, y0 - 0.14, x + 0.09, y0, (190, 40, 40) if x < 0 else s.inks.metal)
    for x in (-0.34, 0.3) if count(p, "toast") else ():
        s.rect(x - 0.26, y0 - 0.3, x + 0.26, y0 + 0.1, (206, 152, 88), 0.1)
        s.rect(x - 0.2, y0 - 0.24, x + 0.2, y0 + 0.1, (236, 198, 138), 0.08)


def _openings(s: Sketch, p: Parameters, frame: Box, dice: Dice) -> None:
    tall = frame[2] < frame[3]
    if count(p, "door"):
        s.rect(*within(frame, 0.08, 0.06, 0.62, 0.9), s.inks.tint if tall else s.inks.shade)
        s.rect(*within(frame, 0.56, 0.4, 0.6, 0.6), s.inks.ink)
    slots = count(p, "slots")
    for i in range(slots):
        u = 0.06 + i * 0.88 / slots
        across = within(frame, u, 0.4, u + 0.72 / slots, 0.72)
        down = within(frame, 0.14, 0.08 + i * 0.13, 0.86, 0.16 + i * 0.13)
        s.rect(*(down if tall else across if slots > 1 else within(frame, 0.12, 0.36, 0.6, 0.52)), s.inks.contrast)
    for i in range(count(p, "vents")):
        bar = within(frame, 0.2, 0.62 + i * 0.1, 0.8, 0.66 + i * 0.1)
        s.rect(*(bar if tall else within(frame, 0.1 + i * 0.09, 0.2, 0.14 + i * 0.09, 0.8)), s.inks.ink)
    for i in range(count(p, "ribs")):
        u = 0.03 + i * 0.94 / count(p, "ribs")
        s.rect(*within(frame, u, 0.04, u + 0.09, 0.96), s.inks.tint, 0.05)
    fans = count(p, "fans")
    for v in spread(fans, 0.18, 0.82) if fans else ():
        r = 0.25 if fans > 1 else min(frame[2], frame[3]) * 0.86
        fan(s, 0, at(frame, 0, v)[1], r, dice.pick(GLOWS) if count(p, "glow") else s.inks.metal)
    for u in spread(count(p, "discs"), 0.2, 0.8) if count(p, "discs") else ():
        r = (frame[3] - frame[1]) * 0.3
        s.oval(*at(frame, u, 0.56), r, r, s.inks.metal)
        s.oval(*at(frame, u, 0.56), r * 0.75, r * 0.75, s.inks.ink)
    if count(p, "spout"):
        s.rect(*within(frame, 0.18, 0.4, 0.82, 0.88), s.inks.ink)
        s.rect(*within(frame, 0.4, 0.36, 0.6, 0.52), s.inks.metal)
        s.rect(*within(frame, 0.36, 0.66, 0.64, 0.88), WHITE)
    if count(p, "screen"):
        s.rect(*within(frame, 0.06, 0.1, 0.72, 0.88), s.inks.glass, 0.04)
        s.rect(*within(frame, 0.73, 0.15, 0.76, 0.85), s.inks.metal)


def _controls(s: Sketch, p: Parameters, frame: Box, dice: Dice) -> None:
    wide = frame[2] > frame[3] * 1.9
    if count(p, "stripe"):
        s.rect(*within(frame, 0, 0.66, 1, 0.76), s.inks.accent)
    if count(p, "label"):
        s.rect(*within(frame, 0.15, 0.35, 0.85, 0.8), s.inks.accent)
        scribble(s, within(frame, 0.22, 0.42, 0.78, 0.74), 2, WHITE, dice)
    for i in range(count(p, "display")):
        v = 0.3 + 0.3 * i
        zone = (0.78, 0.12, 0.96, 0.36) if count(p, "screen") else (0.36, v, 0.7, v + 0.24)
        s.rect(*within(frame, *zone), (90, 200, 210) if i == 0 else s.inks.ink)
    n = count(p, "knobs")
    if n:
        alone = (0.8, 0.5, 0.94, 0.84) if not wide else (0.78, 0.25, 0.96, 0.75)
        if "slots" in p and not wide:
            alone = (0.2, 0.15, 0.8, 0.75)
        zone = (0.25, 0.06, 0.75, 0.4) if count(p, "discs") else (0.04, 0.2, 0.34, 0.8) if n > 1 else alone
        knobs(s, within(frame, *zone), n, s.inks.metal)
    if count(p, "lights"):
        zone = (0.55, 0.78, 0.95, 0.9) if not wide else (0.2, 0.76, 0.95, 0.92)
        lamps(s, within(frame, *zone), count(p, "lights"), dice)
    if count(p, "paper"):
        s.rect(*within(frame, 0.2, 0.55, 0.8, 0.62), s.inks.ink)
        s.rect(*within(frame, 0.26, 0.6, 0.74, 0.82), WHITE)


def _picture(s: Sketch, kind: str, frame: Box, dice: Dice) -> None:
    if kind == "landscape":
        landscape(s, frame, dice)
    elif kind == "game":
        s.rect(*frame, (40, 14, 50))
        s.poly([at(frame, 0.2, 1), at(frame, 0.5, 0.15), at(frame, 0.8, 1)], dice.pick(GLOWS))
        s.oval(*at(frame, 0.5, 0.45), 0.12, 0.12, (250, 240, 120))
    elif kind == "desktop":
        s.rect(*frame, (52, 116, 190))
        for a, b in s.grid(within(frame, 0.03, 0.05, 0.25, 0.75), 4, 2):
            s.rect(*a, *b, WHITE)
        s.rect(*within(frame, 0, 0.9, 1, 1), (28, 40, 70))
    elif kind == "circle":
        s.rect(*frame, WHITE)
        s.oval(*at(frame, 0.5, 0.5), 0.22, 0.22, s.inks.accent)
        s.oval(*at(frame, 0.5, 0.5), 0.1, 0.1, (60, 120, 210))
    elif kind == "tv":
        s.rect(*frame, (30, 90, 50))
        s.line([at(frame, 0.5, 0), at(frame, 0.5, 1)], 0.03, WHITE)
        s.ring(*at(frame, 0.5, 0.5), 0.18, 0.03, WHITE)
    else:
        s.rect(*frame, mix(s.inks.glass, (20, 20, 30), dice.between(0.2, 0.7)))


def screen(s: Sketch, p: Parameters, dice: Dice) -> None:
    x0, y0, x1, y1 = fitted(number(p, "aspect", 1.7))
    y0, y1 = y0 - 0.2, y1 - 0.2
    edge = number(p, "bezel", 0.05)
    if word(p, "stand") == "foot":
        s.poly([(-0.12, y1), (0.12, y1), (0.16, y1 + 0.3), (-0.16, y1 + 0.3)], s.inks.metal)
        s.oval(0, y1 + 0.32, 0.42, 0.08, s.inks.shade)
    for x in (x0 + 0.2, x1 - 0.2) if word(p, "stand") == "legs" else ():
        s.line([(x - 0.14, y1 + 0.16), (x, y1), (x + 0.14, y1 + 0.16)], 0.05, s.inks.shade)
    s.rect(x0, y0, x1, y1, s.inks.main, 0.03)
    bottom = y1 - (0.22 if count(p, "chin") else edge)
    _picture(s, word(p, "picture"), (x0 + edge, y0 + edge, x1 - edge, bottom), dice)
    if count(p, "chin"):
        s.oval(0, y1 - 0.1, 0.06, 0.06, s.inks.shade)


def laptop(s: Sketch, p: Parameters, dice: Dice) -> None:
    wide = 0.74
    high = wide * 2 / number(p, "aspect", 1.5)
    s.rect(-wide, 0.2 - high, wide, 0.22, s.inks.main, 0.05)
    _picture(s, word(p, "picture"), (-wide + 0.05, 0.25 - high, wide - 0.05, 0.16), dice)
    s.poly([(-wide, 0.22), (wide, 0.22), (0.98, 0.74), (-0.98, 0.74)], mix(s.inks.main, s.inks.contrast, 0.12))
    for v in range(4):
        y, half = 0.27 + v * 0.075, wide - 0.06 + v * 0.03
        for i, x in enumerate(spread(10, -half, half - 0.1)):
            glowing = GLOWS[(i + v) // 3 % 5] if count(p, "glow") else s.inks.contrast
            s.rect(x, y, x + 0.1, y + 0.05, glowing)
    s.rect(-0.22, 0.59, 0.22, 0.7, s.inks.tint)
    if word(p, "picture") == "plain":
        s.oval(0, 0.2 - high / 2, 0.07, 0.08, s.inks.pale)


def circuit(s: Sketch, p: Parameters, dice: Dice) -> None:
    frame = fitted(number(p, "aspect", 1))
    pins = count(p, "pins")
    for u in spread(pins, 0.06, 0.94):
        s.rect(*within(frame, u - 0.012, 0.94, u + 0.012, 1.1), (214, 176, 70))
    s.rect(*frame, s.inks.main)
    if pins >= 14 and count(p, "chips") == 1:
        for v in spread(pins, 0.06, 0.94):
            s.rect(*within(frame, -0.05, v - 0.012, 1.05, v + 0.012), (214, 176, 70))
        s.rect(*frame, s.inks.main)
        s.rect(*within(frame, 0.16, 0.16, 0.84, 0.84), s.inks.metal, 0.05)
        scribble(s, within(frame, 0.26, 0.3, 0.74, 0.6), 3, s.inks.shade, dice)
        return
    for u in spread(count(p, "fans"), 0.26, 0.74) if count(p, "fans") else ():
        fan(s, *at(frame, u, 0.48), (frame[3] - frame[1]) * 0.38, s.inks.metal)
    chips = count(p, "chips")
    rows = 1 if chips > 4 else 2
    for a, b in s.grid(within(frame, 0.05, 0.12, 0.95 if rows == 1 else 0.6, 0.85), rows, max(1, chips // rows)) * (
        chips > 0
    ):
        s.rect(*a, *b, s.inks.ink if rows == 1 else s.inks.metal)
    for i in range(count(p, "slots")):
        s.rect(*within(frame, 0.68 + i * 0.1, 0.08, 0.73 + i * 0.1, 0.9), dice.pick([s.inks.pale, s.inks.accent]))


def slab(s: Sketch, p: Parameters, dice: Dice) -> None:
    x0, y0, x1, y1 = frame = fitted(number(p, "aspect", 0.5), 0.88)
    edge = min(number(p, "bezel", 0.1) * min(x1, y1) * 1.6, min(x1, y1) * 0.6)
    lenses, kind = count(p, "lenses"), word(p, "screen", "none")
    if count(p, "base"):
        s.rect(-0.5, 0.5, 0.5, 0.96, s.inks.shade, 0.1)
    if lenses and kind != "none":
        s.rect(x0 + 0.3, y0 - 0.06, x1 + 0.3, y1 - 0.06, s.inks.shade, 0.1)
    s.rect(*frame, s.inks.main, 0.1)
    inner = (x0 + edge, y0 + edge, x1 - edge, y1 - edge)
    _slab_face(s, kind, frame, inner, dice)
    _lenses(s, lenses, (x1 + 0.17, y0 + 0.08) if kind != "none" else (x0 + 0.16, y0 + 0.2), kind == "none")
    if count(p, "notch"):
        s.rect(-0.15, y0 + edge - 0.01, 0.15, y0 + edge + 0.07, s.inks.ink, 0.03)
    if count(p, "button"):
        s.oval(0, y1 - max(edge * 0.5, 0.07), 0.06, 0.06, s.inks.contrast)
        s.ring(0, y1 - max(edge * 0.5, 0.07), 0.07, 0.02, s.inks.metal)
    if count(p, "pen"):
        s.line([(x0 + 0.4, y1 + 0.16), (x1 - 0.1, y0 + 0.3)], 0.07, s.inks.contrast)
    for side in (-1, 1) if count(p, "sticks") else ():
        s.rect(side * x1, y0, side * (x1 - edge), y1, s.inks.main if side < 0 else s.inks.accent, 0.08)
        s.oval(side * (x1 - edge / 2), y0 * 0.35 * side, 0.07, 0.07, s.inks.ink)
        s.oval(side * (x1 - edge / 2), -y0 * 0.4 * side, 0.04, 0.04, s.inks.pale)


def _lenses(s: Sketch, n: int, corner: tuple[float, float], alone: bool) -> None:
    for i in range(n):
        x, y = (0.0, corner[1]) if alone else (corner[0], corner[1] + i * 0.19)
        s.oval(x, y, 0.1, 0.1, s.inks.ink)
        s.oval(x, y, 0.05, 0.05, s.inks.glass)


def _slab_face(s: Sketch, kind: str, frame: Box, inner: Box, dice: Dice) -> None:
    if kind in ("none", "lights"):
        s.rect(*inner, s.inks.tint if kind == "none" else s.inks.shade, 0.06)
    if kind in ("text", "blank"):
        s.rect(*inner, s.inks.pale if kind == "text" else (70, 72, 78))
        if kind == "text":
            scribble(s, within(inner, 0.1, 0.08, 0.9, 0.92), 9, (90, 90, 90), dice)
    elif kind == "icons":
        s.rect(*inner, (60, 90, 150))
        for a, b in s.grid(within(inner, 0.04, 0.12, 0.96, 0.9), 6, 4):
            s.rect(*a, *b, dice.pick((*GLOWS, WHITE)))
    elif kind == "dial":
        s.rect(*inner, (24, 40, 52))
        s.ring(*at(inner, 0.5, 0.32), (inner[2] - inner[0]) * 0.32, 0.05, (120, 220, 190))
        scribble(s, within(inner, 0.2, 0.6, 0.8, 0.85), 3, WHITE, dice)
    elif kind == "video":
        landscape(s, inner, dice)
    elif kind == "lights":
        lamps(s, within(frame, 0.2, 0.06, 0.8, 0.16), 4, dice)
        s.rect(*within(frame, 0.38, 0.94, 0.62, 0.98), s.inks.metal)
        scribble(s, within(frame, 0.3, 0.45, 0.7, 0.55), 1, s.inks.contrast, dice)
    elif kind != "none":
        s.rect(*within(inner, 0, 0, 1, 0.4), (150, 176, 110), 0.03)
        if kind == "gameboy":
            s.rect(*within(inner, 0.05, 0.66, 0.4, 0.74), s.inks.ink)
            s.rect(*within(inner, 0.17, 0.58, 0.28, 0.82), s.inks.ink)
            s.oval(*at(inner, 0.72, 0.74), 0.08, 0.08, (170, 40, 80))
            s.oval(*at(inner, 0.95, 0.64), 0.08, 0.08, (170, 40, 80))
            return
        for a, b in s.grid(within(inner, 0, 0.46, 1, 1), 4, 3):
            s.rect(*a, *b, s.inks.contrast, 0.03)


def cable(s: Sketch, p: Parameters, dice: Dice) -> None:
    lock, loops = word(p, "plug") == "lock", count(p, "loops", 1)
    wide = 0.14 if lock else 0.06
    for i in range(loops):
        s.ring(-0.1 + i * 0.14, -0.05 + i * 0.06, 0.66 - i * 0.1, wide, s.inks.main)
    if lock:
        s.rect(-0.36, 0.4, 0.2, 0.78, s.inks.accent, 0.08)
        s.oval(-0.08, 0.59, 0.08, 0.08, s.inks.ink)
        return
    s.line([(0.4, 0.3), (0.6, 0.6), (0.8, 0.62)], wide, s.inks.main)
    s.rect(0.62, 0.54, 0.84, 0.72, s.inks.main)
    s.rect(0.84, 0.57, 0.96, 0.69, s.inks.metal)
    s.rect(-0.9, -0.9, -0.46, -0.46, s.inks.main, 0.05)
    for y in (-0.78, -0.58):
        s.rect(-1.0, y - 0.03, -0.9, y + 0.03, s.inks.metal)
    s.arc(-0.1, -0.4, 0.5, 0.4, 200, 300, wide, s.inks.main)
