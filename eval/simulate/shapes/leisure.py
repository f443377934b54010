"""Books, toys, sport and collections."""

from __future__ import annotations

from eval.simulate.dice import Dice
from eval.simulate.shapes.parts import (
    GLOWS,
    WHITE,
    Box,
    Parameters,
    at,
    count,
    figure,
    fitted,
    number,
    scribble,
    spread,
    star,
    wheel,
    within,
    word,
)
from eval.simulate.sketch import Sketch, around, mix


def book(s: Sketch, p: Parameters, dice: Dice) -> None:
    n = count(p, "count", 1)
    if count(p, "spine"):
        for i, x in enumerate(spread(n, -0.6, 0.6)):
            wide = number(p, "aspect", 0.7) * (0.2 if count(p, "dark") else 0.17)
            fill = s.inks.ink if count(p, "dark") else (s.inks.main, s.inks.accent, *GLOWS)[i % 7]
            s.rect(x - wide, -0.5 - 0.1 * (i % 2), x + wide, 0.85, fill)
            s.rect(x - wide * 0.6, -0.3, x + wide * 0.6, 0.4, s.inks.accent if count(p, "dark") else WHITE)
            s.rect(x - wide * 0.6, 0.55, x + wide * 0.6, 0.7, s.inks.metal)
        s.rect(-0.85, 0.85, 0.85, 0.92, s.inks.wood)
        return
    box = fitted(number(p, "aspect", 0.7), 0.86)
    for step in range(n, 0, -1):
        s.rect(*within(box, 0.05 * step, 0.04 * step, 1 + 0.05 * step, 1 + 0.04 * step), s.inks.pale)
    s.rect(*box, s.inks.main)
    _motif(s, word(p, "motif"), box, dice)
    if count(p, "band"):
        s.rect(*within(box, 0, 0, 1, 0.12), s.inks.main)
        scribble(s, within(box, 0.1, 0.03, 0.9, 0.1), 1, WHITE, dice)
    else:
        scribble(s, within(box, 0.14, 0.06, 0.86, 0.24), 2, s.inks.contrast, dice)
        s.rect(*within(box, 0, 0, 0.06, 1), s.inks.shade)


def _motif(s: Sketch, kind: str, box: Box, dice: Dice) -> None:
    art = within(box, 0.08, 0.3, 0.94, 0.94)
    x, y = at(art, 0.5, 0.5)
    if kind in ("figure", "car") or (kind == "star" and box[2] < 0.62):
        s.rect(*within(box, 0.03, 0.13, 0.97, 0.97), mix(s.inks.accent, WHITE, dice.between(0, 0.4)))
    if kind == "figure":
        figure(s, x, y + 0.06, 0.36, s.inks.ink)
    elif kind == "car":
        s.rect(x - 0.4, y, x + 0.4, y + 0.24, (200, 40, 40), 0.08)
        s.poly([(x - 0.24, y), (x - 0.12, y - 0.2), (x + 0.16, y - 0.2), (x + 0.3, y)], (200, 40, 40))
        wheel(s, x - 0.24, y + 0.24, 0.12)
        wheel(s, x + 0.24, y + 0.24, 0.12)
    elif kind == "star":
        star(s, x, y, 0.42, (250, 214, 70))
        s.oval(x - 0.1, y - 0.03, 0.04, 0.06, s.inks.ink)
        s.oval(x + 0.1, y - 0.03, 0.04, 0.06, s.inks.ink)
    elif kind == "formula":
        s.line([at(art, 0.1, 0.5), at(art, 0.9, 0.5)], 0.03, WHITE)
        s.line([at(art, 0.3, 0.1), at(art, 0.3, 0.9)], 0.03, WHITE)
        s.arc(x, y, 0.36, 0.4, 180, 350, 0.05, WHITE)
        scribble(s, within(art, 0.4, 0.62, 0.95, 0.9), 2, WHITE, dice)
    else:
        s.oval(x, y, 0.42, 0.42, WHITE)
        s.ring(x, y, 0.3, 0.03, s.inks.metal)
        for _ in range(4):
            s.oval(x + dice.between(-0.18, 0.18), y + dice.between(-0.18, 0.18), 0.11, 0.09, dice.pick(GLOWS))


def blocks(s: Sketch, p: Parameters, dice: Dice) -> None:
    for i in range(count(p, "count", 7)):
        x, y = -0.55 + (i % 3) * 0.55 + dice.between(-0.08, 0.08), 0.6 - (i // 3) * 0.5
        fill = s.inks.main if i % 3 == 0 else dice.pick(GLOWS)
        for dx in (-0.13, 0.13) if count(p, "studs") else ():
            s.rect(x + dx - 0.08, y - 0.28, x + dx + 0.08, y - 0.15, mix(fill, (0, 0, 0), 0.15))
        s.rect(x - 0.26, y - 0.2, x + 0.26, y + 0.2, fill)


def plush(s: Sketch, p: Parameters, dice: Dice) -> None:
    skin = s.inks.skin if count(p, "dress") else s.inks.main
    for side in (-1, 1):
        if count(p, "ears"):
            s.oval(side * 0.36, -0.78, 0.2, 0.2, s.inks.shade)
        s.oval(side * 0.55, 0.15, 0.28, 0.17, skin)
        s.oval(side * 0.3, 0.82, 0.2, 0.17, skin if "ears" in p and not count(p, "dress") else s.inks.ink)
    if count(p, "dress"):
        s.oval(0, -0.5, 0.46, 0.5, (240, 206, 90))
        s.poly([(-0.2, -0.15), (0.2, -0.15), (0.62, 0.7), (-0.62, 0.7)], s.inks.main)
        s.rect(-0.4, 0.3, 0.4, 0.36, s.inks.accent)
        s.oval(0, -0.45, 0.34, 0.36, skin)
        s.poly([(0.1, -0.85), (0.4, -1), (0.4, -0.7)], s.inks.accent)
    else:
        s.oval(0, 0.4, 0.46, 0.5, s.inks.main)
        s.oval(0, 0.42, 0.26, 0.32, s.inks.tint)
        s.oval(0, -0.42, 0.48, 0.42, s.inks.main)
        s.oval(0, -0.28, 0.2, 0.16, s.inks.tint)
        s.oval(0, -0.34, 0.08, 0.06, s.inks.ink)
    for x in (-0.15, 0.15):
        s.oval(x, -0.5, 0.055, 0.07, s.inks.ink)


def weights(s: Sketch, p: Parameters, dice: Dice) -> None:
    s.rect(-0.6, -0.07, 0.6, 0.07, s.inks.metal)
    for side in (-1, 1):
        for x, high in ((0.42, 0.5), (0.6, 0.4), (0.76, 0.28)):
            s.rect(
                side * (x - 0.07), -high, side * (x + 0.08), high, s.inks.main if high != 0.4 else s.inks.shade, 0.05
            )


def machine(s: Sketch, p: Parameters, dice: Dice) -> None:
    if word(p, "kind") == "treadmill":
        s.poly([(-0.95, 0.6), (0.6, 0.45), (0.95, 0.75), (-0.9, 0.85)], s.inks.main)
        s.poly([(-0.85, 0.62), (0.55, 0.5), (0.75, 0.68), (-0.8, 0.78)], (80, 80, 84))
        for x in (0.55, 0.8):
            s.line([(x, 0.6), (x + 0.05, -0.6)], 0.08, s.inks.metal)
        s.line([(0.7, -0.35), (0.2, -0.3)], 0.07, s.inks.main)
        s.poly([(0.35, -0.6), (0.95, -0.75), (0.98, -0.45), (0.45, -0.35)], s.inks.ink)
        s.rect(0.55, -0.62, 0.8, -0.5, GLOWS[2])
        return
    s.rect(-0.8, 0.82, 0.7, 0.92, s.inks.ink)
    s.line([(-0.4, 0.85), (-0.15, -0.75)], 0.1, s.inks.metal)
    s.line([(0.3, 0.85), (0.45, -0.3)], 0.1, s.inks.metal)
    s.rect(0.2, -0.4, 0.72, -0.28, s.inks.ink, 0.05)
    s.line([(-0.15, -0.75), (-0.45, -0.85), (-0.5, -0.55)], 0.08, s.inks.ink)
    s.oval(-0.3, 0.4, 0.42, 0.42, s.inks.main)
    s.oval(-0.3, 0.4, 0.24, 0.24, s.inks.metal)
    s.line([(-0.05, 0.5), (0.2, 0.62)], 0.07, s.inks.accent)


def ball(s: Sketch, p: Parameters, dice: Dice) -> None:
    if word(p, "pattern") == "football":
        s.oval(0, 0, 0.82, 0.82, s.inks.main)
        s.poly([(dx * 0.28, dy * 0.28) for dx, dy in around(5, -90)], s.inks.ink)
        for dx, dy in around(5, -90):
            s.line([(dx * 0.28, dy * 0.28), (dx * 0.6, dy * 0.6)], 0.03, s.inks.ink)
            s.oval(dx * 0.66, dy * 0.66, 0.14, 0.14, s.inks.ink)
        return
    s.line([(0.4, 0.5), (0.9, 0.8), (0.6, 0.95)], 0.04, s.inks.main)
    s.oval(-0.05, 0.05, 0.7, 0.7, s.inks.main)
    for q, turn in ((0.6, 20), (0.5, 30), (0.4, 40), (0.3, 50)):
        s.arc(-0.05, 0.05, q, 0.66, 90 + turn, 290, 0.03, s.inks.shade)
        s.arc(-0.05, 0.05, 0.66, q, turn, 170, 0.03, s.inks.tint)
    s.line([(-0.7, -0.9), (0.5, 0.3)], 0.05, s.inks.wood)
    s.line([(0.7, -0.9), (-0.4, 0.3)], 0.05, s.inks.wood)


def plank(s: Sketch, p: Parameters, dice: Dice) -> None:
    n, half = count(p, "count", 1), number(p, "aspect", 0.25)
    for x in spread(n, -0.24, 0.24):
        s.rect(x - half, -0.96, x + half, 0.96, s.inks.main, half * 0.95)
        if count(p, "fin"):
            s.poly([(x - half, -0.5), (x, -1.02), (x + half, -0.5)], s.inks.main)
            s.rect(x - 0.03, -0.8, x + 0.03, 0.9, s.inks.accent)
            s.rect(x - half, 0.2, x + half, 0.4, s.inks.accent)
            s.poly([(x - 0.1, 0.85), (x + 0.1, 0.85), (x, 0.55)], s.inks.ink)
        if count(p, "tip"):
            s.rect(x - half * 0.9, -0.86, x + half * 0.9, -0.6, s.inks.accent, half * 0.6)
            s.line([(x - half * 0.5, 0.8), (x + half * 0.5, 0.45)], 0.07, s.inks.accent)
        for y in spread(count(p, "binding"), -0.3, 0.3) if count(p, "binding") else ():
            wide = half * 1.25
            s.rect(x - wide, y - 0.12, x + wide, y + 0.12, s.inks.ink, 0.05)
            s.rect(x - wide * 0.5, y - 0.05, x + wide * 0.5, y + 0.05, s.inks.metal)
        for y in (-0.6, 0.6) if count(p, "wheels") else ():
            for dx in (-half, half):
                s.rect(x + dx - 0.1, y - 0.1, x + dx + 0.1, y + 0.1, s.inks.pale, 0.06)
            s.rect(x - 0.06, y - 0.08, x + 0.06, y + 0.08, s.inks.metal)
    if count(p, "tip") and n > 1:
        for x in (-0.62, 0.62):
            s.line([(x, -0.6), (x, 0.9)], 0.035, s.inks.metal)
            s.oval(x, 0.8, 0.08, 0.05, s.inks.ink)


def tent(s: Sketch, p: Parameters, dice: Dice) -> None:
    s.arc(0, 0.7, 0.95, 1.3, 180, 360, 1.4, s.inks.main)
    s.poly([(-0.05, -0.55), (0.45, 0.7), (-0.3, 0.7)], s.inks.shade)
    s.poly([(-0.02, -0.3), (0.25, 0.7), (-0.15, 0.7)], s.inks.ink)
    s.arc(0.1, 0.7, 0.6, 1.25, 180, 270, 0.04, s.inks.accent)
    for x in (-0.9, 0.9):
        s.line([(x * 0.8, 0.3), (x * 1.08, 0.78)], 0.025, s.inks.pale)


def tokens(s: Sketch, p: Parameters, dice: Dice) -> None:
    shape, n = word(p, "shape"), count(p, "count", 3)
    if shape == "coin":
        for i in range(n):
            x, y = (-0.5, 0.5, 0.0, -0.52, 0.5)[i % 5], (-0.5, -0.45, 0.05, 0.55, 0.55)[i % 5]
            r = dice.between(0.32, 0.42)
            s.oval(x, y, r, r, s.inks.main if i % 2 else s.inks.metal)
            s.ring(x, y, r * 0.86, 0.03, s.inks.shade)
            figure(s, x, y - 0.02, r * 0.42, s.inks.shade)
    elif shape == "stamp":
        for i, (a, b) in enumerate(s.grid((-0.85, -0.75, 0.85, 0.75), 2, max(1, n // 2))):
            s.rect(*a, *b, WHITE)
            for t in spread(6, 0, 1):
                for x, y in ((a[0] + (b[0] - a[0]) * t, a[1]), (a[0] + (b[0] - a[0]) * t, b[1])):
                    s.oval(x, y, 0.03, 0.03, s.inks.ink)
            s.rect(a[0] + 0.06, a[1] + 0.07, b[0] - 0.06, b[1] - 0.07, s.inks.main if i % 2 else dice.pick(GLOWS))
            star(s, (a[0] + b[0]) / 2, (a[1] + b[1]) / 2, 0.14, s.inks.pale, 4 + dice.below(3))
    elif shape == "ticket":
        for i in range(n):
            y = -0.4 + i * 0.6
            s.rect(-0.92, y - 0.28, 0.92, y + 0.28, s.inks.main)
            for x in (-0.92, 0.92):
                s.oval(x, y, 0.1, 0.1, s.inks.ink)
            for t in spread(7, y - 0.24, y + 0.24):
                s.oval(0.45, t, 0.02, 0.02, s.inks.pale)
            scribble(s, (-0.7, y - 0.2, 0.3, y + 0.2), 3, s.inks.contrast, dice)
            star(s, 0.68, y, 0.13, s.inks.accent)
    elif count(p, "bow"):
        for i in range(n):
            _voucher(s.inset(0.1 * i, 0.1 * i, 1), dice)
    else:
        for x in spread(n, -0.55, 0.55):
            y = dice.between(-0.1, 0.1)
            s.rect(x - 0.3, y - 0.46, x + 0.3, y + 0.46, s.inks.accent, 0.05)
            s.rect(x - 0.24, y - 0.34, x + 0.24, y + 0.06, dice.pick(GLOWS))
            star(s, x, y - 0.14, 0.15, s.inks.main, 4 + dice.below(4))
            scribble(s, (x - 0.22, y + 0.12, x + 0.22, y + 0.4), 3, s.inks.ink, dice)


def _voucher(s: Sketch, dice: Dice) -> None:
    s.rect(-0.9, -0.55, 0.9, 0.55, s.inks.main, 0.08)
    s.rect(-0.42, -0.55, -0.28, 0.55, s.inks.accent)
    s.rect(-0.9, -0.07, 0.9, 0.07, s.inks.accent)
    for side in (-1, 1):
        s.poly([(-0.35, 0), (-0.35 + side * 0.36, -0.24), (-0.35 + side * 0.36, 0.2)], s.inks.accent)
    scribble(s, (0.1, 0.2, 0.75, 0.42), 1, WHITE, dice)


def grid(s: Sketch, p: Parameters, dice: Dice) -> None:
    rows, columns = count(p, "rows", 6), count(p, "columns", 6)
    s.rect(-0.9, -0.9, 0.9, 0.9, s.inks.main)
    high, wide = 1.6 / rows, 1.6 / columns
    for r in range(rows):
        for c in range(columns):
            x, y = -0.8 + c * wide, -0.8 + r * high
            if (r + c) % 2 or word(p, "pattern") != "checker":
                s.rect(x, y, x + wide, y + high, s.inks.pale)
            if dice.chance(0.22):
                s.oval(x + wide / 2, y + high / 2, wide * 0.32, high * 0.32, dice.pick((s.inks.ink, s.inks.accent)))
