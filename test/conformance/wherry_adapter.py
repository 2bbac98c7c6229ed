"""Wherry for the runner that comes with WebAssembly/wasi-testsuite: give it as its adapter,

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


def compute_argv(test_path, args_env_root, proposals, wasi_world, wasi_version):
    arguments, environment, root = args_env_root
    argv = [PROGRAM, "wasm", "run", "--quiet"]
    for name, value in environment.items():
        argv += ["--env", f"{name}={value}"]
    if root:
        argv += ["--dir", f"{root}::/"]
    return [*argv, test_path, *arguments]
