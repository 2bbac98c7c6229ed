"""Files and sockets: io/files.c and the HTTP server of test/guests, for wasm and for this machine from one
source, in turn. Files lie in memory (/dev/shm), so that the calls are measured and not a disk."""

import os
import re
import shutil
import socket
import statistics
import subprocess
import tempfile

import guests
from measure import Failed, HERE, ROOT, STATE

SERVER = os.path.join(ROOT, "test/guests/c/httpd.c")
CONNECTIONS = 16
ENTRIES = 100000
# what, its arguments, times, the goal, times with --quick
FILES = (("read of 4 KiB", ("read", "block"), 400000, 1.15, 40000),
         ("write of 4 KiB", ("write", "block"), 400000, 1.15, 40000),
         ("open and close", ("open", "files"), 200000, 1.3, 20000),
         ("entry of 100,000", ("list", "entries"), 5, 1.5, 1))


def make_files(top):
    with open(os.path.join(top, "block"), "wb") as file:
        file.write(bytes(1 << 20))
    for name, count in (("files", 64), ("entries", ENTRIES)):
        os.mkdir(os.path.join(top, name))
        for number in range(count):
            os.close(os.open(os.path.join(top, name, str(number)), os.O_CREAT | os.O_WRONLY))


def nanoseconds(command):
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True,
                                timeout=300).stdout)


def take_turns(rounds, ours, native):
    """The least of each; one round before them warms the caches."""
    taken = [(ours(), native()) for _ in range(rounds + 1)][1:]
    return tuple(min(each) for each in zip(*taken))


def files(report, bench, rounds):
    module = guests.compile_file(os.path.join(HERE, "io/files.c"), "files.wasm", guests.WASM)
    native = guests.compile_file(os.path.join(HERE, "io/files.c"), "files-native", guests.NATIVE)
    with tempfile.TemporaryDirectory(prefix="wherry-bench-io-", dir=STATE) as top:
        make_files(top)
        run = [bench.wherry, "wasm", "run", "--quiet", "--dir", top + "::/io", module]
        for what, (kind, name), times, goal, quick in FILES:
            count = str(quick if bench.quick else times)
            ours, theirs = take_turns(
                rounds, lambda: nanoseconds([*run, kind, "/io/" + name, count]),
                lambda: nanoseconds([native, kind, os.path.join(top, name), count]))
            report.add("io: " + what, ours, "ns", theirs, "native", goal)


class Server:
    """A server of ours or of this machine, which finds its listening socket as descriptor 3."""

    def __init__(self, command):
        listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.setblocking(False)
        self.port = listener.getsockname()[1]
        # The shell's process becomes the server's: LISTEN_PID is its own.
        script = f"exec 3<&{listener.fileno()}; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$@\""
        self.process = subprocess.Popen(["bash", "-c", script, "bash", *command], text=True,
                                        pass_fds=(listener.fileno(),), stdout=subprocess.PIPE)
        listener.close()
        if self.process.stdout.readline() != "listening\n":
            raise Failed(f"{command[0]}: the server does not start")

    def microseconds(self, requests):
        """Of one request, when CONNECTIONS of them are always under way."""
        done = subprocess.run(["ab", "-q", "-k", "-n", str(requests), "-c", str(CONNECTIONS),
                               f"http://127.0.0.1:{self.port}/"], check=True, text=True,
                              stdout=subprocess.PIPE, timeout=300).stdout
        rate = re.search(r"Requests per second: +([0-9.]+)", done)
        if not rate or not re.search(r"Failed requests: +0\n", done):
            raise Failed("ab: " + done)
        return 1e6 / float(rate.group(1))

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def servers(report, bench, rounds):
    if not shutil.which("ab"):
        report.note("ab (apache2-utils) is not installed: no server is measured")
        return
    flags = ["-D_GNU_SOURCE"]
    module = guests.compile_file(SERVER, "httpd.wasm", guests.WASM + flags)
    native = guests.compile_file(SERVER, "httpd-native", guests.NATIVE + flags)
    requests = 5000 if bench.quick else 50000
    ours = Server([bench.wherry, "wasm", "run", "--quiet", module])
    try:
        theirs = Server([native])
        try:
            # The median: one core is ab's, and who shares it makes the least a matter of luck.
            taken = [(ours.microseconds(requests), theirs.microseconds(requests))
                     for _ in range(rounds + 1)][1:]
        finally:
            theirs.stop()
    finally:
        ours.stop()
    mine, native_time = (statistics.median(each) for each in zip(*taken))
    # 0.9 of the requests a second are 1 / 0.9 of the time of each.
    report.add("io: HTTP request", mine, "us", native_time, "native", round(1 / 0.9, 3))


def run(report, bench):
    if guests.missing():
        report.note("io: " + guests.missing())
        return
    rounds = 1 if bench.quick else 5
    files(report, bench, rounds)
    servers(report, bench, rounds)
