"""python -m infra.demo.screenshot: the nightly DAG in Airflow's pages, from the running demo, for the README."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from infra.demo.rest import Airflow, Run
from lakehouse.errors import LakehouseError
from lakehouse.graph import LAYERS
from lakehouse.settings import REPOSITORY, settings

PICTURE = REPOSITORY / "docs" / "images" / "nightly.png"
WINDOW = {"width": 1680, "height": 920}
QUIET = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def browser() -> str:
    """Chromium's program; installed from Debian's packages where it is missing."""
    found = shutil.which("chromium")
    if found:
        return found
    print("chromium is missing: installing Debian's package", flush=True)
    done = subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", "chromium"], capture_output=True, text=True, check=False)
    found = shutil.which("chromium")
    if not found:
        raise LakehouseError(f"chromium is missing and could not be installed: {done.stderr[-300:]}\nInstall it: apt-get install chromium")
    return found


def newest(airflow: Airflow, dag: str) -> Run:
    """The newest run of the DAG that succeeded."""
    done = [run for run in airflow.runs(dag) if run.state == "success"]
    if not done:
        raise LakehouseError(f"'{dag}' has no successful run to be shown yet. Start `make demo` first.")
    return done[0]


def take(picture: Path, dag: str = "nightly") -> Path:
    """Write the picture of the DAG's graph, as its newest successful run left it."""
    from playwright.sync_api import sync_playwright

    airflow = Airflow(settings())
    run = newest(airflow, dag)
    picture.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            folder, executable_path=browser(), args=QUIET, viewport=WINDOW, device_scale_factor=1.25, color_scheme="light"
        )
        context.add_cookies([{"name": "_token", "value": airflow.token(), "url": airflow.address}])
        context.add_init_script(PREFERENCES.replace("DAG", dag).replace("GROUPS", json.dumps(['landing', *LAYERS])))
        page = context.pages[0]
        page.goto(f"{airflow.address}/dags/{dag}/runs/{run.id}", wait_until="networkidle")
        page.wait_for_selector(".react-flow__node", timeout=60_000)
        page.get_by_label("Collapse Details Panel").first.click()
        page.add_style_tag(content=".react-flow__minimap, .react-flow__attribution { display: none }")
        page.wait_for_timeout(1_000)
        page.locator(".react-flow__controls-fitview").click()
        page.wait_for_timeout(1_500)
        page.screenshot(path=str(picture))
        context.close()
    return picture


PREFERENCES = """
localStorage.setItem('default_dag_view', JSON.stringify('graph'));
localStorage.setItem('direction-DAG', JSON.stringify('RIGHT'));
localStorage.setItem('DAG/open-groups', JSON.stringify(GROUPS));
"""
"""What a person would click: the graph, from left to right, with every group open."""


def main() -> int:
    """Take the picture and return the exit code."""
    try:
        print(take(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE))
    except LakehouseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
