"""Draw what `kg evaluate --json` says of confidences as one picture for the documentation.

    kg evaluate dev.jsonl --json > fast.json
    kg evaluate dev.jsonl --gear accurate --json > accurate.json
    python scripts/maintenance/reliability_picture.py fast.json accurate.json

Each file is a panel, named after it: the share that was right over the confidence that was
given, in ten bins, the area of a point telling how many stand in its bin.  On the diagonal,
confidence is what it says.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

OUT = Path(__file__).resolve().parents[2] / "kg" / "docs" / "reliability.svg"
SIDE, GAP, EDGE = 260, 90, 60
#: Told apart by shape as well as by colour, on white and on black.
KINDS = {"mention": ("#2f6fb3", "circle"), "edge": ("#c8641b", "square")}


def panel(name: str, found: dict[str, Any], left: int) -> list[str]:
    """Return the lines of one panel whose lower left corner is at ``left``."""

    def at(x: float, y: float) -> tuple[float, float]:
        return round(left + x * SIDE, 1), round(EDGE + (1 - y) * SIDE, 1)

    (x0, y0), (x1, y1) = at(0, 0), at(1, 1)
    lines = [
        f'<text x="{left + SIDE / 2}" y="{EDGE - 24}" class="name">{name}</text>',
        f'<rect x="{x0}" y="{y1}" width="{SIDE}" height="{SIDE}" class="frame"/>',
        f'<line x1="{x0}" y1="{y0}" x2="{x1}" y2="{y1}" class="ideal"/>',
        f'<text x="{left + SIDE / 2}" y="{y0 + 38}" class="axis">confidence</text>',
        f'<text transform="translate({left - 38} {EDGE + SIDE / 2}) rotate(-90)" '
        'class="axis">share that is right</text>',
    ]
    for tick in (0, 0.5, 1):
        (x, _), (_, y) = at(tick, 0), at(0, tick)
        lines.append(f'<text x="{x}" y="{y0 + 17}" class="tick">{tick:g}</text>')
        lines.append(f'<text x="{left - 14}" y="{y + 4}" class="tick">{tick:g}</text>')
    for row, (kind, (colour, shape)) in enumerate(KINDS.items()):
        of_kind = found[kind]
        points = [
            (*at(one["confidence"], one["right"]), math.sqrt(one["count"]))
            for one in of_kind["bins"]
        ]
        path = " ".join(f"{x},{y}" for x, y, _ in points)
        lines.append(f'<polyline points="{path}" stroke="{colour}" class="curve"/>')
        for x, y, size in points:
            r = round(min(2.5 + size / 4, 9), 1)
            lines.append(
                f'<circle cx="{x}" cy="{y}" r="{r}" fill="{colour}"/>'
                if shape == "circle"
                else f'<rect x="{x - r:.1f}" y="{y - r:.1f}" width="{2 * r}" height="{2 * r}" '
                f'fill="{colour}"/>'
            )
        y = EDGE + 20 + 18 * row
        total = sum(one["count"] for one in of_kind["bins"])
        sign = "●" if shape == "circle" else "■"
        lines.append(
            f'<text x="{left + 12}" y="{y}" style="fill:{colour}">'
            f"{sign} {total} {kind}s, error {of_kind['error']:.3f}</text>"
        )
    return lines


def main(files: list[str]) -> None:
    """Write the picture."""
    width = EDGE + len(files) * (SIDE + GAP) - GAP + 24
    height = SIDE + 2 * EDGE
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" '
        'aria-label="Share of mentions and edges that are right, over their confidence">',
        "<style>text{font:12px sans-serif;fill:#444}.name{font-size:14px;font-weight:600}"
        ".name,.axis,.tick{text-anchor:middle}.frame{fill:#fff;stroke:#999}"
        ".ideal{stroke:#999;stroke-dasharray:4 4}.curve{fill:none;stroke-width:1.5}</style>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for number, file in enumerate(files):
        report = json.loads(Path(file).read_text(encoding="utf-8"))
        lines += panel(
            f"{Path(file).stem} gear", report["data"]["calibration"], EDGE + number * (SIDE + GAP)
        )
    OUT.write_text("\n".join([*lines, "</svg>"]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
