"""What the tests of this folder share: a command of the runtime, run whole or weakened."""

import os
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import weakened  # noqa: E402

if os.uname().machine != "x86_64":
    raise SystemExit("weakened.py knows the registers of x86-64 only")


def printed(box, weaken, words, pass_fds=()):
    """What the command printed."""
    output = box.path("output")
    weakened.run(box.command(*words), weaken, output, pass_fds)
    return pathlib.Path(output).read_text(errors="replace")


def attempt(box, weaken, bundle, container, pass_fds=()):
    return printed(box, weaken, ("run", "--bundle", bundle, container), pass_fds)


def write(path, text=""):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    pathlib.Path(path).write_text(text)
