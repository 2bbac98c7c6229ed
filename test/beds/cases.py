"""Runs tests in beds. A test is a function that takes a bed; after each, whatever it left is searched
for, named, and counted as its failure.

    @case
    def a_status_arrives(bed): ...

    main("1.6", "2.4")      every case in a bed of each daemon that is there
    python3 FILE [1.6|2.4] [NAME...]
"""

import os
import pathlib
import signal
import sys
import time
import traceback

import bed as beds
import catalogue
import programs

sys.path.insert(0, str(programs.ROOT / "test" / "integration"))
os.environ.setdefault("RUNTIME", str((programs.wherry_directory() or programs.ROOT) / "wherry"))
from harness import Skip, eq, has, need_criu, settle, true, wait_until  # noqa: E402,F401  (for the cases)

HANDLER = os.environ.get("HANDLER", "wherry")
RUNTIME_TYPE = f"io.containerd.{HANDLER}.v2"
CASES = []


def case(function):
    CASES.append(function)
    return function


def only_wherry(reason):
    if HANDLER != "wherry":
        raise Skip(f"{HANDLER}: {reason}")


def run_case(function, bed):
    """(trouble, reason to skip)"""
    trouble = reason = None
    signal.alarm(300)
    try:
        function(bed)
    except Skip as skip:
        reason = str(skip)
    except (Exception, KeyboardInterrupt):
        trouble = traceback.format_exc()
    finally:
        signal.alarm(0)
    settle(lambda: not bed.leftovers(), bed.goes_within)
    left = bed.leftovers() + [f"container {name}" for name in bed.containers()]
    if left and trouble:
        trouble += "and left behind: " + ", ".join(left[:12])
    elif left:
        trouble = "left behind: " + ", ".join(left[:20])
    if left:
        bed.forget()
    return trouble, reason


def alarmed(number, frame):
    raise TimeoutError("the case takes longer than 300 s")


def run_all(daemon, wanted, prepare, make_bed):
    bed = make_bed(daemon)
    signal.signal(signal.SIGALRM, alarmed)
    passed = failed = skipped = 0
    try:
        prepare(bed)
        for function in CASES:
            name = function.__name__
            if wanted and name not in wanted:
                continue
            begin = time.monotonic()
            trouble, reason = run_case(function, bed)
            took = f"({daemon}, {time.monotonic() - begin:.1f} s)"
            if trouble:
                failed += 1
                print(f"FAILED {name} {took}\n{trouble}", flush=True)
                keep_log(bed, name)
            elif reason is not None:
                skipped += 1
                print(f"skipped {name} ({daemon}): {reason}", flush=True)
            else:
                passed += 1
                print(f"ok {name} {took}", flush=True)
    finally:
        bed.close()
    return passed, failed, skipped


def keep_log(bed, name):
    """The daemon's words about a failed case, where they survive the bed."""
    folder = programs.ROOT / "build" / "test-logs"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"bed-{bed.daemon}-{name}.log"
    path.write_text(pathlib.Path(bed.path("log", "containerd.log")).read_text(errors="replace"))
    print(f"   containerd's log: {path}", flush=True)


def ready(bed):
    bed.start_containerd()
    catalogue.load(bed, (bed.name,))


def main(*daemons, prepare=ready, label="", make_bed=beds.Bed):
    arguments = sys.argv[1:]
    chosen = [word for word in arguments if word in programs.DAEMONS] or daemons
    wanted = {word for word in arguments if word not in programs.DAEMONS}
    unknown = wanted - {function.__name__ for function in CASES}
    if unknown:
        sys.exit(f"no such case: {', '.join(sorted(unknown))}")
    beds.enter()
    if HANDLER == "wherry" and not programs.wherry_directory():
        sys.exit("no containerd-shim-wherry-v2 in build/*/bin: build it, set WHERRY_BIN_DIR or HANDLER")
    sums = [0, 0, 0]
    for daemon in chosen:
        try:
            programs.Daemon(daemon)
        except programs.Missing as missing:
            sums[2] += 1
            print(f"skipped: containerd {daemon}: {missing}", flush=True)
            continue
        sums = [total + part for total, part in zip(sums, run_all(daemon, wanted, prepare, make_bed))]
    passed, failed, skipped = sums
    print(f"{label}{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    sys.exit(1 if failed or not passed else 0)
