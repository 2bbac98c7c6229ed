#!/usr/bin/env python3
"""CVEs of the process that becomes or joins a container: its program, descriptors, working directory, ids and
capabilities. Each attack is made twice, as in paths.py."""

import os
import shutil
import sys

import weakenings
from attack import attempt, printed, write
from harness import RUNTIME, eq, has, main, only_wherry, read, test, true
from weakened import intact, together

# In the container: waits for the runtime's own program, keeps a descriptor of it, lets it end, and writes as
# soon as nobody executes it any more.
OVERWRITE = """while true; do for each in /proc/[0-9]*; do case $(readlink $each/exe) in *wherry*)
  exec 9< $each/exe; cat /fifo > /dev/null
  while [ -e $each ]; do :; done
  for try in $(seq 50); do echo overwritten 2> /result > /proc/self/fd/9 && break; sleep 0.02; done
  echo done >> /result; exit;;
esac; done; done"""


@test
def cve_2019_5736_the_runtimes_own_program(box):
    """An exec of /proc/self/exe in the container runs the runtime itself there."""
    only_wherry("knows its calls")
    programs = box.path("programs")
    os.mkdir(programs)

    def overwritten(weaken, container):
        program = shutil.copy2(RUNTIME, f"{programs}/wherry-{container}")
        bundle = box.bundle(["sh", "-c", OVERWRITE])
        os.mkfifo(f"{bundle}/rootfs/fifo")
        box.create(bundle, container)
        box.ok("start", container)
        words = box.command("exec", container, "/proc/self/exe", "--log", "/fifo", "list")
        box.command, old = (lambda *_: [program, *words[1:]]), box.command
        out = printed(box, weaken, ())
        box.command = old
        box.wait_status("stopped", container)
        has(read(f"{bundle}/rootfs/result"), "done", out)
        with open(program, "rb") as file:
            return file.read(12) == b"overwritten\n"
    eq(overwritten(intact, "intact"), False, "the runtime as it is")
    eq(overwritten(weakenings.sealing, "weakened"), True, "without a sealed program")


@test
def cve_2022_29162_and_2022_27650_and_2025_27612_inheritable_capabilities(box):
    only_wherry("knows its calls")
    box.create(box.bundle(["sleep", "100"]))
    box.ok("start", "c1")
    words = ("exec", "--cap", "CAP_KILL", "c1", "grep", "CapInh", "/proc/self/status")
    bundle = box.bundle(["grep", "CapInh", "/proc/self/status"])

    def inherited(text):
        has(text, "CapInh", "the line")
        return text.split()[-1].strip("0") != ""
    eq(inherited(printed(box, intact, words)), False, "the runtime as it is")
    eq(inherited(printed(box, weakenings.inheritable, words)), True, "exec with all inheritable")
    eq(inherited(attempt(box, intact, bundle, "intact")), False, "the runtime as it is")
    eq(inherited(attempt(box, weakenings.inheritable, bundle, "weakened")), True, "run with all inheritable")


def leaked(box, weaken, container, args, cwd="/"):
    directory = os.open("/etc", os.O_RDONLY | os.O_DIRECTORY)
    try:
        def change(config):
            config["process"]["cwd"] = cwd.format(directory)
        return attempt(box, weaken, box.bundle(args, change), container, (directory,))
    finally:
        os.close(directory)


@test
def cve_2024_21626_and_youki_xr7r_a_descriptor_of_the_caller(box):
    only_wherry("knows its calls")
    show = ["sh", "-c", "cat /proc/self/fd/*/hostname 2>&1; ls -l /proc/self/fd"]
    true("/etc" not in leaked(box, intact, "intact", show), "the runtime as it is")
    true("/etc" in leaked(box, weakenings.close, "weakened", show), "without close_range")


@test
def cve_2024_21626_a_working_directory_outside(box):
    only_wherry("knows its calls")
    show = ["sh", "-c", "cat passwd"]
    outside = "/proc/self/fd/{}"
    true("root:" not in leaked(box, intact, "intact", show, outside), "the runtime as it is")
    true("root:" not in leaked(box, weakenings.close, "close", show, outside), "with one of the two defences")
    true("root:" in leaked(box, together(weakenings.close, weakenings.directory), "both", show, outside),
         "without both")


@test
def cve_2026_30892_a_user_that_is_no_number(box):
    """What is weakened is how the text reaches the runtime: as a parser would take it that stops early."""
    only_wherry("knows its calls")
    box.create(box.bundle(["sleep", "100"], lambda config: config["process"]["user"].update(uid=1000, gid=1000)))
    box.ok("start", "c1")
    for text, meant in (("nobody", "0"), ("0x3e8", "0"), ("4294967296", "0")):
        words = ("exec", "--user", text, "c1", "id", "-u")
        has(printed(box, intact, words), "invalid user or group id", text)
        eq(printed(box, weakenings.lenient_numbers(text, meant), words), "0\n", text)


@test
def cve_2016_9962_descriptors_of_a_process_that_joins(box):
    """A process of the container, one that may trace others, looks at the one that has just come in: what it
    has open must lead neither to a directory of the host nor, through a procfs, to the host's processes."""
    only_wherry("knows its calls")
    write(box.path("host/secret"), "of the host")
    host = os.open(box.path("host"), os.O_RDONLY | os.O_DIRECTORY)
    script = (f"for each in /proc/$0/fd/*; do cat $each/secret $each/{os.getpid()}/root{box.path('host/secret')}; "
              "done 2> /dev/null; ls -l /proc/$0/fd")

    def seen(weaken, container):
        def change(config):
            for kind in ("bounding", "effective", "permitted"):
                config["process"]["capabilities"][kind].append("CAP_SYS_PTRACE")
        box.create(box.bundle(["sleep", "100"], change), container)
        box.ok("start", container)
        found = []

        def look(call):
            """At the setsid(2) of a process that is in the container's namespaces."""
            if call.name == "setsid" and not found:
                ids = next(line for line in read(f"/proc/{call.pid}/status").splitlines() if "NSpid" in line)
                found.append(box.call("exec", container, "sh", "-c", script, ids.split()[-1]).out)
        printed(box, together(weaken, look), ("exec", container, "true"), (host,))
        has(found[0], "0 -> /dev/null", "it was seen")
        return "of the host" in found[0]
    try:
        eq(seen(intact, "intact"), False, "the runtime as it is")
        eq(seen(weakenings.close, "directory"), True, "without close_range")
        eq(seen(weakenings.host_procfs, "procfs"), True, "with the host's procfs open")
    finally:
        os.close(host)


if __name__ == "__main__":
    sys.exit(main())
