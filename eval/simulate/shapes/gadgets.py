"""Cameras, sound, watches and other small electronics."""

from __future__ import annotations

from eval.simulate.dice import Dice
from eval.simulate.shapes.parts import (
    GLOWS,
    WHITE,
    Parameters,
    at,
    count,
    fan,
    fitted,
    knobs,
    number,
    scribble,
    spread,
    within,
    word,
)
from eval.simulate.sketch import Sketch, around, mix


def camera(s: Sketch, p: Parameters, dice: Dice) -> None:
    x0, y0, x1, y1 = body = fitted(number(p, "aspect", 1.5), 0.85)
    r, hump = number(p, "lens", 0.4), number(p, "hump")
    if hump:
        s.poly([(-0.4, y0 + 0.02), (-0.26, y0 - hump * 0.8), (0.26, y0 - hump * 0.8), (0.4, y0 + 0.02)], s.inks.shade)
    if count(p, "clip"):
        s.poly([(-0.3, y1), (0.3, y1), (0.4, y1 + 0.45), (-0.4, y1 + 0.45)], s.inks.shade)
    s.rect(*body, s.inks.main, 0.1)
    if count(p, "stripe"):
        s.rect(x0, -0.1, x1, y1 * 0.75, s.inks.ink)
    if count(p, "grip"):
        s.rect(x0 - 0.08, y0 + 0.1, x0 + 0.26, y1, s.inks.ink, 0.1)
    for i in range(5 * count(p, "vents")):
        s.rect(*within(body, 0.06 + i * 0.05, 0.2, 0.08 + i * 0.05, 0.8), s.inks.ink)
    x = 0.3 if count(p, "vents") or (not hump and "flash" in p) else 0.0
    s.oval(x, 0.04, r * 1.15, r * 1.15, s.inks.contrast if "flash" in p else s.inks.metal)
    s.oval(x, 0.04, r, r, s.inks.ink)
    s.oval(x, 0.04, r * 0.66, r * 0.66, s.inks.glass)
    s.oval(x - r * 0.2, 0.04 - r * 0.2, r * 0.16, r * 0.16, WHITE)
    if count(p, "flash"):
        s.rect(*within(body, 0.08, 0.1, 0.3, 0.28), (250, 246, 214))
    s.rect(x1 - 0.3, y0 - 0.08, x1 - 0.12, y0, s.inks.metal)


def watch(s: Sketch, p: Parameters, dice: Dice) -> None:
    strap, digital = number(p, "strap"), count(p, "digital")
    r = 0.34 if count(p, "narrow") else 0.46
    if strap:
        s.rect(-strap, -1, strap, 1, s.inks.shade if digital else s.inks.main, 0.1)
        for y in spread(5, 0.6, 0.92):
            s.rect(-strap * 0.9, y, strap * 0.9, y + 0.02, s.inks.main if digital else s.inks.shade)
    if count(p, "round"):
        r = 0.72 if not strap else r
        s.oval(0, 0, r, r, s.inks.metal if digital else s.inks.main)
        s.oval(0, 0, r * 0.84, r * 0.84, s.inks.ink if digital else WHITE)
    else:
        wide = strap if count(p, "narrow") else r
        s.rect(-wide, -0.5, wide, 0.5, s.inks.main, 0.12)
        s.rect(-wide * 0.84, -0.43, wide * 0.84, 0.43, s.inks.ink, 0.08)
    if digital:
        s.arc(0, 0, r * 0.7, r * 0.7, 130, 130 + dice.between(120, 260), 0.06, dice.pick(GLOWS))
        scribble(s, (-r * 0.4, -0.16, r * 0.4, 0.16), 2, WHITE, dice)
        return
    for i in range(count(p, "dials")):
        s.ring(-r * 0.36 + i * r * 0.72, r * 0.2, r * 0.26, 0.04, s.inks.shade)
    for dx, dy in around(12):
        s.oval(dx * r * 0.7, dy * r * 0.7, 0.03, 0.03, s.inks.ink)
    dx, dy = dice.pick(around(12))
    s.line([(0, 0), (dx * r * 0.6, dy * r * 0.6)], 0.04, s.inks.ink)
    s.line([(0, 0), (-dy * r * 0.45, dx * r * 0.45)], 0.05, s.inks.ink)


def headphones(s: Sketch, p: Parameters, dice: Dice) -> None:
    r = number(p, "cup", 0.3)
    s.arc(0, 0.1, 0.72, 0.85, 180, 360, number(p, "band", 0.1) * 1.5, s.inks.main)
    for side in (-1, 1):
        s.oval(side * 0.62, 0.35, r * 0.85, r * 1.4, s.inks.main)
        s.oval(side * 0.52, 0.35, r * 0.6, r * 1.2, s.inks.shade)
        s.oval(side * 0.68, 0.35, r * 0.3, r * 0.5, s.inks.metal)


def earbuds(s: Sketch, p: Parameters, dice: Dice) -> None:
    if count(p, "case"):
        s.rect(-0.7, 0.1, 0.7, 0.9, s.inks.main, 0.3)
        s.line([(-0.7, 0.34), (0.7, 0.34)], 0.03, s.inks.shade)
        s.oval(0, 0.56, 0.05, 0.05, GLOWS[1])
    for x in (-0.36, 0.36):
        s.rect(x - 0.08, -0.5, x + 0.08, 0.1, s.inks.tint, 0.07)
        s.oval(x, -0.56, 0.22, 0.24, s.inks.main)
        s.oval(x + (0.12 if x < 0 else -0.12), -0.58, 0.1, 0.13, s.inks.ink)


def speaker(s: Sketch, p: Parameters, dice: Dice) -> None:
    pair = count(p, "pair")
    for x in (-0.5, 0.5) if pair else (0.0,):
        _cabinet(s.inset(x, 0, 0.95 if not pair else 0.9), p, dice)


def _cabinet(s: Sketch, p: Parameters, dice: Dice) -> None:
    _, y0, x1, y1 = box = fitted(number(p, "aspect", 1), 0.9)
    cones = count(p, "cones")
    if count(p, "antenna"):
        s.line([(x1 - 0.1, y0), (x1 - 0.4, y0 - 0.5)], 0.04, s.inks.metal)
    s.rect(*box, s.inks.main, 0.36 if count(p, "round") else 0.06)
    if count(p, "round"):
        s.oval(0, y0 + 0.12, x1 * 0.75, 0.12, s.inks.ink)
        s.arc(0, y0 + 0.12, x1 * 0.6, 0.09, 0, 360, 0.05, dice.pick(GLOWS))
    if count(p, "grille"):
        top = 0.36 if count(p, "knobs") or count(p, "round") else 0.08
        for a, _ in s.grid(within(box, 0.05, top, 0.95, 0.92), 7, 9 if x1 < y1 * 3 else 22):
            s.oval(*a, 0.025, 0.025, s.inks.contrast)
    for i, t in enumerate(spread(cones, 0.2, 0.8) if cones else ()):
        tall = y1 > x1
        half = min(x1, y1)
        r = half * (0.7 if not tall else 0.35 + 0.25 * i) * (0.85 if cones > 1 and not tall else 1)
        u, v = (0.5, t * 0.95) if tall else (0.3 if count(p, "dial") else t, 0.6 if count(p, "knobs") else 0.5)
        s.oval(*at(box, u, v), r, r, s.inks.ink)
        s.oval(*at(box, u, v), r * 0.75, r * 0.75, (70, 70, 74))
        s.oval(*at(box, u, v), r * 0.3, r * 0.3, s.inks.metal)
    if count(p, "dial"):
        s.rect(*within(box, 0.56, 0.15, 0.94, 0.4), (238, 224, 170))
        s.line([at(box, 0.7, 0.15), at(box, 0.7, 0.4)], 0.03, (190, 40, 40))
        knobs(s, within(box, 0.56, 0.55, 0.94, 0.85), 2, s.inks.metal)
    if count(p, "knobs"):
        s.rect(*within(box, 0, 0, 1, 0.24), s.inks.metal)
        knobs(s, within(box, 0.05, 0.06, 0.95, 0.18), count(p, "knobs"), s.inks.pale)


def disc(s: Sketch, p: Parameters, dice: Dice) -> None:
    label, silver = number(p, "label", 0.3), count(p, "silver")
    if count(p, "plinth"):
        s.rect(-0.95, -0.75, 0.95, 0.8, s.inks.main, 0.05)
        s.oval(-0.15, 0.02, 0.68, 0.68, s.inks.metal)
    x, r = (-0.15, 0.64) if count(p, "plinth") else (0.25, 0.7)
    s.oval(x, 0.02, r, r, (206, 212, 222) if silver else s.inks.ink)
    for q in spread(6, 0.4, 0.95) if count(p, "grooves") else ():
        s.ring(x, 0.02, r * q, 0.015, (74, 74, 80))
    if silver:
        for start, tone in zip((20, 110, 200, 290), GLOWS, strict=False):
            s.arc(x, 0.02, r * 0.9, r * 0.9, start, start + 28, 0.3, mix(tone, WHITE, 0.66))
    s.oval(x, 0.02, r * label, r * label, s.inks.accent if not silver else s.inks.pale)
    s.oval(x, 0.02, 0.05, 0.05, s.inks.ink)
    if count(p, "sleeve"):
        s.rect(-0.95, -0.75, 0.2, 0.8, s.inks.main)
        s.oval(-0.38, 0, 0.34, dice.between(0.2, 0.5), s.inks.accent)
        scribble(s, (-0.85, -0.65, 0.1, -0.45), 1, s.inks.contrast, dice)
        if silver:
            s.rect(-0.95, -0.75, -0.82, 0.8, s.inks.ink)
    if count(p, "plinth"):
        s.line([(0.78, -0.55), (0.74, 0.2), (0.4, 0.4)], 0.06, s.inks.pale)
        s.oval(0.78, -0.55, 0.12, 0.12, s.inks.pale)


def cylinder(s: Sketch, p: Parameters, dice: Dice) -> None:
    x0, y0, x1, y1 = box = fitted(number(p, "aspect", 1), 0.7)
    bands = count(p, "bands", 3)
    if count(p, "mount"):
        s.line([(0.2, y1 - 0.1), (0.35, 0.75)], 0.14, s.inks.shade)
        s.rect(0.05, 0.72, 0.65, 0.88, s.inks.shade)
        s.rect(*box, s.inks.main, 0.2)
        s.rect(x0 - 0.1, y0 - 0.06, x1 * 0.6, y0 + 0.1, s.inks.tint)
        for u in spread(bands, 0.6, 0.9):
            s.rect(*within(box, u, 0, u + 0.07, 1), s.inks.shade)
        s.oval(x0 + 0.1, 0, 0.3, y1 * 0.9, s.inks.ink)
        if count(p, "glass"):
            s.oval(x0 + 0.08, 0, 0.14, 0.16, s.inks.glass)
    else:
        s.rect(*box, s.inks.main, 0.06)
        s.oval(0, y1, x1, 0.16, s.inks.shade)
        for i, v in enumerate(spread(bands, 0.15, 0.8)):
            s.rect(*within(box, 0, v - 0.06, 1, v + 0.05), s.inks.ink if i % 2 else s.inks.tint)
        s.oval(0, y0, x1, 0.26, s.inks.ink)
        if count(p, "glass"):
            s.oval(0, y0, x1 * 0.8, 0.2, s.inks.glass)
            s.oval(-0.15, y0 - 0.05, 0.12, 0.05, WHITE)


def tripod(s: Sketch, p: Parameters, dice: Dice) -> None:
    top = word(p, "top", "plate")
    for x in (-0.62, dice.between(-0.1, 0.15), 0.62):
        s.line([(0, -0.4 if top != "easel" else -0.9), (x, 0.98)], 0.08, s.inks.main if x else s.inks.shade)
    if top == "tube":
        s.line([(-0.75, -0.25), (0.6, -0.75)], 0.3, s.inks.main)
        s.line([(0.52, -0.72), (0.68, -0.78)], 0.36, s.inks.ink)
        s.line([(-0.85, -0.22), (-0.7, -0.27)], 0.14, s.inks.ink)
    elif top == "easel":
        s.rect(-0.55, -0.7, 0.55, 0.35, WHITE)
        for _ in range(4):
            s.oval(dice.between(-0.4, 0.4), dice.between(-0.6, 0.2), 0.13, 0.1, dice.pick(GLOWS))
        s.rect(-0.65, 0.35, 0.65, 0.45, s.inks.shade)
    else:
        s.rect(-0.08, -0.75, 0.08, -0.2, s.inks.metal)
        s.rect(-0.3, -0.85, 0.3, -0.73, s.inks.ink)
        s.line([(0.05, -0.6), (0.5, -0.4)], 0.05, s.inks.ink)


def drone(s: Sketch, p: Parameters, dice: Dice) -> None:
    for dx, dy in around(count(p, "arms", 4), 45):
        s.line([(0, 0), (dx * 0.8, dy * 0.62)], 0.1, s.inks.shade)
        s.arc(dx * 0.8, dy * 0.62, 0.34, 0.26, 0, 360, 0.04, s.inks.ink)
        s.line([(dx * 0.8 - 0.3, dy * 0.62 - 0.06), (dx * 0.8 + 0.3, dy * 0.62 + 0.06)], 0.05, s.inks.metal)
    s.rect(-0.28, -0.26, 0.28, 0.28, s.inks.main, 0.12)
    s.oval(0, 0.2, 0.13, 0.11, s.inks.ink)
    s.oval(0.1, -0.1, 0.04, 0.04, GLOWS[0])


def gamepad(s: Sketch, p: Parameters, dice: Dice) -> None:
    grip = number(p, "grip", 0.5)
    for side in (-1, 1):
        s.poly([(side * 0.9, -0.2), (side * 0.98, grip), (side * 0.74, 0.62), (side * 0.3, 0.2)], s.inks.main)
    s.rect(-0.92, -0.5, 0.92, 0.25, s.inks.main, 0.3)
    s.rect(-0.62, -0.3, -0.4, -0.22, s.inks.contrast)
    s.rect(-0.55, -0.37, -0.47, -0.15, s.inks.contrast)
    for (dx, dy), tone in zip(around(4), GLOWS, strict=False):
        s.oval(0.52 + dx * 0.15, -0.25 + dy * 0.15, 0.06, 0.06, tone)
    for x in spread(count(p, "sticks", 2), -0.28, 0.28):
        s.oval(x, 0.08, 0.17, 0.17, s.inks.shade)
        s.oval(x, 0.08, 0.11, 0.11, s.inks.contrast)


def goggles(s: Sketch, p: Parameters, dice: Dice) -> None:
    r = number(p, "lens")
    if count(p, "strap"):
        s.arc(0, -0.1, 0.9, 0.75, 160, 380, 0.16, s.inks.shade)
        s.rect(-0.8, -0.35, 0.8, 0.45, s.inks.main, 0.22)
        s.rect(-0.66, -0.2, 0.66, 0.3, s.inks.ink, 0.16)
        s.poly([(-0.2, 0.46), (0, 0.2), (0.2, 0.46)], s.inks.shade)
        return
    for side in (-1, 1):
        s.line([(side * 0.75, -0.15), (side * 0.98, -0.5), (side * 0.9, -0.7)], 0.06, s.inks.main)
        s.oval(side * 0.42, 0, r * 1.2, r * 1.05, s.inks.main)
        s.oval(side * 0.42, 0.02, r * 1.02, r * 0.86, s.inks.glass)
    s.line([(-0.15, -0.08), (0.15, -0.08)], 0.06, s.inks.main)


def ventilator(s: Sketch, p: Parameters, dice: Dice) -> None:
    if count(p, "stand"):
        s.rect(-0.05, 0, 0.05, 0.85, s.inks.shade)
        s.oval(0, 0.88, 0.45, 0.1, s.inks.main)
    fan(s, 0, -0.3, 0.62, s.inks.main, count(p, "blades", 5))
    for q in (0.3, 0.48):
        s.ring(0, -0.3, q, 0.015, s.inks.metal)
