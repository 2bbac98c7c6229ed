"""Native containers against runc and crun: CPU and memory of whole commands, init included."""

import os
import shutil
import subprocess
import tempfile

import bundles
from measure import STATE, WORK, interleave, median, sample

CROWD = 500


def usable(report, bench, bundle, state):
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


class Runtimes:
    """The runtimes of this machine, each with a state root of its own."""

    def __init__(self, found, state):
        self.found = found
        self.state = state
        self.one = f"wb-{os.getpid()}"

    def command(self, name, *words):
        return [self.found[name], "--root", os.path.join(self.state, name), *words]

    def interleave(self, rounds, *lines):
        return interleave(rounds, **{
            name: lambda name=name: sample(*[self.command(name, *line) for line in lines])
            for name in self.found})

    def quietly(self, name, *words, check=False):
        subprocess.run(self.command(name, *words), check=check, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def whole_lives(report, runtimes, rounds, bundle):
    taken = runtimes.interleave(rounds, ["run", "--bundle", bundle, runtimes.one])
    add(report, "container: run, CPU", taken, "cpu", "ms", 1e3, goal=0.18)
    add(report, "container: run, wall", taken, "wall", "ms", 1e3)
    add(report, "container: run, peak RSS", taken, "rss", "MiB", 1, memory_goal=2.5)
    taken = runtimes.interleave(rounds, ["create", "--bundle", bundle, runtimes.one],
                                ["start", runtimes.one], ["delete", runtimes.one])
    add(report, "container: create start delete, CPU", taken, "cpu", "ms", 1e3, goal=0.18)


def filtered(report, bench, runtimes, rounds):
    seccomp = bundles.default_seccomp()
    if not seccomp:
        report.note("containerd does not start here: no row for its seccomp profile")
        return
    bundle = bundles.busybox(os.path.join(WORK, "filtered"), bench.wherry, ["/bin/true"], seccomp)
    taken = runtimes.interleave(rounds, ["run", "--bundle", bundle, runtimes.one])
    add(report, "container: run with seccomp, CPU", taken, "cpu", "ms", 1e3, goal=0.10)


def beside_an_idle_one(report, bench, runtimes, rounds):
    idle = bundles.busybox(os.path.join(WORK, "idle"), bench.wherry, ["/bin/sleep", "1000000"])
    one = runtimes.one
    try:
        for name in runtimes.found:
            runtimes.quietly(name, "run", "--detach", "--bundle", idle, one, check=True)
        taken = runtimes.interleave(rounds, ["exec", one, "/bin/true"])
        add(report, "container: exec, CPU", taken, "cpu", "ms", 1e3, goal=0.15)
        taken = runtimes.interleave(rounds, ["state", one])
        add(report, "container: state, CPU", taken, "cpu", "ms", 1e3, goal=0.10)
    finally:
        for name in runtimes.found:
            runtimes.quietly(name, "delete", "--force", one)


def among_many(report, runtimes, rounds, bundle):
    """The same run with 500 created containers present, and without them before and after."""
    ours = Runtimes({"wherry": runtimes.found["wherry"]}, runtimes.state)

    def runs():
        return ours.interleave(rounds, ["run", "--bundle", bundle, ours.one])["wherry"]

    alone = runs()
    many = [f"{ours.one}-{number}" for number in range(CROWD)]
    try:
        for name in many:
            ours.quietly("wherry", "create", "--bundle", bundle, name, check=True)
        crowded = runs()
    finally:
        for name in many:
            ours.quietly("wherry", "delete", "--force", name)
    alone += runs()
    for what in ("cpu", "wall"):
        report.add(f"container: run among {CROWD}, {what}", median(crowded, what) * 1e3, "ms",
                   median(alone, what) * 1e3, "ours alone", 1.2)


def run(report, bench):
    state = tempfile.mkdtemp(prefix="wherry-bench-", dir=STATE)
    rounds = 5 if bench.quick else 20
    try:
        bundle = bundles.busybox(os.path.join(WORK, "true"), bench.wherry, ["/bin/true"])
        found = Runtimes(usable(report, bench, bundle, state), state)
        whole_lives(report, found, rounds, bundle)
        filtered(report, bench, found, rounds)
        beside_an_idle_one(report, bench, found, rounds)
        if not bench.quick:
            among_many(report, found, rounds, bundle)
    finally:
        shutil.rmtree(state, ignore_errors=True)
