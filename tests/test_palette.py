"""The colours of types and relations for people with normal and with two-coloured sight."""

import math
from itertools import combinations
from typing import Final

import pytest

from kg.exporters.appearance import appearance

Triple = tuple[float, float, float]

#: Complete lack of one kind of cone, on linear RGB: G. M. Machado, M. M. Oliveira and L. A. F.
#: Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency", IEEE TVCG
#: 15(6), 2009, the authors' table for severity 1.0.
SIGHT: Final[dict[str, tuple[Triple, Triple, Triple]]] = {
    "normal": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
#: A difference of about 2 is seen side by side; legends are looked at one after the other.
APART: Final = 10.0


def linear(colour: str) -> Triple:
    """Linear RGB of ``#rrggbb``, each from 0 to 1."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return red, green, blue


def times(matrix: tuple[Triple, Triple, Triple], value: Triple) -> Triple:
    one, two, three = (sum(a * b for a, b in zip(row, value, strict=True)) for row in matrix)
    return one, two, three


def lab(colour: Triple) -> Triple:
    """CIE L*a*b* (D65) of linear RGB; what lies outside of the screen's range is clipped."""
    inside = [min(1.0, max(0.0, c)) for c in colour]
    xyz = times(
        (
            (0.4124564, 0.3575761, 0.1804375),
            (0.2126729, 0.7151522, 0.0721750),
            (0.0193339, 0.1191920, 0.9503041),
        ),
        (inside[0], inside[1], inside[2]),
    )
    white = (0.95047, 1.0, 1.08883)
    x, y, z = (
        t ** (1 / 3) if t > (6 / 29) ** 3 else t / (3 * (6 / 29) ** 2) + 4 / 29
        for t in (c / w for c, w in zip(xyz, white, strict=True))
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def ciede2000(one: Triple, other: Triple) -> float:
    """The CIEDE2000 difference of two colours in L*a*b*."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean_c7 = ((math.hypot(a1, b1) + math.hypot(a2, b2)) / 2) ** 7
    g = 0.5 * (1 - math.sqrt(mean_c7 / (mean_c7 + 25**7)))
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = math.hypot(a1, b1), math.hypot(a2, b2)
    h1, h2 = (math.degrees(math.atan2(b, a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = 0.0 if c1 * c2 == 0 else (h2 - h1 + 180) % 360 - 180
    if turn == -180.0:
        turn = 180.0
    step = 2 * math.sqrt(c1 * c2) * math.sin(math.radians(turn / 2))
    light, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    hue = h1 + h2
    if c1 * c2:
        hue = hue / 2 if abs(h1 - h2) <= 180 else (hue + 360 if hue < 360 else hue - 360) / 2
    waves = ((-0.17, 1, -30), (0.24, 2, 0), (0.32, 3, 6), (-0.20, 4, -63))
    t = 1 + sum(size * math.cos(math.radians(n * hue + by)) for size, n, by in waves)
    s_l = 1 + 0.015 * (light - 50) ** 2 / math.sqrt(20 + (light - 50) ** 2)
    s_c, s_h = 1 + 0.045 * chroma, 1 + 0.015 * chroma * t
    r_c = 2 * math.sqrt(chroma**7 / (chroma**7 + 25**7))
    r_t = -math.sin(math.radians(60 * math.exp(-(((hue - 275) / 25) ** 2)))) * r_c
    dl, dc, dh = (l2 - l1) / s_l, (c2 - c1) / s_c, step / s_h
    return math.sqrt(dl * dl + dc * dc + dh * dh + r_t * dc * dh)


@pytest.mark.parametrize(
    ("one", "other", "difference"),
    [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0000),
        ((50.0, 2.5, 0.0), (50.0, 0.0, -2.5), 4.3065),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ],
)
def test_difference_agrees_with_the_published_pairs(
    one: Triple, other: Triple, difference: float
) -> None:
    """Test data of G. Sharma, W. Wu and E. N. Dalal, Color Research and Application 30(1), 2005."""
    assert round(ciede2000(one, other), 4) == difference


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("part", ["types", "groups"])
def test_colours_are_apart_for_every_sight(part: str, sight: str, theme: str) -> None:
    """Any two types, and any two groups of relations, differ also where two kinds of cones see."""
    styles = getattr(appearance(), part)
    seen = {
        name: lab(times(SIGHT[sight], linear(getattr(style, theme))))
        for name, style in styles.items()
    }
    close = {
        (one, other): round(ciede2000(seen[one], seen[other]), 1)
        for one, other in combinations(seen, 2)
    }
    assert {pair: apart for pair, apart in close.items() if apart < APART} == {}


def test_types_differ_in_shape_and_kinds_of_evidence_in_line() -> None:
    """Nothing is told by colour alone."""
    look = appearance()
    assert len({style.shape for style in look.types.values()}) == len(look.types)
    lines = {(style.dash, style.width) for style in look.kinds.values()}
    assert len(lines) == len(look.kinds)
