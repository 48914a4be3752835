"""What the collector takes, asked by a load tool of its own (`hey`: apt-get install hey)."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lakehouse.settings import REPOSITORY
from tests.bench.figure import Figure

PORT, SECONDS, CONNECTIONS = 18_091, 6, 32


def figures(folder: Path) -> Iterator[Figure]:
    """Requests of one event, and events in batches of fifty; what was acknowledged is counted on disk afterwards."""
    hey = shutil.which("hey")
    if hey is None:
        yield Figure("collector", None, 0, "", "not measured: the load tool is missing (apt-get install hey)")
        return
    kept = folder / "collector"
    command = [sys.executable, "-m", "lakehouse.sources.collector", "web__events", "--folder", str(kept), "--port", str(PORT)]
    serving = subprocess.Popen(command, cwd=REPOSITORY, env={**os.environ, "PYTHONPATH": str(REPOSITORY)})
    try:
        _await()
        one = _load(hey, folder, 1)
        fifty = _load(hey, folder, 50)
        accepted = _health()["accepted"]
    finally:
        serving.terminate()
        serving.wait(30)
    on_disk = sum(file.read_bytes().count(b"\n") for file in kept.glob("*.jsonl*"))
    how = f"{CONNECTIONS} connections, 99 % within {one['slow']:.0f} ms"
    yield Figure("collector: one event a request", None, one["rate"], "requests/s", how)
    yield Figure("collector: fifty events a request", None, fifty["rate"] * 50, "events/s", f"99 % within {fifty['slow']:.0f} ms")
    yield Figure("collector: acknowledged events that are not on disk", 0, accepted - on_disk, "events", f"of {accepted:,} acknowledged")


def _load(hey: str, folder: Path, events: int) -> dict[str, float]:
    now = datetime.now(UTC).isoformat()
    shown = {"event_type": "page_view", "event_at": now, "visitor_id": "a1b2c3", "session_id": "d4", "url": "https://shop.example/coffee/p12"}
    body = folder / f"{events}.json"
    body.write_text(json.dumps({"events": [{"event_id": uuid.uuid4().hex, **shown} for _ in range(events)]}))
    said = subprocess.run(
        [hey, "-z", f"{SECONDS}s", "-c", str(CONNECTIONS), "-m", "POST", "-T", "application/json", "-D", str(body),
         f"http://127.0.0.1:{PORT}/v1/events"], capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert set(re.findall(r"\[(\d{3})\]\s+\d+ responses", said)) == {"202"}, said
    slow = re.search(r"99% in ([\d.]+) secs", said)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert slow and rate, said
    return {"rate": float(rate[1]), "slow": float(slow[1]) * 1000}


def _health() -> dict[str, Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health", timeout=5) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def _await() -> None:
    until = time.monotonic() + 90
    while True:
        try:
            _health()
            return
        except OSError:
            assert time.monotonic() < until, "the collector did not start"
            time.sleep(0.3)
