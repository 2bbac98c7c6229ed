"""Entry points that cannot be run: the status, a message that names file and reason, nothing left."""

import os
import sys

from harness import eq, has, main, test
from wasm_modules import ARGS, EXIT, HELLO, artifacts, bundle_of, module

EMPTY = b"\0asm\1\0\0\0"


def section(number, content):
    return bytes([number, len(content)]) + content


def temporary_files():
    return {name for name in os.listdir("/tmp") if "wherry" in name}


def fails(box, bundle, status, *parts):
    """`run` ends with the status, says all of the parts, and leaves nothing."""
    before = temporary_files()
    result = box.run(bundle, timeout=20)
    eq(result.status, status, repr(result))
    for part in parts:
        has((result.err + " ".join(result.errors())).lower(), part.lower())
    eq(result.out, "")
    eq((box.containers(), box.leftovers()), ([], []))
    eq(temporary_files(), before)
    eq(artifacts(box), [])


def refused(box, content, *parts):
    fails(box, bundle_of(box, content), 1, "/app.wasm", *parts)


@test
def a_module_cut_in_half(box):
    whole = module(HELLO)
    refused(box, whole[:len(whole) // 2], "malformed")
    refused(box, EMPTY + b"\1", "malformed", "at byte 0x")


@test
def a_body_of_invalid_type(box):
    # (func i64.const 0), exported as _start, whose type has no result
    body = section(1, b"\1\x60\0\0") + section(3, b"\1\0") + section(7, b"\1\6_start\0\0") \
        + section(10, b"\1\4\0\x42\0\x0b")
    refused(box, EMPTY + body, "invalid")


@test
def an_index_out_of_range(box):
    refused(box, EMPTY + section(7, b"\1\6_start\0\5"), "invalid")


@test
def a_length_beyond_all_memory(box):
    refused(box, EMPTY + b"\1\xff\xff\xff\xff\x0f", "malformed")
    refused(box, EMPTY + section(1, b"\xff\xff\xff\xff\x0f"), "malformed")


def fails_when_linked(box, content, *parts):
    """As `refused`, for modules that are valid: their artifact stays."""
    bundle = bundle_of(box, content)
    result = box.run(bundle)
    eq((result.status, result.out), (1, ""), repr(result))
    for part in ("/app.wasm",) + parts:
        has(result.err, part)
    eq((box.containers(), box.leftovers()), ([], []))
    again = box.run(bundle)  # now from the cache
    eq((again.status, again.err), (1, result.err))


@test
def nothing_but_a_header(box):
    fails_when_linked(box, EMPTY, "_start")


@test
def a_module_without_start(box):
    fails_when_linked(box, module('(func (export "main"))'), "_start")


@test
def a_start_that_is_no_function(box):
    fails_when_linked(box, module('(global (export "_start") i32 (i32.const 0))'), "_start")


@test
def an_import_that_nobody_provides(box):
    text = module('(func (export "_start"))').replace(b"proc_exit", b"proc_exiT")
    fails_when_linked(box, text, "proc_exiT")


@test
def an_import_of_another_type(box):
    # proc_exit, declared with another function's type
    text = module('(func (export "_start"))').replace(b"proc_exit", b"path_open")
    fails_when_linked(box, text, "path_open")


@test
def a_trap_in_the_start_function_is_a_trap(box):
    bundle = bundle_of(box, module('(func $boom unreachable) (start $boom) (func (export "_start"))'))
    result = box.run(bundle)
    eq((result.status, result.out), (134, ""), repr(result))
    has(result.err, "unreachable")


@test
def a_component(box):
    refused(box, b"\0asm\x0d\0\1\0" + b"\0" * 16, "component")


@test
def a_module_that_the_users_id_cannot_read(box):
    def change(config):
        config["process"]["user"] = {"uid": 1000, "gid": 1000}

    bundle = bundle_of(box, module(HELLO), change=change)
    os.chmod(os.path.join(bundle, "rootfs/app.wasm"), 0o640)
    fails(box, bundle, 1, "/app.wasm", "permission denied")
    eq(os.path.exists(box.path("cache")), False, "a cache for what must not run")


@test
def entries_that_are_no_files(box):
    bundle = box.bundle(["/entry.wasm"])
    entry = os.path.join(bundle, "rootfs/entry.wasm")
    fails(box, bundle, 1, "/entry.wasm", "no such file or directory")
    os.mkfifo(entry, 0o755)
    fails(box, bundle, 1, "/entry.wasm", "permission denied")
    os.unlink(entry)
    os.mkdir(entry)
    fails(box, bundle, 1, "/entry.wasm")
    os.rmdir(entry)
    os.mknod(entry, 0o20755, os.makedev(1, 5))  # /dev/zero
    fails(box, bundle, 1, "/entry.wasm", "permission denied")
    os.unlink(entry)
    os.symlink("/entry.wasm", entry)
    fails(box, bundle, 1, "/entry.wasm")


@test
def a_link_out_of_the_root_finds_nothing(box):
    secret = box.path("secret.wasm")
    with open(secret, "wb") as file:
        file.write(module(EXIT.format(0)))
    bundle = box.bundle(["/entry.wasm"])
    os.symlink(secret, os.path.join(bundle, "rootfs/entry.wasm"))
    fails(box, bundle, 1, "/entry.wasm", "no such file or directory")


@test
def an_empty_file_is_left_to_the_kernel(box):
    bundle = box.bundle(["/entry.wasm"])
    with open(os.path.join(bundle, "rootfs/entry.wasm"), "w"):
        pass
    os.chmod(os.path.join(bundle, "rootfs/entry.wasm"), 0o755)
    fails(box, bundle, 1, "/entry.wasm", "exec format error")


@test
def an_annotation_forbids_modules(box):
    def change(config):
        config["annotations"] = {"dev.wherry/handler": "native"}

    bundle = bundle_of(box, module(HELLO), change=change)
    os.chmod(os.path.join(bundle, "rootfs/app.wasm"), 0o755)
    fails(box, bundle, 1, "/app.wasm", "exec format error")


@test
def an_annotation_that_asks_for_a_module_where_there_is_none(box):
    def change(config):
        config["annotations"] = {"dev.wherry/handler": "wasm"}

    fails(box, box.bundle(["/bin/true"], change), 1, "/bin/true", "not a webassembly module")


@test
def bad_modules_without_a_container(box):
    path = box.path("bad.wasm")
    cut = module(ARGS)[:30]
    other = "not a WebAssembly module"
    for content, part in ((cut, "malformed"), (b"", other), (b"#!/bin/sh\n", other)):
        with open(path, "wb") as file:
            file.write(content)
        for command in (("compile",), ("wasm", "run")):
            result = box.call(*command, path)
            eq((result.status, result.out), (1, ""), repr(result))
            has(result.err + str(result.log), part)
            has(result.err + str(result.log), "bad.wasm")
        eq(artifacts(box), [])
    os.unlink(path)
    result = box.call("compile", path)
    eq(result.status, 1)
    has(result.err + str(result.log), "no such file or directory")


if __name__ == "__main__":
    sys.exit(main())
