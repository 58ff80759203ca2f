"""Remakes oracle/gradparity/schemas/case.schema.json from the case model.

python tools/write_case_schema.py
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "oracle"))

from gradparity.language.model import json_schema  # noqa: E402

SCHEMA = ROOT / "oracle/gradparity/schemas/case.schema.json"

if __name__ == "__main__":
    SCHEMA.write_text(json.dumps(json_schema(), indent=2) + "\n", encoding="utf-8")
