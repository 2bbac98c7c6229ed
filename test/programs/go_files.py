"""The tests of Go's own standard library that go through files, compiled for WASI and run as Go's
own script for the purpose, go_wasip1_wasm_exec, runs them."""

import os
import re

from workshop import Skip, must, need

# A package and how many of its tests pass at least: that none fails says little if none ran.
PACKAGES = {"os": 150, "io/fs": 15, "path/filepath": 30, "io": 60}


def go(*names):
    return [part.decode() for part in must(["go", "env", *names], env=dict(os.environ, GOWORK="off")).out.split()]


def standard_library(shop, scratch):
    need("go")
    version, root = go("GOVERSION", "GOROOT")
    if not (number := re.match(r"go1\.(\d+)", version)) or int(number[1]) < 21:
        raise Skip(f"{version} does not know wasip1")
    env = dict(os.environ, GOOS="wasip1", GOARCH="wasm", GOWORK="off", GOFLAGS="-mod=mod", CGO_ENABLED="0")
    for package, enough in PACKAGES.items():
        module = shop.directory / f"{version}-{package.replace('/', '-')}.test.wasm"
        folder = os.path.join(root, "src", package)
        if not module.exists():
            must(["go", "test", "-c", "-o", module, package], env=env, cwd=folder)
        shop.compile(module)
        seen = shop.guest(module, "-test.short", "-test.v", root="/", cwd=folder,
                          env=[f"PWD={folder}", f"PATH={os.environ['PATH']}", f"TMPDIR={scratch}"])
        words = re.findall(rb"^\s*--- (PASS|FAIL|SKIP): (\S+)", seen.out, re.M)
        failed = [name.decode() for verdict, name in words if verdict == b"FAIL"]
        passed = re.findall(rb"^--- PASS: ", seen.out, re.M)
        if seen.status != 0 or failed or len(passed) < enough:
            raise AssertionError(f"{package}: {len(passed)} passed, failed: {failed}; {seen!r}"
                                 f" ... {seen.out[-1500:].decode(errors='replace')}")
