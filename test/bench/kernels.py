"""Speed of compiled code: each kernel by us, natively, and by other engines, in turn.

Ours is the CPU time of the whole process, start included (the artifact is in the cache); native too.
The peers' own compile and start are left out: they report the CPU time of _start alone."""

import glob
import math
import os
import shutil
import sys

import guests
from measure import Failed, HERE, Sample, interleave, least, sample

QUICK = ("crc", "matmul", "mandel", "sha256")


def peer_sample(command):
    """A peer ends its output with the CPU time of _start, in seconds."""
    taken = sample(command, keep=True)
    output, _, seconds = taken.out.rpartition(b"bench-cpu ")
    return Sample(taken.wall, float(seconds), taken.rss, output)


def peers(report):
    found = {}
    try:
        sample([sys.executable, os.path.join(HERE, "peer_wasmtime.py")], status=0)
        found["wasmtime"] = lambda module: peer_sample(
            [sys.executable, os.path.join(HERE, "peer_wasmtime.py"), module])
    except Failed:
        report.note("no Python package wasmtime (pip install --target build/bench/python wasmtime):"
                    " left out")
    node = shutil.which("node")
    if node:
        found["node"] = lambda module: peer_sample(
            [node, "--no-warnings", os.path.join(HERE, "peer_node.mjs"), module])
    else:
        report.note("node is not installed: left out")
    return found


def geomean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def one(bench, source, name, others):
    """{who: CPU seconds}, the least of all rounds, after all have printed the same."""
    module = guests.compile_file(source, name + ".wasm", guests.WASM)
    native = {"native -O3 v3": guests.compile_file(source, name + "-v3", guests.NATIVE_V3),
              "native -O3": guests.compile_file(source, name + "-native", guests.NATIVE)}
    takers = {"ours": lambda: sample([bench.wherry, "wasm", "run", module], keep=True)}
    for who, path in native.items():
        takers[who] = lambda path=path: sample([path], keep=True)
    for who, take in others.items():
        takers[who] = lambda take=take: take(module)
    taken = interleave(1 if bench.quick else 3, **takers)
    expected = taken["native -O3 v3"][0].out
    for who, samples in taken.items():
        if any(each.out != expected for each in samples):
            raise Failed(f"kernel {name}: {who} prints {samples[0].out!r}, not {expected!r}")
    return {who: least(samples, "cpu") for who, samples in taken.items()}


def run(report, bench):
    if guests.missing():
        report.note("kernels: " + guests.missing())
        return
    others = {} if bench.quick else peers(report)
    if bench.quick:
        report.note("other engines run the kernels only without --quick")
    sources = sorted(glob.glob(os.path.join(HERE, "kernels", "*.c")))
    results = []
    for source in sources:
        name = os.path.basename(source)[:-2]
        if bench.quick and name not in QUICK:
            continue
        result = one(bench, source, name, others)
        results.append(result)
        for who in result:
            if who != "ours":
                report.add("kernel: " + name, result["ours"], "s", result[who], who)
    for who in results[0]:
        if who != "ours":
            report.add(f"kernels: geomean of {len(results)}",
                       geomean([each["ours"] for each in results]), "s",
                       geomean([each[who] for each in results]), who,
                       1.4 if who == "native -O3 v3" else None)
