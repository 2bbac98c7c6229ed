"""Costs of commands: CPU time, wall time, peak resident memory. One sample is one run of measure.c;
samples of things that are compared are taken in turn (A B A B ...), so that both see the same noise."""

import collections
import os
import shutil
import statistics
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
WORK = os.path.join(ROOT, "build", "bench")
MEASURE = os.path.join(WORK, "measure")
# Where containers keep their state: memory, as /run is on a node; ext4 would add its own costs.
STATE = "/dev/shm" if os.path.isdir("/dev/shm") else None
PATIENCE = 900  # seconds for any one command

Sample = collections.namedtuple("Sample", "wall cpu rss out")  # seconds, seconds, MiB, bytes


class Failed(Exception):
    pass


def prepare():
    os.makedirs(WORK, exist_ok=True)
    compiler = shutil.which("clang-19") or shutil.which("gcc")
    if not compiler:
        raise SystemExit("bench: needs clang-19 or gcc for its launcher")
    subprocess.run([compiler, "-O2", "-static", os.path.join(HERE, "measure.c"), "-o", MEASURE],
                   check=True)


def sample(*commands, env=None, status=0, keep=False):
    """Runs the commands, each a list whose first word is a path, one after the other."""
    words = []
    for command in commands:
        words += (["++"] if words else []) + command
    reader, writer = os.pipe()
    arguments = [MEASURE, str(writer)] + words
    try:
        done = subprocess.run(arguments, env=dict(os.environ, **(env or {})), pass_fds=(writer,),
                              stdin=subprocess.DEVNULL, timeout=PATIENCE,
                              stdout=subprocess.PIPE if keep else subprocess.DEVNULL,
                              stderr=subprocess.PIPE if keep else subprocess.DEVNULL)
    finally:
        os.close(writer)
    with os.fdopen(reader) as report:
        numbers = report.read().split()
    if len(numbers) != 4 or int(numbers[3]) != status:
        raise Failed(f"{' '.join(words)}: {numbers or 'no report'}")
    return Sample(int(numbers[0]) / 1e9, int(numbers[1]) / 1e6, int(numbers[2]) / 1024,
                  done.stdout if keep else b"")


def interleave(rounds, **takers):
    """{name: [Sample, ...]}, taken in turn; one round before them warms the caches and is dropped."""
    samples = {name: [] for name in takers}
    for round_number in range(rounds + 1):
        for name, take in takers.items():
            taken = take()
            if round_number:
                samples[name].append(taken)
    return samples


def median(samples, what):
    return statistics.median(getattr(one, what) for one in samples)


def least(samples, what):
    return min(getattr(one, what) for one in samples)
