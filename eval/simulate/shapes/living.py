"""Animals and people."""

from __future__ import annotations

from eval.simulate.dice import Dice
from eval.simulate.shapes.parts import WHITE, Parameters, count, number, scribble, spread, word
from eval.simulate.sketch import Colour, Sketch, around, mix

_SKINS: tuple[Colour, ...] = ((236, 200, 170), (206, 160, 128), (150, 104, 74), (98, 66, 48))
_HAIRS: tuple[Colour, ...] = ((36, 28, 26), (90, 58, 36), (200, 160, 90), (120, 120, 124))


def quadruped(s: Sketch, p: Parameters, dice: Dice) -> None:
    leg, body, snout, neck = (number(p, k) for k in ("leg", "body", "snout", "neck"))
    floor = 0.9
    y = floor - leg - body * 0.5
    x = -body * 0.9 - neck * 0.25
    head_y = y - 0.3 - neck * 0.7
    _tail(s, word(p, "tail"), body, y)
    for dx in (-0.72, -0.5, 0.5, 0.74):
        wide = 0.09 if leg > 0.15 else 0.14
        s.rect(dx * body - wide, y, dx * body + wide * 0.6, floor, s.inks.shade if abs(dx) < 0.6 else s.inks.main, 0.05)
    s.oval(0, y, body * 1.1, body * 0.52, s.inks.main)
    s.poly(
        [(-body * 0.9, y + 0.15), (-body * 0.3, y - body * 0.4), (x + 0.16, head_y - 0.05), (x - 0.1, head_y + 0.12)],
        s.inks.main,
    )
    if count(p, "mane"):
        s.line([(-body * 0.2, y - body * 0.45), (x + 0.18, head_y - 0.18)], 0.13, s.inks.ink)
    _ears(s, word(p, "ears"), x, head_y)
    s.oval(x, head_y, 0.25, 0.23, s.inks.main)
    s.oval(x - 0.16 - snout * 0.4, head_y + 0.08, 0.1 + snout * 0.5, 0.12, s.inks.main if snout > 0.2 else s.inks.tint)
    s.oval(x - 0.22 - snout * 0.85, head_y + 0.05, 0.05, 0.045, s.inks.ink)
    s.oval(x - 0.07, head_y - 0.05, 0.04, 0.05, s.inks.ink)
    for dy in (-0.06, 0.0, 0.06) if count(p, "whiskers") else ():
        s.line([(x - 0.2, head_y + 0.08), (x - 0.5, head_y + 0.08 + dy * 2)], 0.015, s.inks.pale)


def _tail(s: Sketch, kind: str, body: float, y: float) -> None:
    end = body * 1.0
    if kind == "up":
        s.line([(end, y - 0.1), (end + 0.2, y - 0.5)], 0.1, s.inks.main)
    elif kind == "curl":
        s.arc(end + 0.06, y - 0.28, 0.24, 0.34, 280, 480, 0.09, s.inks.main)
        s.arc(end + 0.12, y - 0.55, 0.16, 0.14, 160, 360, 0.08, s.inks.shade)
    elif kind == "puff":
        s.oval(end + 0.08, y - 0.02, 0.15, 0.15, s.inks.pale)
    else:
        s.poly([(end * 0.95, y - 0.12), (end + 0.2, y + 0.1), (end + 0.14, y + 0.65), (end + 0.0, y + 0.2)], s.inks.ink)


def _ears(s: Sketch, kind: str, x: float, y: float) -> None:
    for dx in (-0.12, 0.12):
        if kind == "up":
            s.poly([(x + dx - 0.1, y - 0.12), (x + dx, y - 0.42), (x + dx + 0.1, y - 0.12)], s.inks.shade)
        elif kind == "long":
            s.oval(x + dx, y - 0.48, 0.09, 0.36, s.inks.main)
            s.oval(x + dx, y - 0.48, 0.045, 0.28, (226, 170, 170))
        elif dx > 0:
            s.oval(x + dx + 0.1, y + 0.08, 0.1, 0.24, s.inks.shade)


def bird(s: Sketch, p: Parameters, dice: Dice) -> None:
    leg, beak, tail = number(p, "leg", 0.2), number(p, "beak", 0.1), number(p, "tail", 0.3)
    floor = 0.9
    y = floor - leg - 0.4
    for x in (-0.08, 0.14):
        s.line([(x, y + 0.3), (x, floor), (x - 0.12, floor)], 0.05, (220, 160, 60))
    s.poly(
        [(0.3, y - 0.2), (0.45 + tail, y - 0.3 + tail), (0.35 + tail, y + 0.1 + tail), (0.2, y + 0.25)], s.inks.shade
    )
    s.oval(0, y, 0.52, 0.42, s.inks.main)
    s.poly([(-0.5, y), (-0.1, y - 0.3), (-0.2, y - 0.6), (-0.55, y - 0.6)], s.inks.main)
    s.oval(-0.38, y - 0.6, 0.25, 0.24, s.inks.main)
    s.oval(0.12, y + 0.02, 0.32, 0.2, s.inks.accent if count(p, "crest") else s.inks.shade)
    s.poly([(-0.58, y - 0.68), (-0.62 - beak * 1.5, y - 0.54), (-0.58, y - 0.5)], (232, 170, 60))
    s.oval(-0.44, y - 0.66, 0.045, 0.045, s.inks.ink)
    for dx, dy in ((0.0, -0.42), (0.12, -0.38), (0.22, -0.3)) if count(p, "crest") else ():
        s.line([(-0.32, y - 0.75), (-0.38 + dx * 1.4, y - 0.6 + dy)], 0.05, s.inks.accent)
    if count(p, "comb"):
        for dx in (-0.12, 0.0, 0.12):
            s.oval(-0.38 + dx, y - 0.84, 0.08, 0.1, (206, 40, 40))
        s.oval(-0.58, y - 0.42, 0.06, 0.1, (206, 40, 40))


def fish(s: Sketch, p: Parameters, dice: Dice) -> None:
    if count(p, "tank"):
        s.rect(-0.95, -0.75, 0.95, 0.75, s.inks.ink)
        s.rect(-0.9, -0.55, 0.9, 0.7, (90, 180, 214))
        s.rect(-0.9, 0.5, 0.9, 0.7, (206, 184, 136))
        for x in (-0.6, 0.1, 0.65):
            s.line([(x, 0.5), (x + 0.06, 0.1), (x - 0.02, -0.2)], 0.06, s.inks.leaf)
    for i, x in enumerate(spread(count(p, "count", 2), -0.4, 0.4)):
        y = -0.25 + 0.4 * (i % 2) + dice.between(-0.08, 0.08)
        s.oval(x, y, 0.24, 0.14, s.inks.main if i % 2 == 0 else s.inks.accent)
        s.poly(
            [(x + 0.18, y), (x + 0.38, y - 0.15), (x + 0.38, y + 0.15)], s.inks.main if i % 2 == 0 else s.inks.accent
        )
        s.oval(x - 0.13, y - 0.03, 0.03, 0.03, s.inks.ink)


def reptile(s: Sketch, p: Parameters, dice: Dice) -> None:
    for x in (-0.45, 0.45):
        s.oval(x, 0.5, 0.2, 0.16, s.inks.tint)
    s.oval(-0.82, 0.1, 0.2, 0.16, s.inks.tint)
    s.oval(-0.88, 0.06, 0.035, 0.035, s.inks.ink)
    s.poly([(0.65, 0.35), (0.95, 0.5), (0.65, 0.5)], s.inks.tint)
    s.arc(0, 0.45, 0.74, 0.8, 180, 360, 0.8, s.inks.main)
    for dx, dy in ((-0.35, 0.2), (0, 0.1), (0.35, 0.2), (-0.18, -0.14), (0.18, -0.14)):
        s.poly([(dx + ax * 0.15, dy + ay * 0.13) for ax, ay in around(6)], s.inks.shade)
    s.rect(-0.75, 0.4, 0.75, 0.5, s.inks.wood)


def person(s: Sketch, p: Parameters, dice: Dice) -> None:
    skin, hair = dice.pick(_SKINS), dice.pick(_HAIRS)
    for x in (-0.38, -0.12):
        s.rect(x, 0.4, x + 0.22, 0.98, mix(s.inks.ink, s.inks.main, 0.2))
    s.rect(-0.5, -0.35, 0.2, 0.45, s.inks.main, 0.14)
    s.line([(0.14, -0.2), (0.32, 0.1), (0.5, 0.05)], 0.16, s.inks.shade)
    s.line([(-0.45, -0.2), (-0.58, 0.25)], 0.15, s.inks.shade)
    s.oval(0.5, 0.04, 0.09, 0.09, skin)
    s.oval(-0.15, -0.68, 0.25, 0.26, hair)
    s.oval(-0.15, -0.6, 0.22, 0.25, skin)
    for x in (-0.23, -0.07):
        s.oval(x, -0.62, 0.03, 0.03, s.inks.ink)
    s.arc(-0.15, -0.56, 0.1, 0.1, 30, 150, 0.03, (150, 60, 60))
    if count(p, "apron"):
        s.rect(-0.36, -0.15, 0.06, 0.6, s.inks.pale, 0.04)
    if count(p, "tie"):
        s.poly([(-0.25, -0.36), (-0.05, -0.36), (-0.15, -0.05)], WHITE)
        s.poly([(-0.18, -0.34), (-0.12, -0.34), (-0.09, 0.1), (-0.15, 0.2), (-0.21, 0.1)], s.inks.accent)
    _hat(s, word(p, "hat"))
    _prop(s, word(p, "prop"), dice)


def _hat(s: Sketch, kind: str) -> None:
    if kind == "cap":
        s.arc(-0.15, -0.7, 0.26, 0.22, 180, 360, 0.25, s.inks.accent)
        s.rect(-0.1, -0.76, 0.28, -0.68, s.inks.accent)
    elif kind == "chef":
        for dx in (-0.16, 0, 0.16):
            s.oval(-0.15 + dx, -0.96, 0.15, 0.13, WHITE)
        s.rect(-0.36, -0.95, 0.06, -0.72, WHITE)
    elif kind == "helmet":
        s.arc(-0.15, -0.68, 0.3, 0.3, 180, 360, 0.3, (246, 200, 40))
        s.rect(-0.48, -0.74, 0.18, -0.67, (246, 200, 40))
    elif kind == "nurse":
        s.poly([(-0.38, -0.78), (0.08, -0.78), (0.14, -1), (-0.44, -1)], WHITE)
        s.rect(-0.18, -0.96, -0.12, -0.82, (210, 40, 40))
        s.rect(-0.22, -0.92, -0.08, -0.86, (210, 40, 40))


def _prop(s: Sketch, kind: str, dice: Dice) -> None:
    brown: Colour = (190, 146, 96)
    if kind == "bucket":
        s.poly([(0.3, 0.35), (0.85, 0.35), (0.75, 0.92), (0.4, 0.92)], (60, 120, 210))
        s.arc(0.57, 0.35, 0.26, 0.34, 180, 360, 0.04, s.inks.metal)
        s.line([(0.9, -0.8), (0.7, 0.6)], 0.06, s.inks.wood)
    elif kind == "baby":
        s.oval(0.5, 0.1, 0.36, 0.26, s.inks.accent)
        s.oval(0.68, -0.14, 0.2, 0.2, _SKINS[0])
    elif kind == "dog":
        s.oval(0.6, 0.66, 0.3, 0.17, brown)
        s.oval(0.86, 0.46, 0.14, 0.13, brown)
        for x in (0.4, 0.52, 0.68, 0.8):
            s.rect(x - 0.03, 0.7, x + 0.04, 0.96, brown)
        s.line([(0.5, 0.05), (0.82, 0.5)], 0.03, (200, 40, 40))
    elif kind == "parcel":
        s.rect(0.3, -0.3, 0.95, 0.25, brown)
        s.rect(0.58, -0.3, 0.68, 0.25, s.inks.pale)
    elif kind == "boxes":
        for x, y in ((0.25, 0.6), (0.62, 0.6), (0.44, 0.24), (0.44, -0.12)):
            s.rect(x, y, x + 0.34, y + 0.34, mix(brown, (0, 0, 0), dice.between(0, 0.25)))
    elif kind == "tray":
        s.oval(0.55, -0.06, 0.4, 0.09, s.inks.metal)
        s.poly([(0.35, -0.5), (0.6, -0.5), (0.5, -0.1), (0.45, -0.1)], (210, 60, 60))
        s.arc(0.72, -0.08, 0.2, 0.2, 180, 360, 0.2, s.inks.pale)
    elif kind == "cross":
        s.rect(0.3, -0.3, 0.95, 0.35, WHITE, 0.06)
        s.rect(0.55, -0.22, 0.7, 0.27, (210, 40, 40))
        s.rect(0.38, -0.05, 0.87, 0.1, (210, 40, 40))
    elif kind == "paper":
        s.poly([(0.35, -0.4), (0.85, -0.32), (0.78, 0.3), (0.28, 0.22)], WHITE)
        scribble(s, (0.4, -0.26, 0.75, 0.16), 5, (120, 120, 130), dice)
    elif kind == "bag":
        s.rect(0.32, 0.1, 0.86, 0.75, s.inks.accent)
        s.arc(0.59, 0.12, 0.16, 0.24, 180, 360, 0.04, s.inks.ink)
        s.oval(0.59, 0.42, 0.13, 0.13, WHITE)
    else:
        s.poly([(0.3, -0.3), (0.85, -0.3), (0.8, 0.08), (0.28, 0.08)], s.inks.ink)
        s.poly([(0.34, -0.25), (0.8, -0.25), (0.76, 0.03), (0.32, 0.03)], (120, 200, 220))
        s.poly([(0.28, 0.08), (0.8, 0.08), (0.92, 0.24), (0.36, 0.24)], s.inks.metal)
