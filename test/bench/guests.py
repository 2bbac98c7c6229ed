"""Compiles the C programs of the benchmarks, for wasm and natively."""

import os
import shutil
import subprocess

from measure import WORK

CLANG = "clang-19"
WASM = ["--target=wasm32-wasi", "-O3", "-Wl,-z,stack-size=1048576"]
NATIVE = ["-O3"]
NATIVE_V3 = ["-O3", "-march=x86-64-v3", "-ffp-contract=off"]

HELLO = '#include <stdio.h>\nint main(void) { puts("hello"); }\n'
IDLE = '#include <unistd.h>\nint main(void) { for (;;) sleep(1000000); }\n'


def missing():
    if not shutil.which(CLANG) or not os.path.exists("/usr/lib/wasm32-wasi/libc.a"):
        return "clang-19 with wasi-libc is not installed (make packages)"
    return None


def compile_file(source, output, flags):
    output = os.path.join(WORK, output)
    if not os.path.exists(output) or os.path.getmtime(output) < os.path.getmtime(source):
        subprocess.run([CLANG, *flags, source, "-o", output, "-lm"], check=True)
    return output


def compile_text(text, output, flags):
    source = os.path.join(WORK, output + ".c")
    with open(source, "w") as file:
        file.write(text)
    return compile_file(source, output, flags)
