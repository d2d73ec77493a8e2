"""Find the data files in ``ontology/``: in a checkout, or inside the installed package."""

from __future__ import annotations

from pathlib import Path

from kg.errors import UsageError

PACKAGE = Path(__file__).parent


def ontology(name: str) -> Path:
    """Return the path of one file or folder of ``ontology/``."""
    for home in (PACKAGE / "ontology", PACKAGE.parent / "ontology"):
        if (home / name).exists():
            return home / name
    raise UsageError(f"ontology/{name} is missing from this installation; reinstall mlkg")
