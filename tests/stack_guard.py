"""Ends a test stack when the tests are gone, however they ended: its input closes with their process."""

import subprocess
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.stdin.read()
    if Path(sys.argv[1]).exists():
        subprocess.run([sys.executable, "-m", "infra.stack", "reset"], check=False)
