"""The part of the package's metadata that is computed: the README with links that work on a package index.

FLINK_MASKING_HOME is the address of the repository's files at this release; the release workflow sets it.
"""

import os
import sys
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent
sys.path.insert(0, str(ROOT / "docs" / "site"))
from package_page import package_page  # noqa: E402

README = (ROOT / "README.md").read_text(encoding="utf-8")
setup(long_description=package_page(README, os.environ.get("FLINK_MASKING_HOME")), long_description_content_type="text/markdown")
