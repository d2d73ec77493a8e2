"""Fixtures that more than one test module uses."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from _paths import SHARED

ROOT = Path(__file__).parent.parent


def shared_folder() -> Path | None:
    """Return the folder of corpora that stands beside the project, if it is there."""
    return SHARED.resolve() if SHARED.is_dir() else None


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of corpora; tests that need it are skipped where it is absent, but not in CI."""
    folder = shared_folder()
    if folder is None:
        absent("no corpora: set MLKG_SHARED to the folder that holds gold/, seed/ and corpora/")
    return folder


def absent(what: str) -> NoReturn:
    """Skip, and say why; in CI that which is missing is a failure."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a screen; skipped where there is none, but not in CI.

    By module, since Playwright runs once at a time.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        absent("no playwright: pip install 'mlkg[test]'")
    binary = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not binary:
        absent("no Chromium: apt-get install chromium, or set CHROMIUM to its path")
    quiet = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=binary, args=list(quiet))
        yield chromium
        chromium.close()
