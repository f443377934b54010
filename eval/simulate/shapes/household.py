"""Kitchen, cleaning, garden and workshop things."""

from __future__ import annotations

from eval.simulate.dice import Dice
from eval.simulate.shapes.parts import GLOWS, WHITE, Parameters, count, number, spread, star, wheel, word
from eval.simulate.sketch import Point, Sketch, around, mix

_PROFILES: dict[str, tuple[Point, ...]] = {
    "pouf": ((0.7, -0.4), (0.92, 0.0), (0.92, 0.3), (0.7, 0.55)),
    "vase": ((0.22, -0.9), (0.14, -0.55), (0.5, 0.1), (0.46, 0.6), (0.26, 0.9)),
    "pan": ((0.62, -0.2), (0.62, 0.5), (0.5, 0.6)),
    "mug": ((0.5, -0.6), (0.5, 0.65), (0.42, 0.72)),
    "kettle": ((0.3, -0.6), (0.5, -0.2), (0.62, 0.7)),
    "blender": ((0.42, -0.8), (0.34, 0.2), (0.3, 0.2), (0.46, 0.9)),
    "fryer": ((0.4, -0.85), (0.66, -0.5), (0.66, 0.6), (0.56, 0.8)),
    "amphora": ((0.24, -0.9), (0.18, -0.6), (0.58, -0.1), (0.4, 0.5), (0.14, 0.75), (0.3, 0.92)),
    "planter": ((0.72, -0.3), (0.72, -0.1), (0.62, -0.1), (0.46, 0.75)),
    "perfume": ((0.14, -0.4), (0.14, -0.25), (0.5, -0.2), (0.5, 0.7)),
}


def vessel(s: Sketch, p: Parameters, dice: Dice) -> None:
    kind = word(p, "profile", "vase")
    right = _PROFILES[kind]
    if kind in ("mug", "pan", "kettle", "amphora"):
        _handles(s, kind)
    s.poly([*right, *[(-x, y) for x, y in reversed(right)]], s.inks.main)
    s.poly([(x * 0.95, y) for x, y in right] + [(x * 0.6, y) for x, y in reversed(right)], s.inks.shade)
    top = right[0]
    if kind in ("mug", "vase", "planter", "amphora"):
        s.oval(0, top[1], top[0], 0.1, s.inks.shade)
    if kind == "pouf":
        s.oval(0, -0.36, 0.75, 0.2, s.inks.tint)
        s.oval(0, -0.36, 0.06, 0.03, s.inks.shade)
        for x in (-0.5, 0, 0.5):
            s.line([(x * 0.6, -0.25), (x * 1.5, 0.1), (x * 1.1, 0.55)], 0.03, s.inks.shade)
    elif kind == "pan":
        s.oval(0, -0.2, 0.64, 0.14, s.inks.tint)
        s.oval(0, -0.34, 0.08, 0.08, s.inks.ink)
    elif kind == "blender":
        s.rect(-0.44, -0.92, 0.44, -0.78, s.inks.ink)
        s.poly([(-0.36, -0.7), (0.36, -0.7), (0.3, 0.1), (-0.3, 0.1)], (196, 216, 224))
        s.oval(0, 0.55, 0.14, 0.14, s.inks.metal)
    elif kind == "fryer":
        s.rect(-0.56, -0.1, 0.56, 0.6, s.inks.shade, 0.06)
        s.rect(-0.12, 0.1, 0.12, 0.5, s.inks.metal, 0.06)
        s.oval(0, -0.45, 0.2, 0.16, (90, 200, 210))
    elif kind == "amphora":
        for y in (-0.25, 0.05):
            s.rect(-0.5, y, 0.5, y + 0.1, s.inks.accent)
        star(s, 0, 0.3, 0.14, s.inks.accent, 6)
    elif kind == "planter":
        s.rect(-0.72, -0.3, 0.72, -0.1, s.inks.tint)
        s.oval(0, -0.3, 0.66, 0.1, (80, 60, 44))
    elif kind == "perfume":
        s.rect(-0.2, -0.75, 0.2, -0.4, (206, 170, 80), 0.04)
        s.rect(-0.42, 0.1, 0.42, 0.62, s.inks.tint)
        s.rect(-0.26, 0.2, 0.26, 0.46, WHITE)
    elif kind == "kettle":
        s.oval(0, -0.62, 0.3, 0.1, s.inks.ink)
        s.rect(-0.62, 0.66, 0.62, 0.8, s.inks.ink)
    elif kind == "mug":
        star(s, -0.05, 0.05, 0.24, s.inks.accent, 4 + dice.below(3))


def _handles(s: Sketch, kind: str) -> None:
    if kind == "mug":
        s.arc(0.55, 0.05, 0.32, 0.36, 0, 360, 0.12, s.inks.main)
    elif kind == "pan":
        s.rect(0.5, -0.16, 1.0, -0.04, s.inks.ink)
    elif kind == "kettle":
        s.arc(0.5, -0.05, 0.4, 0.5, 230, 450, 0.12, s.inks.ink)
        s.poly([(-0.4, -0.3), (-0.85, -0.4), (-0.52, 0.0)], s.inks.main)
    else:
        for x in (-0.36, 0.36):
            s.arc(x, -0.35, 0.3, 0.36, 0, 360, 0.08, s.inks.main)


def cutlery(s: Sketch, p: Parameters, dice: Dice) -> None:
    n = count(p, "count", 4)
    for i, x in enumerate(spread(n, -0.72, 0.72)):
        s.rect(x - 0.05, -0.1, x + 0.05, 0.92, s.inks.main if i % 4 else s.inks.ink, 0.04)
        if i % 4 == 1:
            for dx in (-0.12, -0.04, 0.04, 0.12):
                s.rect(x + dx - 0.02, -0.9, x + dx + 0.02, -0.5, s.inks.main)
            s.rect(x - 0.14, -0.55, x + 0.14, -0.1, s.inks.main, 0.1)
        elif i % 4 == 2:
            s.oval(x, -0.6, 0.17, 0.3, s.inks.tint)
            s.rect(x - 0.04, -0.4, x + 0.04, 0, s.inks.main)
        else:
            s.poly([(x - 0.08, -0.05), (x - 0.08, -0.75), (x + 0.06, -0.92), (x + 0.1, -0.05)], s.inks.tint)


def vacuum(s: Sketch, p: Parameters, dice: Dice) -> None:
    lance = count(p, "lance")
    if count(p, "hose"):
        s.arc(-0.2, 0.0, 0.62, 0.7, 180, 350, 0.1, s.inks.ink)
    if lance:
        s.rect(0.0, -0.5, 0.62, 0.72, s.inks.main, 0.1)
        s.rect(0.1, -0.85, 0.16, -0.4, s.inks.ink)
        s.rect(0.48, -0.85, 0.54, -0.4, s.inks.ink)
        s.rect(0.1, -0.9, 0.54, -0.82, s.inks.ink)
        s.rect(0.12, 0.0, 0.5, 0.36, s.inks.ink)
        s.line([(-0.6, -0.1), (-0.95, 0.85)], 0.07, s.inks.ink)
        s.line([(-0.58, -0.2), (-0.48, 0.1)], 0.14, s.inks.ink)
        wheel(s, 0.12, 0.74, 0.2)
        return
    s.line([(-0.82, 0.0), (-0.9, 0.8)], 0.08, s.inks.metal)
    s.rect(-1, 0.78, -0.55, 0.92, s.inks.ink)
    s.oval(0.35, 0.45, 0.58, 0.4, s.inks.main)
    s.oval(0.2, 0.3, 0.28, 0.2, s.inks.tint)
    wheel(s, 0.55, 0.62, 0.28)


def iron(s: Sketch, p: Parameters, dice: Dice) -> None:
    s.poly([(-0.95, 0.55), (-0.5, 0.05), (0.2, -0.1), (0.85, -0.05), (0.85, 0.55)], s.inks.main)
    s.rect(-0.98, 0.55, 0.9, 0.68, s.inks.metal)
    s.line([(-0.4, 0.0), (-0.3, -0.45), (0.6, -0.45), (0.75, 0.0)], 0.16, s.inks.shade)
    s.oval(0.1, 0.2, 0.16, 0.16, s.inks.pale)
    for x in (-0.7, -0.5, -0.3) if count(p, "steam") else ():
        s.arc(x - 0.2, -0.5, 0.12, 0.2, 90, 270, 0.05, WHITE)


def sewing(s: Sketch, p: Parameters, dice: Dice) -> None:
    s.rect(-0.9, 0.5, 0.9, 0.8, s.inks.main, 0.05)
    s.rect(0.4, -0.6, 0.8, 0.6, s.inks.main)
    s.rect(-0.75, -0.65, 0.8, -0.2, s.inks.main, 0.08)
    s.rect(-0.72, -0.3, -0.4, 0.2, s.inks.tint)
    s.line([(-0.55, 0.1), (-0.55, 0.5)], 0.04, s.inks.ink)
    s.oval(0.85, -0.4, 0.12, 0.2, s.inks.shade)
    s.rect(0.1, -0.85, 0.25, -0.62, s.inks.accent)
    s.oval(0.6, 0.1, 0.1, 0.1, s.inks.ink)
    s.rect(-0.3, -0.55, 0.3, -0.35, s.inks.accent)


def plant(s: Sketch, p: Parameters, dice: Dice) -> None:
    style, n = word(p, "style"), count(p, "leaves", 6)
    if style == "fir":
        s.rect(-0.1, 0.7, 0.1, 0.95, s.inks.wood)
        for i, y in enumerate(spread(n, 0.75, -0.5)):
            half = 0.75 - i * 0.6 / n
            s.poly([(-half, y), (half, y), (0, y - 0.5)], s.inks.shade if i % 2 else s.inks.main)
        for _ in range(9):
            y = dice.between(-0.4, 0.65)
            s.oval(dice.between(-0.5, 0.5) * (y + 0.9) / 1.5, y, 0.07, 0.07, s.inks.accent)
        star(s, 0, -0.9, 0.16, (250, 210, 70))
        return
    if style == "tree":
        s.rect(-0.07, 0.0, 0.07, 0.95, s.inks.wood)
        for dx, dy in around(n):
            s.oval(dx * 0.45, -0.3 + dy * 0.38, 0.28, 0.24, s.inks.main if dx > 0 else s.inks.shade)
        s.oval(0, -0.3, 0.4, 0.35, s.inks.main)
        for dx, dy in around(max(1, count(p, "flowers")), dice.between(0, 90)):
            star(s, dx * 0.4, -0.3 + dy * 0.35, 0.15, s.inks.accent, 6)
        return
    for dx, dy in around(n, dice.between(0, 40)):
        y = -0.3 + dy * 0.5
        s.line([(0, 0.3), (dx * 0.55, y)], 0.04, s.inks.shade)
        s.oval(dx * 0.6, y, 0.24, 0.16 + 0.1 * abs(dy), s.inks.main if dx < 0.2 else s.inks.tint)
    s.poly([(-0.4, 0.3), (0.4, 0.3), (0.28, 0.92), (-0.28, 0.92)], (180, 104, 70))


def power_tool(s: Sketch, p: Parameters, dice: Dice) -> None:
    kind = word(p, "kind")
    if kind in ("drill", "dryer"):
        s.poly([(0.15, 0.0), (0.55, 0.0), (0.65, 0.7), (0.3, 0.7)], s.inks.shade)
        s.rect(-0.4, -0.5, 0.7, 0.05, s.inks.main, 0.12)
        if kind == "drill":
            s.rect(0.12, 0.6, 0.85, 0.9, s.inks.ink, 0.04)
            s.poly([(-0.4, -0.42), (-0.66, -0.32), (-0.66, -0.12), (-0.4, -0.02)], s.inks.ink)
            s.rect(-0.98, -0.25, -0.66, -0.19, s.inks.metal)
        else:
            s.oval(0.5, -0.22, 0.4, 0.4, s.inks.main)
            s.oval(0.5, -0.22, 0.24, 0.24, s.inks.ink)
            s.poly([(-0.4, -0.42), (-0.8, -0.52), (-0.8, 0.08), (-0.4, -0.02)], s.inks.ink)
            s.line([(0.48, 0.7), (0.4, 0.95), (0.0, 0.95)], 0.05, s.inks.ink)
    elif kind == "saw":
        s.oval(-0.2, 0.3, 0.55, 0.55, s.inks.metal)
        for dx, dy in around(20):
            s.oval(-0.2 + dx * 0.56, 0.3 + dy * 0.56, 0.05, 0.05, s.inks.metal)
        s.oval(-0.2, 0.3, 0.1, 0.1, s.inks.ink)
        s.arc(-0.2, 0.25, 0.62, 0.62, 180, 360, 0.34, s.inks.main)
        s.line([(0.2, -0.2), (0.6, -0.45), (0.85, 0.1), (0.5, 0.2)], 0.14, s.inks.shade)
        s.rect(-0.9, 0.5, 0.8, 0.58, s.inks.ink)
    else:
        s.rect(-1, 0.02, 0.15, 0.2, s.inks.metal, 0.06)
        for x in spread(14, -0.98, 0.1):
            s.rect(x, -0.02, x + 0.04, 0.24, s.inks.ink)
        s.rect(0.05, -0.2, 0.9, 0.4, s.inks.main, 0.1)
        s.arc(0.4, -0.15, 0.32, 0.4, 180, 360, 0.09, s.inks.ink)
        s.rect(0.25, 0.0, 0.6, 0.2, s.inks.ink)


def mower(s: Sketch, p: Parameters, dice: Dice) -> None:
    s.line([(0.3, 0.2), (0.85, -0.8), (0.7, -0.88)], 0.07, s.inks.ink)
    s.poly([(-0.85, 0.5), (-0.75, 0.1), (0.45, 0.1), (0.6, 0.5)], s.inks.main)
    s.rect(-0.45, -0.15, 0.1, 0.12, s.inks.ink, 0.06)
    s.poly([(0.45, 0.0), (0.95, -0.1), (0.9, 0.45), (0.5, 0.45)], s.inks.shade)
    for x in (-0.62, 0.4):
        wheel(s, x, 0.58, 0.2 if x < 0 else 0.28, 0.4)


def parasol(s: Sketch, p: Parameters, dice: Dice) -> None:
    n = count(p, "ribs", 6)
    s.rect(-0.04, -0.3, 0.04, 0.9, s.inks.wood)
    for i in range(n):
        x0, x1 = (-0.95 + 1.9 * i / n, -0.95 + 1.9 * (i + 1) / n)
        s.poly([(0, -0.9), (x0, -0.2), (x1, -0.2)], s.inks.main if i % 2 else s.inks.pale)
    s.rect(-0.3, 0.88, 0.3, 0.98, s.inks.shade)


def barbecue(s: Sketch, p: Parameters, dice: Dice) -> None:
    for x in spread(count(p, "legs", 3), -0.5, 0.5):
        s.line([(x * 0.6, 0.2), (x, 0.95)], 0.06, s.inks.metal)
    s.arc(0, 0.0, 0.72, 0.5, 0, 180, 0.5, s.inks.main)
    if count(p, "lid"):
        s.arc(0, -0.06, 0.72, 0.62, 180, 360, 0.62, s.inks.main)
        s.rect(-0.12, -0.76, 0.12, -0.66, s.inks.wood)
    s.rect(-0.78, -0.06, 0.78, 0.02, s.inks.metal)
    s.oval(-0.5, 0.86, 0.12, 0.12, s.inks.ink)


def tub(s: Sketch, p: Parameters, dice: Dice) -> None:
    kind = word(p, "kind")
    if kind == "baby":
        s.poly([(-0.92, -0.1), (0.92, -0.1), (0.7, 0.6), (-0.7, 0.6)], s.inks.main)
        s.oval(0, -0.1, 0.92, 0.22, s.inks.tint)
        s.oval(0.05, -0.06, 0.75, 0.14, (150, 204, 230))
        s.oval(0.2, -0.2, 0.16, 0.12, (250, 206, 60))
        s.oval(0.3, -0.36, 0.1, 0.1, (250, 206, 60))
    elif kind == "trampoline":
        for x in (-0.8, -0.3, 0.3, 0.8):
            s.rect(x - 0.025, -0.85, x + 0.025, 0.85, s.inks.metal)
        for x in spread(12, -0.8, 0.8):
            s.line([(x, -0.7), (x, 0.3)], 0.012, s.inks.ink)
        s.oval(0, 0.35, 0.92, 0.25, s.inks.accent)
        s.oval(0, 0.35, 0.72, 0.17, s.inks.ink)
    elif kind == "compressor":
        s.rect(-0.85, 0.0, 0.85, 0.6, s.inks.main, 0.28)
        s.rect(-0.5, -0.5, 0.2, 0.0, s.inks.ink, 0.06)
        s.ring(0.5, -0.2, 0.17, 0.05, s.inks.metal)
        s.line([(0.85, 0.2), (0.98, -0.4)], 0.06, s.inks.ink)
        wheel(s, -0.6, 0.66, 0.22)
    elif kind == "pool":
        s.rect(-0.95, -0.1, 0.95, 0.5, s.inks.main)
        s.oval(0, 0.5, 0.95, 0.26, s.inks.main)
        s.oval(0, -0.1, 0.95, 0.28, WHITE)
        s.oval(0, -0.1, 0.85, 0.22, (90, 190, 230))
        s.arc(-0.2, -0.1, 0.3, 0.08, 180, 340, 0.03, WHITE)
        s.line([(0.6, 0.6), (0.62, -0.5), (0.8, -0.5), (0.85, 0.6)], 0.04, s.inks.metal)
    elif kind == "toilet":
        s.rect(0.2, -0.8, 0.8, 0.1, s.inks.main, 0.06)
        s.rect(0.42, -0.88, 0.58, -0.8, s.inks.metal)
        s.poly([(-0.7, 0.05), (0.6, 0.05), (0.4, 0.5), (0.4, 0.9), (-0.2, 0.9), (-0.3, 0.5)], s.inks.main)
        s.oval(-0.15, 0.05, 0.6, 0.14, s.inks.shade)
        s.oval(-0.15, 0.03, 0.42, 0.08, s.inks.pale)
    else:
        s.oval(0, 0.25, 0.95, 0.5, s.inks.main)
        s.oval(0, 0.15, 0.78, 0.34, s.inks.shade)
        s.oval(0, 0.25, 0.68, 0.24, s.inks.tint)
        if count(p, "bone"):
            s.line([(-0.2, 0.25), (0.25, 0.15)], 0.12, WHITE)
            for x, y in ((-0.22, 0.18), (-0.2, 0.33), (0.25, 0.07), (0.3, 0.22)):
                s.oval(x, y, 0.1, 0.1, WHITE)


def tool(s: Sketch, p: Parameters, dice: Dice) -> None:
    n = count(p, "count", 1)
    for i in range(n):
        inner = s.inset((i - (n - 1) / 2) * 0.6, 0, 0.96 if n == 1 else 0.85)
        _one_tool(inner, word(p, "head"), number(p, "length", 0.9), i)


def _one_tool(s: Sketch, head: str, end: float, i: int) -> None:
    if head in ("usb", "dongle"):
        s.rect(-0.28, -end * 0.35, 0.28, end, s.inks.main, 0.1)
        s.rect(-0.17, -end * 0.9, 0.17, -end * 0.35, s.inks.metal)
        s.rect(-0.1, -end * 0.8, -0.03, -end * 0.7, s.inks.ink)
        s.rect(0.03, -end * 0.8, 0.1, -end * 0.7, s.inks.ink)
        if head == "usb":
            s.ring(0, end * 0.75, 0.12, 0.04, s.inks.accent)
            s.rect(-0.2, -0.1, 0.2, 0.2, s.inks.accent)
        else:
            s.rect(-0.34, -end * 0.4, 0.34, end, s.inks.main, 0.16)
            s.oval(0, end * 0.1, 0.07, 0.07, GLOWS[2])
            s.line([(0, end), (0.1, 0.98)], 0.1, s.inks.ink)
    elif head == "racket":
        s.rect(-0.05, 0.1, 0.05, end, s.inks.ink)
        s.rect(-0.08, 0.5, 0.08, end, s.inks.shade, 0.04)
        for t in spread(7, -0.36, 0.36):
            s.line([(t, -0.85), (t, 0.1)], 0.012, s.inks.pale)
            s.line([(-0.42, -0.38 + t), (0.42, -0.38 + t)], 0.012, s.inks.pale)
        s.arc(0, -0.38, 0.48, 0.58, 0, 360, 0.08, s.inks.main)
        s.oval(0.6, 0.6, 0.14, 0.14, (210, 230, 60))
    elif head == "golf":
        s.rect(-0.03, -end, 0.03, 0.8, s.inks.main)
        s.rect(-0.05, -end, 0.05, -0.5, s.inks.ink)
        s.poly([(-0.05, 0.7), (0.3, 0.8), (0.3, 0.98), (-0.05, 0.95)], s.inks.tint)
    elif head == "hook":
        s.line([(0.4, -end), (-0.2, 0.75)], 0.1, s.inks.main)
        s.line([(0.4, -end), (0.22, -0.45)], 0.12, s.inks.ink)
        s.arc(-0.42, 0.7, 0.26, 0.24, 0, 190, 0.13, s.inks.main)
        s.oval(0.3, 0.8, 0.14, 0.14, s.inks.accent)
    elif head == "rod":
        s.line([(0.8, -end), (-0.7, 0.9)], 0.035, s.inks.main)
        s.line([(-0.35, 0.48), (-0.75, 0.96)], 0.11, s.inks.wood)
        s.oval(-0.12, 0.46, 0.15, 0.15, s.inks.metal)
        s.line([(0.8, -end), (0.75, 0.4)], 0.012, s.inks.pale)
        s.oval(0.75, 0.45, 0.07, 0.1, (220, 50, 40))
    elif head == "wrench":
        if i == 1:
            s.rect(-0.1, 0.0, 0.1, end, s.inks.accent, 0.06)
            s.rect(-0.035, -end, 0.035, 0, s.inks.main)
            return
        s.rect(-0.08, -0.6, 0.08, 0.7, s.inks.main)
        for y in (-0.72, 0.75):
            s.ring(0, y, 0.22, 0.1, s.inks.main)
        s.rect(-0.06, -1, 0.06, -0.78, mix(s.inks.shade, (0, 0, 0), 0.5))
    else:
        s.rect(-0.24, -0.4, 0.24, 0.95, s.inks.main, 0.18)
        s.rect(-0.36, -end - 0.25, 0.36, -0.35, s.inks.metal, 0.1)
        for x in (-0.18, 0.0, 0.18):
            s.oval(x, -end, 0.12, 0.12, s.inks.ink)
        s.oval(0, 0.1, 0.1, 0.1, s.inks.tint)
