"""What stands in outputs/ is what the sample corpus gives today."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_committed_graph_is_what_the_demo_makes(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kg", "build", "kg/docs/sample", "-o", str(tmp_path / "out")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for name in ("graph.ttl", "report.md", "manifest.json"):
        made = (tmp_path / "out" / name).read_text(encoding="utf-8")
        assert made == (ROOT / "outputs" / name).read_text(encoding="utf-8"), name
