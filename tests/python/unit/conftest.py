"""Makes the package of the source tree importable, whichever way the tests are started."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
for folder in (ROOT / "build/proto/python", ROOT / "sdk-python"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
