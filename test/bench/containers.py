"""Native containers against runc and crun: CPU and memory of whole commands, init included."""

import os
import shutil
import subprocess
import tempfile

import bundles
from measure import STATE, WORK, interleave, median, sample


def runtimes(report, bench, bundle, state):
    found = {"wherry": bench.wherry}
    for name in ("runc", "crun"):
        path = shutil.which(name)
        if not path:
            report.note(f"{name} is not installed: left out")
            continue
        tried = subprocess.run([path, "--root", os.path.join(state, name), "run", "--bundle", bundle,
                                "wb-try"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE)
        if tried.returncode == 0:
            found[name] = path
        else:
            why = tried.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
            report.note(f"{name} cannot run a container on this machine ({why[-1]}): left out")
            subprocess.run([path, "--root", os.path.join(state, name), "delete", "--force", "wb-try"],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return found


def add(report, name, samples, what, unit, scale, goal=None, memory_goal=None):
    ours = median(samples["wherry"], what) * scale
    peers = [peer for peer in samples if peer != "wherry"]
    for peer in peers:
        report.add(name, ours, unit, median(samples[peer], what) * scale, peer,
                   goal if peer == "runc" else None)
    if memory_goal or not peers:
        report.add(name, ours, unit, goal=memory_goal, goal_on="ours")


def run(report, bench):
    state = tempfile.mkdtemp(prefix="wherry-bench-", dir=STATE)
    bundle = bundles.busybox(os.path.join(WORK, "true"), bench.wherry, ["/bin/true"])
    found = runtimes(report, bench, bundle, state)
    rounds = 5 if bench.quick else 20

    def command(name, *words):
        return [found[name], "--root", os.path.join(state, name), *words]

    def commands(name, *lines):
        return lambda: sample(*[command(name, *line) for line in lines])

    one = f"wb-{os.getpid()}"
    taken = interleave(rounds, **{name: commands(name, ["run", "--bundle", bundle, one])
                                  for name in found})
    add(report, "container: run, CPU", taken, "cpu", "ms", 1e3, goal=0.30)
    add(report, "container: run, wall", taken, "wall", "ms", 1e3)
    add(report, "container: run, peak RSS", taken, "rss", "MiB", 1, memory_goal=3)
    taken = interleave(rounds, **{name: commands(
        name, ["create", "--bundle", bundle, one], ["start", one], ["delete", one]) for name in found})
    add(report, "container: create start delete, CPU", taken, "cpu", "ms", 1e3)

    idle = bundles.busybox(os.path.join(WORK, "idle"), bench.wherry, ["/bin/sleep", "1000000"])
    try:
        for name in found:
            subprocess.run(command(name, "run", "--detach", "--bundle", idle, one), check=True,
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        taken = interleave(rounds, **{name: commands(name, ["exec", one, "/bin/true"])
                                      for name in found})
        add(report, "container: exec, CPU", taken, "cpu", "ms", 1e3)
        taken = interleave(rounds, **{name: commands(name, ["state", one]) for name in found})
        add(report, "container: state, CPU", taken, "cpu", "ms", 1e3)
    finally:
        for name in found:
            subprocess.run(command(name, "delete", "--force", one), stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        shutil.rmtree(state, ignore_errors=True)
