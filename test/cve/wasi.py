#!/usr/bin/env python3
"""Ways out of the WASI sandbox, tried by a module; each twice, as in paths.py. The defences that are no system
call are edited out by weakened_builds.py, whose unit tests have every way that is known."""

import os
import shutil
import sys

import weakenings
from attack import attempt, printed, write
from harness import eq, main, read, test, true
from wasm_modules import bundle_of, c_module
from weakened import intact

BENEATH, IN_ROOT, NO_MAGICLINKS = 8, 16, 2  # RESOLVE_*, openat2(2)

# Each argument is how, a colon and a path; says which could be opened, and what is in those that are read.
TRY = r"""
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    int flags = argv[i][0] == 'r' ? O_RDONLY : argv[i][0] == 'n' ? O_RDONLY | O_NOFOLLOW :
                argv[i][0] == 'd' ? O_RDONLY | O_DIRECTORY | O_NOFOLLOW :
                argv[i][0] == 'c' ? O_WRONLY | O_CREAT : argv[i][0] == 't' ? O_WRONLY | O_TRUNC : O_WRONLY;
    int fd = open(argv[i] + 2, flags, 0644);
    if (fd >= 0) printf("%s\n", argv[i]);
  }
  return 0;
}
"""


@test
def ways_out_of_a_directory(box):
    """Links that are there before: absolute, upwards, with a slash at the end of path or target (GHSA-vqjp-4c8c-hfgg),
    created through (CVE-2024-38358), truncated through."""
    inside = box.path("inside/attack")
    os.makedirs(inside)
    outside = box.path("outside")
    write(f"{outside}/secret", "secret")
    links = {"absolute": f"{outside}/secret", "relative": "../../outside/secret", "dir": "../../outside",
             "slash": "../../outside/", "new": "../../outside/new"}
    for name, target in links.items():
        os.symlink(target, f"{inside}/{name}")
    write(box.path("guest.wasm"))
    with open(box.path("guest.wasm"), "wb") as file:
        file.write(c_module(box, TRY))
    tries = ["r:/attack/absolute", "r:/attack/relative", "r:/attack/dir/secret", "d:/attack/dir/", "d:/attack/slash/",
             "r:/attack/slash/secret", "r:/attack/../../outside/secret", "c:/attack/new", "t:/attack/relative"]

    def opened(weaken):
        return printed(box, weaken, ("wasm", "run", "--dir", box.path("inside") + "::/", box.path("guest.wasm"),
                                     *tries)).splitlines()
    printed(box, intact, ("wasm", "run", box.path("guest.wasm")))  # compiled now
    eq(opened(intact), [], "the runtime as it is")
    eq((os.listdir(outside), read(f"{outside}/secret")), (["secret"], "secret"), "the runtime as it is")
    eq(opened(weakenings.unresolved(BENEATH)), tries, "without RESOLVE_BENEATH")
    eq((sorted(os.listdir(outside)), read(f"{outside}/secret")), (["new", "secret"], ""), "without RESOLVE_BENEATH")


def in_a_container(box, tries):
    bundle = bundle_of(box, c_module(box, TRY), ["/app.wasm", *tries])
    for name, target in (("mem", "/proc/self/mem"), ("exe", "/proc/self/exe"), ("root", "/proc/self/root/etc")):
        os.makedirs(f"{bundle}/rootfs/attack", exist_ok=True)
        os.symlink(target, f"{bundle}/rootfs/attack/{name}")
    attempt(box, intact, bundle, "compiled")
    return lambda weaken, container: attempt(box, weaken, bundle, container).splitlines()


@test
def the_memory_of_its_own_process(box):
    tries = ["w:/proc/self/mem", "t:/attack/mem", "c:/proc/self/comm"]
    opened = in_a_container(box, tries)
    eq(opened(intact, "intact"), [], "the runtime as it is")
    eq(opened(weakenings.no_procfs, "weakened"), tries, "when procfs is not recognised")


@test
def the_memory_behind_a_file_that_is_exchanged(box):
    """A harmless file is looked at, and a link to the memory opened."""
    bundle = bundle_of(box, c_module(box, TRY), ["/app.wasm", "w:/attack/exchanged"])
    name, other = f"{bundle}/rootfs/attack/exchanged", f"{bundle}/rootfs/attack/other"
    attempt(box, intact, bundle, "compiled")

    def opened(container, passes_for_found):
        shutil.rmtree(os.path.dirname(name), ignore_errors=True)
        write(other, "harmless")
        os.symlink("/proc/self/mem", name)
        shown = []

        def show(is_harmless):
            shown.append(is_harmless)
            if os.path.islink(name) == is_harmless:
                os.rename(name, name + "-")
                os.rename(other, name)
                os.rename(name + "-", other)
        out = attempt(box, weakenings.exchanging("attack/exchanged", show, passes_for_found), bundle, container)
        true({True, False} <= set(shown), f"looked at and opened: {shown}, {out}")
        return out
    eq(opened("intact", False), "", "the runtime as it is")
    eq(opened("weakened", True), "w:/attack/exchanged\n", "when the two are one file")


@test
def magic_links(box):
    tries = ["r:/attack/exe", "d:/attack/root/"]
    opened = in_a_container(box, tries)
    eq(opened(intact, "intact"), [], "the runtime as it is")
    eq(opened(weakenings.unresolved(NO_MAGICLINKS | IN_ROOT), "weakened"), tries, "without RESOLVE_NO_MAGICLINKS")


if __name__ == "__main__":
    sys.exit(main())
