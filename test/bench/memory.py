"""Memory of idle wasm containers: what their memory cgroups are charged, less the linear memory that
the guest touched. Mean of 50 equal ones, all of one bundle, as pods of one image would be."""

import os
import re
import shutil
import subprocess
import tempfile
import time

import bundles
import guests
from measure import STATE, WORK

COUNT = 50
RESERVATION = 2 << 30  # only the guard behind a linear memory is larger than this
LINE = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) (\S+) ")


def charged(pid):
    """MiB in the memory cgroup of pid, in either version of cgroups (cgroups(7), memory.current)."""
    with open(f"/proc/{pid}/cgroup") as file:
        groups = [line.rstrip("\n").split(":", 2) for line in file]
    v1 = [path for _, controllers, path in groups if "memory" in controllers.split(",")]
    file_name = (f"/sys/fs/cgroup/memory{v1[0]}/memory.usage_in_bytes" if v1 else
                 f"/sys/fs/cgroup{groups[-1][2]}/memory.current")
    with open(file_name) as file:
        return int(file.read()) / (1 << 20)


def linear_memory(pid):
    """MiB of private dirty pages in the writable mappings that lie right before a large guard."""
    areas = []
    with open(f"/proc/{pid}/smaps") as file:
        for line in file:
            match = LINE.match(line)
            if match:
                areas.append([int(match[1], 16), int(match[2], 16), match[3], 0])
            elif line.startswith("Private_Dirty:"):
                areas[-1][3] = int(line.split()[1])
    total = 0
    for at, (begin, end, rights, _) in enumerate(areas):
        if not rights.startswith("---") or end - begin < RESERVATION:
            continue
        while at > 0 and areas[at - 1][1] == begin and areas[at - 1][2].startswith("rw"):
            at -= 1
            begin = areas[at][0]
            total += areas[at][3]
    return total / 1024


def run(report, bench):
    if guests.missing():
        report.note("memory: " + guests.missing())
        return
    module = guests.compile_text(guests.IDLE, "idle.wasm", guests.WASM)
    subprocess.run([bench.wherry, "compile", "--quiet", module], check=True,
                   stdout=subprocess.DEVNULL)
    state = tempfile.mkdtemp(prefix="wherry-bench-", dir=STATE)
    wherry = [bench.wherry, "--root", state]
    bundle = os.path.join(WORK, "idle-wasm")
    count = 10 if bench.quick else COUNT
    names = [f"wb-{os.getpid()}-{number}" for number in range(count)]
    pids = []
    try:
        for name in names:
            bundles.wasm(bundle, bench.wherry, module, "/" + name)
            pid_file = os.path.join(state, "pid")
            subprocess.run([*wherry, "run", "--detach", "--pid-file", pid_file, "--bundle", bundle,
                            name], check=True, stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL)
            with open(pid_file) as file:
                pids.append(int(file.read()))
        time.sleep(2)
        total = sum(map(charged, pids)) / count
        touched = sum(map(linear_memory, pids)) / count
    finally:
        for name in names:
            subprocess.run([*wherry, "delete", "--force", name], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        shutil.rmtree(state, ignore_errors=True)
    report.add(f"memory: idle container, mean of {count}", total, "MiB")
    report.add("memory: linear memory it touched", touched, "MiB")
    report.add("memory: beyond linear memory", total - touched, "MiB", goal=1.5, goal_on="ours")
