"""`reconciler demo`: tells the whole story on an embedded AWS. It needs a checkout of the source."""

import subprocess
import sys
from pathlib import Path

from reconciler.cli.options import err

SOURCE = Path(__file__).resolve().parents[2]


def demo() -> int:
    """Run the story in a process of its own; return its exit code."""
    if not (SOURCE / "demo" / "__main__.py").exists():
        err("error: the demo stands beside the source; clone the repository and say `make demo`")
        return 1
    return subprocess.run([sys.executable, "-m", "demo"], cwd=SOURCE, check=False).returncode
