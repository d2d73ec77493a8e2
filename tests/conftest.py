"""Fixtures that more than one test module uses."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def shared_folder() -> Path | None:
    """Return the folder of corpora that stands beside the project, if it is there."""
    folder = Path(os.environ.get("MLKG_SHARED") or ROOT.parent / "shared")
    return folder.resolve() if folder.is_dir() else None


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of corpora; tests that need it are skipped where it is absent, but not in CI."""
    folder = shared_folder()
    if folder is None:
        message = "no corpora: set MLKG_SHARED to the folder that holds gold/, seed/ and corpora/"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder
