"""Where the programs of this folder find kg and the corpora."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: The folder that holds gold/, seed/ and corpora/.
SHARED = Path(os.environ.get("MLKG_SHARED") or ROOT.parent / "shared")
# The kg of this checkout goes before one that is installed.
sys.path.insert(0, str(ROOT))
