"""The guest as a process: files and streams as it sees them; credentials, descriptors, signals and
limits as the host sees them; further processes beside it. The guests are small C programs."""

import os
import re
import shutil
import sys
import time

from harness import BUSYBOX, eq, has, main, only_wherry, read, test, true, wait_for_pid, wait_until
from wasm_modules import EXIT, LOOP, bundle_of, c_module, module

SHOW = r"""
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
extern char** environ;
int main(int argc, char** argv) {
  for (int i = 0; i < argc; ++i) printf("arg %s\n", argv[i]);
  for (char** each = environ; *each; ++each) printf("env %s\n", *each);
  FILE* file = fopen("here.txt", "r");
  char line[64] = "-";
  if (file) fgets(line, sizeof line, file);
  printf("here %s\n", line);
  return 0;
}
"""

CAT = r"""
#include <stdio.h>
int main(void) {
  int c, n = 0;
  while ((c = getchar()) != EOF) { putchar(c); ++n; }
  fprintf(stderr, "%d bytes\n", n);
  return n > 0 ? 0 : 3;
}
"""

# Tries to write to each of the paths, and says how that ended.
TOUCH = r"""
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    int fd = open(argv[i], O_WRONLY | O_CREAT, 0644);
    if (fd < 0) printf("%s: %s\n", argv[i], strerror(errno));
    else printf("%s: %s\n", argv[i], write(fd, "x", 1) == 1 ? "written" : strerror(errno));
  }
  return 0;
}
"""

EAT = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void) {
  for (int i = 0; i < 512; ++i) {
    char* block = malloc(1 << 20);
    if (!block) return 9;
    memset(block, i + 1, 1 << 20);
    printf("%d\n", block[i]);
    fflush(stdout);
  }
  return 0;
}
"""


def running(box, bundle, container="c1"):
    """Starts a LOOP; the pid of it, known to be in the guest's code."""
    box.create(bundle, container)
    out = box.path(f"out{box.calls}")
    pid = box.state_of(container)["pid"]
    box.ok("start", container)
    wait_until(lambda: "ready" in read(out), "it runs")
    return pid


def status_fields(pid):
    return dict(line.split(":\t", 1) for line in read(f"/proc/{pid}/status").splitlines()
                if ":\t" in line)


@test
def arguments_environment_and_directory_arrive(box):
    def change(config):
        config["process"].update(cwd="/etc", env=["PATH=/bin", "A=1", "B=two words"])

    bundle = bundle_of(box, c_module(box, SHOW), ("/app.wasm", "x", "", "y z"), change)
    with open(os.path.join(bundle, "rootfs/etc/here.txt"), "w") as file:
        file.write("found")
    lines = box.run(bundle).out.splitlines()
    eq(lines[:4], ["arg /app.wasm", "arg x", "arg ", "arg y z"])
    for line in ("env A=1", "env B=two words", "here found"):
        has(lines, line)
    true(not any("WHERRY" in line for line in lines), f"nothing of the host's in {lines}")


@test
def standard_input_arrives_whole(box):
    text = "".join(f"line {n}\n" for n in range(30000))
    bundle = bundle_of(box, c_module(box, CAT))
    result = box.run(bundle, stdin=text)
    eq((result.status, result.err), (0, f"{len(text)} bytes\n"))
    true(result.out == text, "the same text")
    eq(box.run(bundle, "empty").status, 3, "end of file at once")


@test
def mounts_are_what_the_configuration_says(box):
    shared = box.path("shared")
    os.mkdir(shared)

    def change(config):
        config["root"]["readonly"] = True
        config["mounts"] += [
            {"destination": "/ro", "type": "bind", "source": shared, "options": ["bind", "ro"]},
            {"destination": "/rw", "type": "bind", "source": shared, "options": ["bind", "rw"]}]

    bundle = bundle_of(box, c_module(box, TOUCH),
                       ("/app.wasm", "/ro/a", "/rw/b", "/c", "/ro/../rw/d", "/nowhere/e"), change)
    for name in ("ro", "rw"):
        os.mkdir(os.path.join(bundle, "rootfs", name))
    eq(box.run(bundle).out.splitlines(), [
        "/ro/a: Read-only file system", "/rw/b: written", "/c: Read-only file system",
        "/ro/../rw/d: written", "/nowhere/e: No such file or directory"])
    eq(sorted(os.listdir(shared)), ["b", "d"])


@test
def no_memory_can_be_written_through_proc(box):
    """Of PID 1, which is the guest itself: its text would be the way out of the sandbox."""
    paths = ["/proc/self/mem", "/proc/1/mem", "/proc/self/task/1/mem", "/proc/thread-self/mem",
             "/proc/1/root/proc/1/mem", "/tmp/../proc/self/mem", "/proc/self/cwd/proc/1/mem"]
    bundle = bundle_of(box, c_module(box, TOUCH), ["/app.wasm"] + paths)
    out = box.run(bundle).out
    lines = out.splitlines()
    eq([line.split(": ")[0] for line in lines], paths)
    for line in lines:
        true(not line.endswith("written"), line)
        true(not line.endswith("I/O error"), f"was opened: {line}")


@test
def links_out_of_the_root_end_in_the_root(box):
    target = box.path("outside")
    bundle = bundle_of(box, c_module(box, TOUCH), ("/app.wasm", "/link", "../../up"))
    os.symlink(target, os.path.join(bundle, "rootfs/link"))
    box.run(bundle)
    eq(os.path.exists(target), False)
    eq(os.path.exists(os.path.join(bundle, "up")), False)


@test
def the_guest_is_process_one_alone_in_its_namespace(box):
    pid = running(box, bundle_of(box, module(LOOP)))
    eq(status_fields(pid)["NSpid"].split()[-1], "1")
    eq(status_fields(pid)["Threads"], "1")
    eq(box.call("exec", "c1", "ps").out.count("app.wasm"), 1)


@test
def credentials_are_those_of_the_configuration(box):
    def change(config):
        process = config["process"]
        process["user"] = {"uid": 1000, "gid": 1001, "additionalGids": [7, 8], "umask": 0o27}
        process["capabilities"] = {kind: ["CAP_KILL", "CAP_NET_BIND_SERVICE"]
                                   for kind in ("bounding", "effective", "permitted",
                                                "inheritable", "ambient")}
        process["noNewPrivileges"] = True
        process["oomScoreAdj"] = 500
        process["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 77, "hard": 99}]
        config["linux"]["seccomp"] = {
            "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
            "syscalls": [{"names": ["unshare"], "action": "SCMP_ACT_ERRNO"}]}

    pid = running(box, bundle_of(box, module(LOOP), change=change))
    fields = status_fields(pid)
    eq(fields["Uid"].split(), ["1000"] * 4)
    eq(fields["Gid"].split(), ["1001"] * 4)
    eq(fields["Groups"].split(), ["7", "8"])
    eq(fields["Umask"], "0027")
    kill_and_bind = f"{(1 << 5) | (1 << 10):016x}"
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        eq(fields[kind], kill_and_bind, kind)
    eq(fields["NoNewPrivs"], "1")
    eq((fields["Seccomp"], fields["Seccomp_filters"]), ("2", "1"))
    eq(read(f"/proc/{pid}/oom_score_adj").strip(), "500")
    has(re.sub(" +", " ", read(f"/proc/{pid}/limits")), "Max open files 77 99")


@test
def without_capabilities_and_seccomp_there_are_none(box):
    def change(config):
        config["process"]["capabilities"] = {}

    fields = status_fields(running(box, bundle_of(box, module(LOOP), change=change)))
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        eq(int(fields[kind], 16), 0, kind)
    eq(fields["NoNewPrivs"], "1")


@test
def a_seccomp_filter_holds_for_the_guest(box):
    def change(config):
        config["linux"]["seccomp"] = {
            "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
            "syscalls": [{"names": ["openat2", "openat", "open"], "action": "SCMP_ACT_ERRNO",
                          "errnoRet": 1}]}

    bundle = bundle_of(box, c_module(box, TOUCH), ("/app.wasm", "/tmp/a"), change)
    eq(box.run(bundle).out, "/tmp/a: Operation not permitted\n")


@test
def descriptors_are_streams_and_the_roots(box):
    bundle = bundle_of(box, module(LOOP))
    with open("/dev/null") as extra:
        os.set_inheritable(extra.fileno(), True)
        box.create(bundle, close_fds=False)
    out, err = box.path(f"out{box.calls}"), box.path(f"err{box.calls}")
    pid = box.state_of()["pid"]
    box.ok("start", "c1")
    wait_until(lambda: "ready" in read(out), "it runs")
    directory = f"/proc/{pid}/fd"
    for name in os.listdir(directory):
        target = os.readlink(os.path.join(directory, name))
        true(target in ("/dev/null", "/", out, err), f"descriptor {name} is {target}")
    with open(f"/proc/{pid}/maps") as file:
        for line in file:
            permissions = line.split()[1]
            true(not ("w" in permissions and "x" in permissions), line)


@test
def each_signal_has_its_status(box):
    content = module(LOOP)
    for number, (name, status) in enumerate((("TERM", 143), ("INT", 130), ("HUP", 129),
                                             ("QUIT", 131), ("USR1", 138), ("KILL", 137))):
        container = f"c{number}"
        pid = running(box, bundle_of(box, content), container)
        begin = time.monotonic()
        box.ok("kill", container, name)
        eq(wait_for_pid(pid), status, name)
        true(time.monotonic() - begin < 2, f"{name} at once")


@test
def a_guest_that_waits_for_input_ends_by_sigterm(box):
    bundle = bundle_of(box, c_module(box, CAT))
    reading, writing = os.pipe()
    try:
        box.create(bundle, stdin=reading)
        pid = box.state_of()["pid"]
        box.ok("start", "c1")
        wait_until(lambda: status_fields(pid)["Name"] == "app.wasm" and
                   status_fields(pid)["State"].startswith("S"), "it waits")
        box.ok("kill", "c1", "TERM")
        eq(wait_for_pid(pid), 143)
    finally:
        os.close(reading)
        os.close(writing)


@test
def statuses_are_cut_to_eight_bits(box):
    for code, status in ((255, 255), (256, 0), (300, 44)):
        eq(box.run(bundle_of(box, module(EXIT.format(code)))).status, status)


@test
def a_trap_names_the_functions(box):
    source = r"""
    #include <stdio.h>
    int innermost(int n) { if (n < 9) __builtin_trap(); return n; }
    // Through pointers: a compiler may inline what it can see.
    int (*volatile call_innermost)(int) = innermost;
    int middle(int n) { return call_innermost(n) + 1; }
    int (*volatile call_middle)(int) = middle;
    int main(int argc, char** argv) {
      puts("before");
      fflush(stdout);
      return call_middle(argc) + 1;
    }
    """
    result = box.run(bundle_of(box, c_module(box, source)))
    eq((result.status, result.out), (134, "before\n"), repr(result))
    has(result.err, "unreachable")
    places = [result.err.find(name) for name in ("innermost", "middle", "_start")]
    true(-1 not in places and places == sorted(places), repr(result.err))


@test
def endless_recursion_is_a_trap(box):
    source = r"""
    __attribute__((noinline)) int deep(volatile int* n) { *n += 1; return deep(n) + *n; }
    int main(void) { volatile int n = 0; return deep(&n); }
    """
    result = box.run(bundle_of(box, c_module(box, source)))
    eq(result.status, 134, repr(result)[:400])
    has(result.err, "stack")


@test
def the_memory_limit_kills(box):
    def change(config):
        config["linux"]["resources"]["memory"] = {"limit": 48 << 20, "swap": 48 << 20}

    result = box.run(bundle_of(box, c_module(box, EAT), change=change))
    eq(result.status, 137, repr(result)[-300:])
    blocks = len(result.out.split())
    true(16 < blocks < 48, f"killed after {blocks} MiB")
    eq(box.run(bundle_of(box, c_module(box, EAT))).status, 0, "without a limit")


@test
def orphans_are_reaped(box):
    pid = running(box, bundle_of(box, module(LOOP)))
    box.ok("exec", "c1", "sh", "-c", "(sleep 0.2; exit 3) & (sleep 0.1 &) ; exit 0", files=True)
    children = f"/proc/{pid}/task/{pid}/children"
    wait_until(lambda: read(children).strip() == "", "no child, dead or alive")
    eq(box.status_of(), "running")


@test
def exec_of_the_module_of_another_and_of_a_native_program(box):
    bundle = bundle_of(box, module(LOOP))
    running(box, bundle)
    for name, content in (("show.wasm", c_module(box, SHOW)), ("three", module(EXIT.format(3)))):
        with open(os.path.join(bundle, "rootfs", name), "wb") as file:
            file.write(content)
    result = box.call("exec", "--env", "X=y", "--cwd", "/etc", "c1", "/show.wasm", "a b")
    eq(result.status, 0, repr(result))
    eq(result.out.splitlines()[:2], ["arg /show.wasm", "arg a b"])
    has(result.out.splitlines(), "env X=y")
    eq(box.call("exec", "c1", "/three").status, 3)
    eq(box.call("exec", "c1", "sh", "-c", "echo native; exit 4").status, 4)
    eq(box.call("exec", "c1", "/absent.wasm").status != 0, True)
    eq(box.status_of(), "running")


@test
def exec_of_the_containers_module_by_its_name(box):
    source = r"""
    #include <stdio.h>
    #include <string.h>
    int main(int argc, char** argv) {
      if (argc > 1) { printf("probe %s\n", argv[1]); return 5; }
      puts("ready"); fflush(stdout);
      for (volatile int n = 0;;) ++n;
    }
    """
    running(box, bundle_of(box, c_module(box, source)))
    for name in ("/app.wasm", "app.wasm"):
        result = box.call("exec", "c1", name, "alive")
        eq((result.status, result.out), (5, "probe alive\n"), repr(result))


@test
def a_native_program_named_wasm_runs_natively(box):
    only_wherry("the same as any other program")
    bundle = box.bundle(["/echo.wasm", "native"])
    with open(os.path.join(bundle, "rootfs/echo.wasm"), "w") as file:
        file.write('#!/bin/sh\nread name < /proc/1/comm; echo "$1 $name"\n')
    os.chmod(os.path.join(bundle, "rootfs/echo.wasm"), 0o755)
    eq(box.run(bundle).out, "native echo.wasm\n", "a script")
    elf = box.bundle(["/busybox.wasm", "echo", "elf"])
    shutil.copy2(BUSYBOX, os.path.join(elf, "rootfs/busybox.wasm"))
    result = box.run(elf, "c2")
    has(result.out + result.err, "busybox.wasm: applet not found" if result.status else "elf")


@test
def two_containers_share_the_text(box):
    """Their maps name the same file: the artifact's text is in memory once."""
    content = module(LOOP)
    pids = [running(box, bundle_of(box, content), f"c{n}") for n in range(2)]

    def text(pid):
        for line in read(f"/proc/{pid}/maps").splitlines():
            fields = line.split()
            if "x" in fields[1] and re.fullmatch("/.*[0-9a-f]{64}", fields[-1]):
                return fields[3], fields[4]
        raise AssertionError(read(f"/proc/{pid}/maps"))

    eq(text(pids[0]), text(pids[1]))


if __name__ == "__main__":
    sys.exit(main())
