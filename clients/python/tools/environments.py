"""Creates the environments of this package, and recreates them when their sources have changed.

.venv has the newest dependencies; checks and tests run in it. .venv-floor has the oldest dependencies
that pyproject.toml allows. It generates the code, because generated code does not run with anything
older than its generator. Tests run in it too.

    python3 tools/environments.py
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent
ENVIRONMENTS = {".venv": "requirements.txt", ".venv-floor": "requirements-floor.txt"}


def make(environment: Path, requirements: Path) -> None:
    sources = [requirements, FOLDER / "pyproject.toml"]
    wanted = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    stamp = environment / "made-for"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    shutil.rmtree(environment, ignore_errors=True)
    install = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    subprocess.run([*install, "--requirement", requirements], check=True)
    subprocess.run([*install, "--no-deps", "--no-build-isolation", "--editable", FOLDER], check=True)
    stamp.write_text(wanted)


for name, requirements in ENVIRONMENTS.items():
    make(FOLDER / name, FOLDER / requirements)
