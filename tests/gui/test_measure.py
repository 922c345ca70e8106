"""What the window measures about itself."""

from __future__ import annotations

import subprocess
import sys
import time


def test_the_age_of_a_process_is_counted_from_its_start() -> None:
    code = "import time; time.sleep(0.3); from dqngui.gui.measure import process_age; print(process_age())"
    before = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert 0.3 <= float(done.stdout) <= time.perf_counter() - before + 0.02
