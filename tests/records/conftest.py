"""Makes the oracles in this folder importable, whatever the import mode."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent))
