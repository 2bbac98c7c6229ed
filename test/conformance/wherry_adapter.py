"""Wherry for the runner that comes with WebAssembly/wasi-testsuite (branch prod/testsuite-base; Python
3.12 or later): give it as its adapter,

    WHERRY=build/release/bin/wherry python3 run-tests -r test/conformance/wherry_adapter.py
"""

import os
import subprocess

PROGRAM = os.environ.get("WHERRY", "wherry")


def get_name():
    return "wherry"


def get_version():
    # "wherry version 1.2.3"
    return subprocess.check_output([PROGRAM, "--version"], encoding="utf-8").split()[2]


def get_wasi_versions():
    return ["wasm32-wasip1"]


def get_wasi_worlds():
    return ["wasi:cli/command"]


def get_timeout_seconds():
    # The runner's own 5 seconds are little on a machine that does other things meanwhile.
    return 60


def compute_argv(test_path, args_env_root, proposals, wasi_world, wasi_version):
    # Not in the time that the runner gives to the test. A module that does not compile fails there.
    subprocess.run([PROGRAM, "compile", "--quiet", test_path], check=False,
                   stdout=subprocess.DEVNULL)
    arguments, environment, root = args_env_root
    argv = [PROGRAM, "wasm", "run", "--quiet"]
    for name, value in environment.items():
        argv += ["--env", f"{name}={value}"]
    if root:
        argv += ["--dir", f"{root}::/"]
    return [*argv, test_path, *arguments]
