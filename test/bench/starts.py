"""Starts of cached modules: hello against a static native hello, and a module of 20 MB."""

import os
import shutil
import subprocess

import guests
from measure import WORK, interleave, median, sample

PACKAGE = "@esbuild/wasi-preview1"


def wasm(bench, module, *arguments):
    return [bench.wherry, "wasm", "run", module, *arguments]


def run(report, bench):
    if guests.missing():
        report.note("wasm start: " + guests.missing())
        return
    module = guests.compile_text(guests.HELLO, "hello.wasm", guests.WASM)
    native = guests.compile_text(guests.HELLO, "hello-static", ["-O3", "-static"])
    taken = interleave(10 if bench.quick else 40, wasm=lambda: sample(wasm(bench, module)),
                       native=lambda: sample([native]))
    ours, peer = taken["wasm"], taken["native"]
    difference = (median(ours, "wall") - median(peer, "wall")) * 1e3
    report.add("wasm start: hello, wall", median(ours, "wall") * 1e3, "ms",
               median(peer, "wall") * 1e3, "static native")
    report.add("wasm start: wall above native", difference, "ms", goal=3, goal_on="ours")
    report.add("wasm start: hello, CPU", median(ours, "cpu") * 1e3, "ms",
               median(peer, "cpu") * 1e3, "static native")
    report.add("wasm start: peak RSS", median(ours, "rss"), "MiB", goal=4, goal_on="ours")


def big_module(report):
    """The path of esbuild.wasm, unpacked from npm once, or None with a note."""
    path = os.path.join(WORK, "package", "esbuild.wasm")
    if os.path.exists(path):
        return path
    if not shutil.which("npm"):
        report.note("big module: npm is not installed: left out")
        return None
    try:
        packed = subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=WORK, check=True,
                                timeout=120, stdout=subprocess.PIPE).stdout.decode().split()[-1]
        subprocess.run(["tar", "-xzf", packed], cwd=WORK, check=True)
    except (subprocess.SubprocessError, IndexError):
        report.note("big module: npm could not get " + PACKAGE + ": left out")
        return None
    return path


def run_big(report, bench):
    if not bench.full:
        report.note("big module: its compile takes minutes: only with --full")
        return
    module = big_module(report)
    if not module or guests.missing():
        return
    hello = guests.compile_text(guests.HELLO, "hello.wasm", guests.WASM)
    subprocess.run([bench.wherry, "compile", "--quiet", module], check=True,
                   stdout=subprocess.DEVNULL)
    taken = interleave(20, big=lambda: sample(wasm(bench, module, "--version")),
                       hello=lambda: sample(wasm(bench, hello)))
    big, small = median(taken["big"], "cpu") * 1e3, median(taken["hello"], "cpu") * 1e3
    report.add("big module: start, CPU", big, "ms", small, "our hello")
    report.add("big module: CPU above hello", big - small, "ms", goal=5, goal_on="ours")
