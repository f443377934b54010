"""Cars, boats, tractors, trains and carts."""

from __future__ import annotations

from eval.simulate.dice import Dice
from eval.simulate.shapes.parts import GLOWS, WHITE, Parameters, count, number, spread, wheel
from eval.simulate.sketch import Point, Sketch, around, mix


def car(s: Sketch, p: Parameters, dice: Dice) -> None:
    half, roof, r = number(p, "length", 0.9), number(p, "roof", 0.45), number(p, "wheel", 0.19)
    front, back = number(p, "bonnet", 0.3) * 2 * half, number(p, "boot") * 2 * half
    deck, floor = 0.12, 0.5
    top = deck - roof
    rear = half - back - number(p, "bed") * 2 * half - number(p, "box") * 2 * half
    if count(p, "plinth"):
        s.rect(-0.95, 0.68, 0.95, 0.84, s.inks.wood)
    if "box" in p:
        s.rect(rear + 0.03, top - 0.1, half, floor - 0.04, s.inks.accent)
        s.rect(rear + 0.1, top, half - 0.07, top + 0.08, WHITE)
    lean, slope = (0.12, 0.06) if roof > 0.65 else (0.26, 0.12 + 0.5 * back)
    cabin: list[Point] = [(-half + front, deck), (-half + front + lean, top), (rear - slope, top), (rear, deck)]
    if count(p, "open"):
        s.line([(-half + front, deck), (-half + front + 0.18, top)], 0.05, s.inks.ink)
        s.rect(-0.1, deck - 0.14, 0.1, deck, s.inks.ink, 0.05)
        s.rect(0.25, deck - 0.14, 0.45, deck, s.inks.ink, 0.05)
        s.rect(rear, deck - 0.06, half - 0.04, deck + 0.02, s.inks.shade, 0.03)
    else:
        s.poly(cabin, s.inks.main)
    sill = deck if front > 0.08 else top
    s.rect(-half, min(deck, sill + 0.1), half if not ("bed" in p or "box" in p) else rear, floor, s.inks.main, 0.06)
    s.rect(-half, deck, half, floor, s.inks.main, 0.06)
    _car_windows(s, p, cabin)
    _car_extras(s, p, half, top, rear, floor)
    s.oval(-half + 0.06, deck + 0.12, 0.06, 0.06, (250, 240, 190))
    s.rect(half - 0.06, deck + 0.06, half, deck + 0.18, (200, 40, 40))
    for x in (-half * 0.62, half * 0.62):
        s.oval(x, floor, r * 1.15, r * 1.15, s.inks.shade)
        wheel(s, x, floor, r, 0.34)


def _car_windows(s: Sketch, p: Parameters, cabin: list[Point]) -> None:
    n = count(p, "windows")
    (x0, deck), (x1, top), (x2, _), (x3, _) = cabin
    if not n:
        return
    y0, y1 = top + 0.06, deck - 0.01 if deck - top < 0.6 else top + 0.34
    left = x1 + (x0 - x1) * (y1 - top) / (deck - top)
    right = x2 + (x3 - x2) * (y1 - top) / (deck - top)
    span = (right - left) * (0.34 if count(p, "panel") else 1)
    s.poly(
        [(left + 0.05, y1), (x1 + 0.02, y0), (x1 + (x2 - x1) * span / (right - left), y0), (left + span - 0.05, y1)],
        s.inks.glass,
    )
    for x in spread(n + 1, x1, x2)[1:-1]:
        s.rect(x - 0.03, y0, x + 0.03, y1, s.inks.main)


def _car_extras(s: Sketch, p: Parameters, half: float, top: float, rear: float, floor: float) -> None:
    if count(p, "rails"):
        s.line([(-half * 0.3, top - 0.06), (half * 0.75, top - 0.06)], 0.04, s.inks.metal)
        for x in (-half * 0.25, half * 0.7):
            s.rect(x, top - 0.06, x + 0.04, top, s.inks.metal)
    if count(p, "fenders"):
        for x in (-half * 0.62, half * 0.62):
            s.arc(x, floor, 0.3, 0.3, 180, 360, 0.1, s.inks.shade)
        s.line([(-half, 0.44), (half, 0.44)], 0.05, s.inks.metal)
    if count(p, "plug"):
        s.line([(half * 0.5, 0.2), (half * 0.8, -0.1), (half, -0.5), (half, -0.9)], 0.05, (60, 200, 110))
        s.rect(half - 0.16, -0.95, half + 0.1, -0.55, (60, 200, 110))
    if count(p, "panel"):
        s.rect(-half * 0.1, top + 0.1, half * 0.9, 0.3, s.inks.tint)
    if "bed" in p:
        s.rect(rear + 0.05, 0.12, half - 0.04, 0.2, s.inks.ink)
    if count(p, "awning"):
        for i, x in enumerate(spread(6, -half * 0.2, half * 0.7)):
            s.poly(
                [(x, top), (x + half * 0.18, top), (x + half * 0.18, top + 0.2), (x - 0.03, top + 0.2)],
                WHITE if i % 2 else s.inks.accent,
            )
    if count(p, "antenna"):
        s.line([(half * 0.6, 0.1), (half * 0.75, -0.85)], 0.03, s.inks.ink)
        s.poly([(half * 0.75, -0.85), (half * 0.95, -0.78), (half * 0.74, -0.7)], GLOWS[0])
        s.rect(half * 0.7, -0.12, half + 0.12, -0.04, s.inks.accent)


def caravan(s: Sketch, p: Parameters, dice: Dice) -> None:
    if count(p, "hitch"):
        s.line([(-0.7, 0.5), (-1, 0.55)], 0.07, s.inks.ink)
    if count(p, "open"):
        s.rect(-0.75, 0.1, 0.85, 0.42, s.inks.main)
        for x in spread(5, -0.7, 0.8):
            s.line([(x, 0.1), (x, 0.42)], 0.04, s.inks.shade)
    else:
        s.rect(-0.78, -0.55, 0.85, 0.5, s.inks.main, 0.2)
        s.rect(-0.78, 0.1, 0.85, 0.22, s.inks.accent)
        s.rect(0.3, -0.3, 0.58, 0.46, s.inks.tint)
        for x in spread(count(p, "windows"), -0.5, 0.05) if count(p, "windows") else ():
            s.rect(x - 0.18, -0.32, x + 0.18, 0.0, s.inks.glass, 0.05)
    wheel(s, 0.05, 0.55, 0.22)


def wheel_item(s: Sketch, p: Parameters, dice: Dice) -> None:
    spokes, tyre, hub = count(p, "spokes"), number(p, "tyre", 0.2), number(p, "hub", 0.16)
    if count(p, "stack"):
        for y in (0.62, 0.3):
            s.rect(-0.9, y, 0.9, y + 0.3, s.inks.ink, 0.14)
            for x in spread(14, -0.85, 0.85):
                s.rect(x, y + 0.04, x + 0.04, y + 0.26, (70, 70, 74))
        s.oval(0, -0.2, 0.88, 0.6, s.inks.main)
        s.oval(0, -0.2, 0.88 * tyre, 0.6 * tyre, s.inks.shade)
        s.arc(0, -0.2, 0.7, 0.46, 0, 360, 0.03, s.inks.metal)
        return
    for dx, dy in around(spokes, dice.between(0, 90)):
        thick = 0.04 if spokes > 8 else 0.24
        s.line([(0, 0), (dx * 0.86, dy * 0.86)], thick, s.inks.metal if spokes != 3 else s.inks.shade)
    s.ring(0, 0, 0.92, 0.92 * tyre, s.inks.ink if spokes != 3 else s.inks.main)
    s.ring(0, 0, 0.92 * (1 - tyre), 0.05, s.inks.main)
    s.oval(0, 0, hub, hub, s.inks.main)
    if spokes == 3:
        s.rect(-0.16, -0.1, 0.16, 0.1, s.inks.accent)
    else:
        s.oval(0, 0, hub * 0.4, hub * 0.4, s.inks.ink)


def helmet(s: Sketch, p: Parameters, dice: Dice) -> None:
    if count(p, "visor"):
        s.oval(0, 0, 0.8, 0.82, s.inks.main)
        s.rect(-0.66, 0.3, 0.4, 0.82, s.inks.main, 0.2)
        s.poly([(-0.78, -0.2), (0.25, -0.3), (0.4, 0.1), (0.2, 0.28), (-0.76, 0.25)], s.inks.ink)
        s.poly([(-0.6, -0.12), (0.0, -0.18), (-0.1, -0.05), (-0.6, 0.02)], s.inks.glass)
    else:
        s.oval(0, 0.1, 0.92, 0.66, s.inks.main)
        s.line([(-0.5, 0.3), (-0.05, 0.9), (0.4, 0.3)], 0.05, s.inks.ink)
    n = count(p, "vents")
    for x in spread(n, -0.5, 0.5):
        s.oval(x * 0.9, -0.16 if n > 1 else -0.58, 0.09 if n > 1 else 0.2, 0.26 if n > 1 else 0.06, s.inks.ink)


def boat(s: Sketch, p: Parameters, dice: Dice) -> None:
    high = number(p, "hull", 0.3)
    if count(p, "coffin"):
        s.poly([(-0.95, 0.1), (-0.6, -high), (0.8, -high), (0.95, 0), (0.95, 0.25), (-0.9, 0.25)], s.inks.main)
        s.rect(-0.95, 0.1, 0.95, 0.16, s.inks.metal)
        for x in (-0.5, 0.5):
            s.rect(x - 0.05, 0.25, x + 0.05, 0.42, s.inks.ink)
        return
    deck = 0.4 if count(p, "mast") else 0.15
    s.rect(-1, deck + high * 0.85, 1, deck + high * 0.85 + 0.14, (96, 150, 190))
    if count(p, "mast"):
        s.line([(0, deck), (0, -0.98)], 0.04, s.inks.wood)
        s.poly([(0.05, -0.95), (0.05, 0.25), (0.7, 0.25)], WHITE)
        s.poly([(-0.05, -0.8), (-0.05, 0.25), (-0.55, 0.25)], s.inks.accent)
    if count(p, "cabin"):
        s.poly([(-0.35, deck), (-0.1, deck - 0.38), (0.5, deck - 0.38), (0.5, deck)], s.inks.tint)
        s.poly([(-0.2, deck - 0.1), (-0.02, deck - 0.3), (0.3, deck - 0.3), (0.3, deck - 0.1)], s.inks.glass)
    if count(p, "motor"):
        s.rect(0.8, deck - 0.25, 0.98, deck + 0.15, s.inks.ink, 0.04)
    if count(p, "inflatable"):
        s.rect(-0.95, deck - 0.1, 0.95, deck + high, s.inks.main, 0.2)
        s.rect(-0.7, deck - 0.02, 0.7, deck + high * 0.3, s.inks.shade, 0.06)
        s.line([(-0.9, deck + high * 0.6), (0.9, deck + high * 0.6)], 0.03, WHITE)
    else:
        tip = 0.98 if count(p, "long") else 0.85
        lift = 0.12 if count(p, "long") else 0.0
        s.poly(
            [
                (-tip, deck - lift),
                (-0.4, deck),
                (0.4, deck),
                (tip, deck - lift),
                (0.6, deck + high),
                (-0.55, deck + high),
            ],
            s.inks.main,
        )
        s.line([(-0.8, deck + 0.08), (0.82, deck + 0.08)], 0.05, s.inks.accent)
        if count(p, "long"):
            s.oval(0, deck + 0.01, 0.3, 0.06, s.inks.ink)
    for side in (-1, 1) if count(p, "oars") else ():
        s.line([(side * 0.15, deck), (side * 0.75, -0.35)], 0.05, s.inks.wood)
        s.oval(side * 0.8, -0.42, 0.12, 0.1, s.inks.wood)


def tractor(s: Sketch, p: Parameters, dice: Dice) -> None:
    big = number(p, "big", 0.4)
    if count(p, "quad"):
        s.poly(
            [(-0.9, 0.15), (-0.6, -0.15), (-0.2, 0.05), (0.3, -0.1), (0.9, 0.0), (0.7, 0.3), (-0.6, 0.35)], s.inks.main
        )
        s.rect(-0.05, -0.2, 0.6, -0.02, s.inks.ink, 0.06)
        s.line([(-0.4, 0), (-0.3, -0.4), (-0.1, -0.42)], 0.07, s.inks.ink)
        for x in (-0.6, 0.6):
            wheel(s, x, 0.45, big, 0.5)
        return
    if count(p, "fork"):
        s.rect(-0.1, -0.1, 0.75, 0.5, s.inks.main, 0.05)
        s.line([(-0.1, 0.2), (0.0, -0.75), (0.55, -0.75), (0.65, 0)], 0.06, s.inks.ink)
        s.rect(-0.36, -0.95, -0.24, 0.65, s.inks.metal)
        s.rect(-0.98, 0.56, -0.3, 0.65, s.inks.metal)
        s.rect(-0.92, 0.2, -0.4, 0.54, s.inks.wood)
        s.rect(0.2, -0.2, 0.45, 0.0, s.inks.ink)
        for x in (-0.1, 0.6):
            wheel(s, x, 0.6, big, 0.4)
        return
    s.rect(-0.8, -0.1, 0.2, 0.35, s.inks.main, 0.05)
    s.rect(0.0, -0.75, 0.65, 0.3, s.inks.main)
    s.rect(0.06, -0.62, 0.58, -0.1, s.inks.glass)
    s.rect(-0.55, -0.5, -0.47, -0.1, s.inks.ink)
    wheel(s, -0.58, 0.58, big * 0.6, 0.4, 0, (230, 190, 60))
    wheel(s, 0.45, 0.4, big * 1.15, 0.4, 0, (230, 190, 60))


def train(s: Sketch, p: Parameters, dice: Dice) -> None:
    cars, loco = count(p, "cars", 2), count(p, "loco")
    wide = 1.86 / cars
    s.line([(-1, 0.56), (1, 0.56)], 0.05, s.inks.metal if loco else s.inks.wood)
    for i in range(cars):
        x0, x1 = -0.93 + i * wide, -0.93 + (i + 0.9) * wide
        fill = s.inks.main if i == 0 else s.inks.accent if loco else dice.pick(GLOWS)
        s.rect(x0, 0.0 if i or loco else 0.1, x1, 0.4, fill, 0.04)
        if i == 0:
            s.rect(x1 - wide * 0.4, -0.4, x1, 0.1, mix(fill, (0, 0, 0), 0.2))
            s.rect(x0 + 0.08, -0.35, x0 + 0.22, 0.05, s.inks.ink)
        elif loco:
            for x in spread(4, x0 + 0.1, x1 - 0.2):
                s.rect(x, 0.08, x + 0.12, 0.22, s.inks.pale)
        else:
            s.rect(x0 + 0.08, -0.2, x1 - 0.08, 0.05, dice.pick(GLOWS))
        for x in spread(3 if loco else 2, x0 + 0.14, x1 - 0.14):
            wheel(s, x, 0.44, 0.12, 0.25, 0, s.inks.wood if not loco else (180, 40, 40))


def cart(s: Sketch, p: Parameters, dice: Dice) -> None:
    big = count(p, "big")
    if count(p, "handle"):
        s.line([(0.2, 0.0), (0.7, -0.55), (0.9, -0.5)], 0.06, s.inks.ink)
    if big:
        s.rect(-0.1, -0.6, 0.4, 0.2, s.inks.main, 0.04)
        if count(p, "seat"):
            s.rect(-0.5, 0.05, 0.4, 0.2, s.inks.ink)
        s.line([(-0.45, 0.1), (-0.7, 0.7), (-0.9, 0.7)], 0.06, s.inks.metal)
        for x, r in list(zip((0.2, -0.5), (0.48, 0.16), strict=True))[: count(p, "wheels", 2)]:
            wheel(s, x, 0.88 - r, r, 0.1, 12)
        return
    if count(p, "hood"):
        s.poly(
            [(0.0, -0.2), *[(0.0 + dx * 0.66, -0.2 + dy * 0.62) for dx, dy in around(24) if dx <= 0.01 and dy <= 0.01]],
            s.inks.accent,
        )
        s.arc(0.0, -0.2, 0.66, 0.62, 180, 270, 0.06, s.inks.shade)
    if count(p, "seat"):
        s.poly([(-0.7, -0.2), (0.35, -0.2), (0.25, 0.25), (-0.5, 0.25)], s.inks.main)
    s.line([(-0.5, 0.7), (0.3, 0.0)], 0.05, s.inks.metal)
    s.line([(0.4, 0.7), (-0.3, 0.1)], 0.05, s.inks.metal)
    for x in spread(count(p, "wheels", 2), -0.5, 0.42):
        wheel(s, x, 0.7, 0.22, 0.2, 8)
