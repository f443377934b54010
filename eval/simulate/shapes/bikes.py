"""Bicycles, motorcycles and scooters."""

from __future__ import annotations

from eval.simulate.dice import Dice
from eval.simulate.shapes.parts import Parameters, count, number, wheel, word
from eval.simulate.sketch import Sketch, around


def two_wheeler(s: Sketch, p: Parameters, dice: Dice) -> None:
    kind, r = word(p, "frame", "diamond"), number(p, "wheel", 0.3)
    if kind in ("moto", "cross", "scooter"):
        _motorcycle(s, p, kind, r)
    elif kind == "kick":
        y = 0.85 - r
        s.line([(-0.5, y), (0.5, y)], 0.1, s.inks.main)
        s.line([(-0.55, y), (-0.4, -0.85)], 0.07, s.inks.metal)
        s.line([(-0.6, -0.85), (-0.2, -0.85)], 0.09, s.inks.ink)
        for x in (-0.56, 0.56):
            wheel(s, x, y + 0.05, r, 0.3)
    else:
        _bicycle(s, p, kind, r)


def _bicycle(s: Sketch, p: Parameters, kind: str, r: float) -> None:
    reach = {"cargo": 0.7, "fold": 0.58, "bmx": 0.5, "kids": 0.46}.get(kind, 0.56)
    y = 0.8 - r
    front, back = (-reach, y), (reach, y)
    crank, seat, head = (0.1, y + 0.05), (0.28, y - 0.52), (-reach + 0.2, y - 0.56)
    for spot in (front, back):
        wheel(s, *spot, r, 0.22 if "knobbly" in p else 0.1, 10, s.inks.metal)
        for dx, dy in around(16) if "knobbly" in p else ():
            s.oval(spot[0] + dx * r, spot[1] + dy * r, 0.035, 0.035, s.inks.ink)
    if kind == "cargo":
        s.poly([(-0.75, 0.0), (-0.05, 0.0), (-0.12, 0.5), (-0.65, 0.5)], s.inks.accent)
        crank, seat, head = (0.35, y), (0.5, y - 0.6), (0.1, y - 0.5)
    if kind == "bmx":
        seat = (0.25, y - 0.3)
    bars = {
        "diamond": [[crank, seat, head, crank], [seat, back, crank]],
        "bmx": [[crank, seat, head, crank], [seat, back, crank]],
        "step": [[head, (head[0] + 0.1, y - 0.3), crank, seat], [crank, back, seat]],
        "fold": [[(head[0], y - 0.2), (0.2, y), seat], [(0.2, y), back]],
        "kids": [[head, crank, seat], [crank, back]],
        "cargo": [[head, crank, seat, back, crank], [front, (head[0], y)]],
    }[kind]
    for path in bars:
        s.line(path, 0.075 if kind != "fold" else 0.1, s.inks.main)
    s.line([front, (head[0], head[1] - 0.1)], 0.06, s.inks.shade)
    rise = {"fold": 0.32, "bmx": 0.3, "cargo": 0.25}.get(kind, 0.12)
    grip = (head[0] - 0.02, head[1] - rise)
    s.line([head, grip], 0.05, s.inks.ink)
    s.line([(grip[0] - 0.12, grip[1]), (grip[0] + 0.14, grip[1] - 0.04)], 0.06, s.inks.ink)
    if "drop" in p:
        s.arc(grip[0] - 0.12, grip[1] + 0.1, 0.12, 0.13, 200, 450, 0.05, s.inks.ink)
    s.rect(seat[0] - 0.14, seat[1] - 0.12, seat[0] + 0.16, seat[1] - 0.05, s.inks.ink, 0.03)
    s.oval(*crank, 0.09, 0.09, s.inks.metal)
    if "basket" in p:
        s.rect(-0.8, head[1] - 0.15, -0.42, head[1] + 0.14, s.inks.wood)
    if "motor" in p:
        s.rect(crank[0] - 0.14, crank[1] - 0.42, crank[0] + 0.02, crank[1] - 0.04, s.inks.ink)
        s.oval(*back, 0.14, 0.14, s.inks.ink)
    for x in (reach - 0.12, reach + 0.2) if "trainers" in p else ():
        wheel(s, x, 0.72, 0.1)
    if kind == "kids":
        s.oval(-reach, y - r - 0.05, 0.1, 0.05, s.inks.accent)


def _motorcycle(s: Sketch, p: Parameters, kind: str, r: float) -> None:
    y = 0.78 - r
    for x in (-0.6, 0.6):
        wheel(s, x, y, r, 0.3 if kind != "cross" else 0.22, 0 if kind != "cross" else 12)
    if kind == "scooter":
        s.line([(-0.62, y), (-0.45, -0.5)], 0.1, s.inks.main)
        s.poly([(-0.5, -0.35), (-0.3, 0.3), (-0.36, 0.5), (-0.62, 0.1)], s.inks.main)
        s.rect(-0.4, 0.4, 0.4, 0.55, s.inks.shade)
        s.poly([(0.12, 0.5), (0.1, -0.08), (0.75, -0.05), (0.85, 0.4)], s.inks.main)
        s.rect(0.06, -0.2, 0.7, -0.06, s.inks.ink, 0.06)
        s.line([(-0.58, -0.55), (-0.25, -0.58)], 0.07, s.inks.ink)
        s.oval(-0.48, -0.44, 0.09, 0.1, (250, 240, 190))
        return
    lift = 0.2 if kind == "cross" else 0.0
    s.line([(-0.6, y), (-0.35, -0.3 - lift)], 0.08, s.inks.metal)
    s.line([(0.6, y), (0.1, 0.25)], 0.1, s.inks.shade)
    s.rect(-0.2, 0.1 - lift, 0.25, 0.5, s.inks.ink)
    s.oval(0.02, 0.32, 0.16, 0.14, s.inks.metal)
    s.poly([(-0.4, -0.25 - lift), (0.05, -0.3 - lift), (0.2, 0.05), (-0.25, 0.1)], s.inks.main)
    s.poly([(0.08, -0.2 - lift), (0.75, -0.25 - lift), (0.6, -0.05), (0.15, 0.02)], s.inks.ink)
    s.line([(0.1, 0.5), (0.85, 0.5)], 0.08, s.inks.metal)
    if kind == "cross":
        s.poly([(-0.95, -0.05), (-0.35, -0.25), (-0.4, -0.1)], s.inks.main)
        s.poly([(0.4, -0.42), (0.95, -0.4), (0.5, -0.2)], s.inks.main)
    if count(p, "fairing"):
        s.poly([(-0.75, -0.1), (-0.5, -0.55), (-0.25, -0.35), (-0.05, 0.5), (-0.35, 0.5)], s.inks.main)
        s.poly([(-0.52, -0.55), (-0.38, -0.72), (-0.3, -0.4)], s.inks.glass)
        s.poly([(0.4, -0.2), (0.95, -0.5), (0.65, -0.1)], s.inks.main)
        s.line([(-0.5, 0.1), (-0.1, 0.2)], 0.06, s.inks.accent)
    if count(p, "bars") or kind == "cross":
        s.line([(-0.35, -0.3 - lift), (-0.25, -0.68 - lift), (-0.02, -0.64 - lift)], 0.06, s.inks.metal)
        s.oval(-0.48, -0.3 - lift, 0.11, 0.11, (250, 240, 190))
