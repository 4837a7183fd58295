"""Run make targets one after the other, all of them even when one fails, and say what happened.

    python tools/times.py lint unit strict-book

Writes _build/times.json, prints a table and a last line like ``812 passed, 0 failed, 3 skipped``.
The exit status is 1 when any target failed.
"""

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

BUILD = Path("_build")


@dataclass
class Outcome:
    """What became of one target. Targets that run no pytest count as one test."""

    target: str
    status: int  # exit status of make
    seconds: float  # by the clock on the wall
    cpu_seconds: float  # of all its processes together
    passed: int
    failed: int
    skipped: int

    @property
    def ok(self):
        return self.status == 0 and self.failed == 0


def cpu_seconds():
    """Return the processor time of all finished child processes so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def count_tests(reports):
    """Add up (passed, failed, skipped) over pytest's XML reports."""
    passed = failed = skipped = 0
    for report in reports:
        for suite in ElementTree.parse(report).iter("testsuite"):
            bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            left_out = int(suite.get("skipped", 0))
            passed += int(suite.get("tests", 0)) - bad - left_out
            failed += bad
            skipped += left_out
    return passed, failed, skipped


def run(target, make="make"):
    """Run one target, with its output passed straight on, and return its Outcome."""
    junit = BUILD / "junit"
    for old in junit.glob(f"{target}*.xml"):
        old.unlink()
    # A make inside make inherits flags such as -j, which would mix the targets' outputs.
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    print(f"\n=== make {target} ===", flush=True)
    started, cpu = time.monotonic(), cpu_seconds()
    status = subprocess.run([make, "--no-print-directory", target], env=environment).returncode
    seconds, cpu = time.monotonic() - started, cpu_seconds() - cpu
    reports = sorted(junit.glob(f"{target}*.xml"))
    passed, failed, skipped = count_tests(reports)
    if status and not failed:
        failed += 1  # something beside the tests went wrong: the linter, the build, pytest itself
    elif not reports:
        passed += 1
    return Outcome(target, status, round(seconds, 1), round(cpu, 1), passed, failed, skipped)


def table(outcomes):
    """Return the outcomes as lines of text, one per target."""
    lines = [f"{'target':<12} {'':<6} {'seconds':>8} {'cpu':>8} {'passed':>7} {'failed':>7} {'skipped':>8}"]
    for o in outcomes:
        word = "ok" if o.ok else "FAILED"
        lines.append(
            f"{o.target:<12} {word:<6} {o.seconds:>8.1f} {o.cpu_seconds:>8.1f}"
            f" {o.passed:>7} {o.failed:>7} {o.skipped:>8}"
        )
    return "\n".join(lines)


def summary(outcomes):
    """Return the closing line, such as ``812 passed, 0 failed, 3 skipped``."""
    passed, failed, skipped = (sum(getattr(o, field) for o in outcomes) for field in ("passed", "failed", "skipped"))
    return f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")


def write(outcomes, started):
    """Write the times, and what they were measured on, to _build/times.json."""
    BUILD.mkdir(exist_ok=True)
    record = {
        "started": started.isoformat(timespec="seconds"),
        "python": sys.version.split()[0],
        "cpus": os.cpu_count(),
        "load": os.getloadavg(),
        "seconds": round(sum(o.seconds for o in outcomes), 1),
        "targets": {o.target: asdict(o) for o in outcomes},
    }
    path = BUILD / "times.json"
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return path


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("targets", nargs="+", help="make targets, in this order")
    parser.add_argument("--make", default="make", help="the make program")
    options = parser.parse_args(arguments)
    # A time limit from outside (`timeout 80m make test`) still gets to see the table.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    outcomes, started = [], datetime.now(UTC)
    try:
        for target in options.targets:
            outcomes.append(run(target, options.make))
    except KeyboardInterrupt:
        seconds = (datetime.now(UTC) - started).total_seconds() - sum(o.seconds for o in outcomes)
        outcomes.append(Outcome(target, 130, round(seconds, 1), 0.0, 0, 1, 0))
        print(f"\nStopped during {target}.")
    path = write(outcomes, started)
    print(f"\n{table(outcomes)}\n\nTimes are in {path}.\n{summary(outcomes)}", flush=True)
    return 0 if all(o.ok for o in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
