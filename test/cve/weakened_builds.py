#!/usr/bin/env python3
"""Builds the project with one defence edited out at a time, in a copy below build/weakened that nothing installs,
and demands that the tests of this defence fail: weakened_builds.py [NAME...]. The edits are tables:
edits_wasi.py, edits_seccomp.py, edits_leaks.py. The last line is "N passed, M failed", over pairs of edit and
test."""

import os
import pathlib
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import edits_leaks  # noqa: E402
import edits_seccomp  # noqa: E402
import edits_wasi  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPY, BUILD = ROOT / "build/weakened/source", ROOT / "build/weakened/build"
PATIENCE_SECONDS = 300


def copy_sources():
    """Only what differs is written, so that little is built again."""
    wanted = set()
    for directory, below, files in os.walk(ROOT):
        below[:] = [each for each in below if each not in (".git", "build", "__pycache__")]
        for name in files:
            source = pathlib.Path(directory, name)
            target = COPY / source.relative_to(ROOT)
            wanted.add(target)
            if not target.exists() or target.read_bytes() != source.read_bytes():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
                os.utime(target)
    for directory, _, files in os.walk(COPY):
        for target in (pathlib.Path(directory, name) for name in files):
            if target not in wanted:
                target.unlink()


def call(words, **environment):
    """(status, output); no status: it did not end."""
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              cwd=COPY, timeout=PATIENCE_SECONDS * 4, env={**os.environ, **environment})
        return done.returncode, done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as late:
        return None, (late.stdout or b"").decode(errors="replace")


def build(target):
    status, text = call(["cmake", "--build", BUILD, "--target", target, "-j", "2"])
    if status != 0:
        raise SystemExit(f"{target} does not build:\n{text[-3000:]}")


def run(target, test):
    """Does the test pass? And what it said. A unit test is a filter, another a command."""
    program = BUILD / "bin" / target
    if isinstance(test, str):
        status, text = call(["timeout", "60", program, f"--gtest_filter={test}"])
        if "[==========] 0 tests" in text or "Running 0 tests" in text:
            raise SystemExit(f"there is no test {test}")
        return status == 0, text
    status, text = call([sys.executable, *test], RUNTIME=str(program), PYTHONDONTWRITEBYTECODE="1")
    return status == 0, text


def edited(edit):
    """The new text of each file."""
    out = {}
    for file, old, new in edit.changes:
        text = out.get(file) or (COPY / file).read_text()
        if text.count(old) != 1:
            raise SystemExit(f"{edit.name}: {file} has {text.count(old)} times: {old}")
        out[file] = text.replace(old, new)
    return out


def weaken(edit):
    """The tests that passed all the same, or failed in another way than they should."""
    new = edited(edit)
    old = {file: (COPY / file).read_text() for file in new}
    try:
        for file, text in new.items():
            (COPY / file).write_text(text)
        build(edit.target)
        out = []
        for test in edit.tests:
            is_good, text = run(edit.target, test)
            if is_good or edit.says not in text:
                out.append(test)
        return out
    finally:
        for file, text in old.items():
            (COPY / file).write_text(text)


def main():
    edits = [*edits_wasi.EDITS, *edits_seccomp.EDITS, *edits_leaks.EDITS]
    wanted = set(sys.argv[1:])
    edits = [each for each in edits if not wanted or each.name in wanted or each.theme in wanted]
    copy_sources()
    status, text = call(["cmake", "-S", COPY, "-B", BUILD, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
                         "-DCMAKE_CXX_COMPILER=g++-12", "-DCMAKE_C_COMPILER=gcc-12", "-DCMAKE_CXX_FLAGS_DEBUG=-Og"])
    if status != 0:
        raise SystemExit(text[-3000:])
    passed = failed = 0
    for target in dict.fromkeys(each.target for each in edits):
        build(target)
        for test in dict.fromkeys(test for each in edits if each.target == target for test in each.tests):
            good, text = run(target, test)
            if not good:
                failed += 1
                print(f"FAILED {test} with nothing edited\n{text[-2000:]}", flush=True)
    for edit in edits:
        unmoved = weaken(edit)
        for test in edit.tests:
            print("FAILED" if test in unmoved else "ok", f"{edit.name}: {test}", flush=True)
        failed += len(unmoved)
        passed += len(edit.tests) - len(unmoved)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
