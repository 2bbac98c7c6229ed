#!/usr/bin/env python3
"""Cycles of create, start, kill and delete, a third of them with a kill -9 of the runtime at a random
moment; afterwards nothing may be left: leaks.py [CYCLES] (default 1000; SEED chooses the moments).

Looked at, before and after: mounts, cgroups and processes (test/integration/harness.py), entries of
the state directory, session keyrings; and, in every container that runs, what its program has open. The
last line is "N passed, M failed", over the things looked at.
"""

import json
import os
import pathlib
import random
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import harness  # noqa: E402

CYCLES = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
SEED = int(os.environ.get("SEED", "1"))
PATIENCE_SECONDS = 30
OF_THE_CALLER = os.open("/etc", os.O_RDONLY | os.O_DIRECTORY)  # every command inherits it


def keyrings():
    return sum("_ses.leak" in line for line in pathlib.Path("/proc/keys").read_text().splitlines())


def strange_descriptors(pid):
    """What a program has open besides its streams. None: it does not run (any more)."""
    try:
        if os.readlink(f"/proc/{pid}/exe") != "/bin/busybox":
            return None
        return [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd") if int(fd) > 2]
    except OSError:
        return None


def mounts():
    return len(pathlib.Path("/proc/self/mountinfo").read_text().splitlines())


def call(box, chance, *words):
    """One command, killed at a random moment with a probability of `chance`. Was it killed?"""
    command = subprocess.Popen(box.command(*words), stdin=subprocess.DEVNULL, pass_fds=(OF_THE_CALLER,),
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    killed = chance.random() < 1 / 3
    if killed:
        time.sleep(chance.random() * 0.03)
        command.kill()
    command.wait()
    return killed or command.returncode != 0


def cycle(box, chance, bundle, number, seen):
    """`seen` gets what running programs have open. Everything has a name of its own, so that no cycle clears up behind an earlier one."""
    container = f"leak{number}"
    config = json.loads(pathlib.Path(bundle, "config.json").read_text())
    config["linux"]["cgroupsPath"] = f"{box.cgroup}/{container}"
    harness.write_config(bundle, config)
    killed = call(box, chance, "create", "--bundle", bundle, container)
    if not killed or box.call("state", container).status == 0:
        call(box, chance, "start", container)
        state = box.call("state", container)
        if state.status == 0:
            seen.append(strange_descriptors(json.loads(state.out)["pid"]))
        call(box, chance, "kill", container, "KILL")
    call(box, chance, "delete", "--force", container)
    box.force_delete(container)
    harness.reap()


def main():
    if os.geteuid() != 0:
        print("skipped: needs root\n0 passed, 0 failed")
        return 0
    harness.become_subreaper()
    chance = random.Random(SEED)
    box = harness.Box("leaks")
    bundle = box.bundle(["sleep", "1000"])
    box.call("list")
    before, seen = {"mounts": mounts(), "keyrings": keyrings()}, []
    begin = time.monotonic()
    for number in range(CYCLES):
        cycle(box, chance, bundle, number, seen)
        if (number + 1) % 100 == 0:
            print(f"{number + 1} cycles, {time.monotonic() - begin:.0f} s", flush=True)

    def now():
        harness.reap()
        return {"mounts": mounts(), "keyrings": keyrings()}

    # Keys and the last processes of a pid namespace go a little later than the command.
    harness.settle(lambda: not box.leftovers() and now() == before, PATIENCE_SECONDS)
    after, failures = now(), []
    for what, count in before.items():
        if after[what] > count:
            failures.append(f"{what}: {count} before, {after[what]} after")
    looked_at = [each for each in seen if each is not None]
    if any(looked_at) or not looked_at:
        failures.append(f"descriptors in {len(looked_at)} containers: {next(filter(None, looked_at), 'none seen')}")
    left = box.leftovers()
    failures += left[:20] and [f"{len(left)} left: " + ", ".join(left[:20])]
    if box.containers():
        failures.append("state of " + ", ".join(box.containers()))
    box.clean()
    for each in failures:
        print("FAILED", each)
    print(f"{5 - len(failures)} passed, {len(failures)} failed (seed {SEED}, {CYCLES} cycles)")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
