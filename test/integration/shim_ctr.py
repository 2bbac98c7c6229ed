"""The shim as containerd and ctr see it: streams, statuses, exec, signals, events, metrics, restarts.

    python3 test/integration/shim_ctr.py                 with Debian's containerd and with 2.4 where it is built
    python3 test/integration/shim_ctr.py 2.4 NAME...     some cases
    HANDLER=runc python3 ...                             the same against containerd's own shim
"""

import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "beds"))
from cases import (HANDLER, RUNTIME_TYPE, case, eq, has, main, need_criu, only_wherry, settle, true,  # noqa: E402
                   wait_until)
from catalogue import reference  # noqa: E402

BUSYBOX = reference("busybox")
WORKER = reference("worker")
WASM = "/worker.wasm"


def run_command(image, name, *args, options=()):
    return ["run", "--runtime", RUNTIME_TYPE, *options, image, name, *args]


def run(bed, image, name, *args, options=(), **more):
    """ctr run --rm, to its end."""
    more.setdefault("check", False)
    return bed.ctr(*run_command(image, name, *args, options=("--rm", *options)), **more)


def start(bed, image, name, *args, options=()):
    """A detached task, whose output goes to a file that this returns."""
    path = bed.path("tmp", f"{name}.out")
    pathlib.Path(path).write_text("")
    bed.ctr(*run_command(image, name, *args, options=("-d", "--log-uri", f"file://{path}", *options)))
    return path


def sh(bed, name, script, options=()):
    return start(bed, BUSYBOX, name, "sh", "-c", script, options=options)


def text(path):
    return pathlib.Path(path).read_text()


def wait_text(path, part):
    wait_until(lambda: part in text(path), f"{part!r} in {path}")


def tasks(bed):
    """{name: (pid, status)}"""
    rows = [line.split() for line in bed.ctr("tasks", "ls").out.splitlines()[1:]]
    return {row[0]: (int(row[1]), row[2]) for row in rows}


def wait_status(bed, name, wanted):
    wait_until(lambda: tasks(bed).get(name, (0, ""))[1] == wanted, f"{name} is {wanted}")


def kill(bed, name, number=signal.SIGKILL):
    bed.ctr("tasks", "kill", "-s", str(int(number)), name)


def remove(bed, name, how=signal.SIGKILL):
    """Ends the task and removes it with its container; the status that ctr reports."""
    if tasks(bed).get(name, (0, "STOPPED"))[1] != "STOPPED":
        kill(bed, name, how)
        wait_status(bed, name, "STOPPED")
    done = bed.ctr("tasks", "rm", name)
    bed.ctr("containers", "rm", name)
    status = re.search(r"non-zero exit code (\d+)", done.err)
    return int(status[1]) if status else 0


class Events:
    """What `ctr events` writes while it runs."""

    def __init__(self, bed):
        self.path = bed.path("tmp", "events")
        with open(self.path, "wb") as out:
            self.process = subprocess.Popen(bed.ctr_command("events"), stdout=out, stderr=out,
                                            env=bed.environment())
        time.sleep(0.4)  # ctr does not say when it listens

    def tasks(self, name):
        """[(topic without /tasks/, fields)] of one container."""
        found = re.findall(r" /tasks/(\S+) (\{.*\})$", text(self.path), re.M)
        found = [(topic, json.loads(fields)) for topic, fields in found]
        return [(topic, fields) for topic, fields in found if fields.get("container_id") == name]

    def wait(self, name, topic):
        wait_until(lambda: topic in [each[0] for each in self.tasks(name)], f"/tasks/{topic} of {name}")

    def close(self):
        self.process.kill()
        self.process.wait()


# --- statuses and streams ---------------------------------------------------------------------------

@case
def a_native_container_writes_and_ends_with_its_status(bed):
    done = run(bed, BUSYBOX, "c1", "sh", "-c", "echo out; echo err >&2; exit 7")
    eq((done.returncode, done.out), (7, "out\n"))
    has(done.err, "err\n")


@case
def a_module_writes_and_ends_with_its_status(bed):
    only_wherry("runs no modules")
    done = run(bed, WORKER, "c1", WASM, "count", "3")
    eq((done.returncode, done.out), (0, "1\n2\n3\n"), done.err)
    eq(run(bed, WORKER, "c2", WASM, "exit", "42").returncode, 42, "status")


@case
def a_trap_is_told_on_standard_error_and_ends_with_134(bed):
    only_wherry("runs no modules")
    done = run(bed, reference("trap"), "c1", "/trap.wasm", "unreachable")
    eq(done.returncode, 134, done.err)
    has(done.err, "unreachable")
    has(done.err, "fail_at_the_bottom", "backtrace")


@case
def input_arrives_with_its_end(bed):
    done = run(bed, BUSYBOX, "c1", "wc", "-c", stdin=b"x" * 300_000)
    eq((done.returncode, done.out.strip()), (0, "300000"), done.err)
    if HANDLER == "wherry":
        done = run(bed, WORKER, "c2", WASM, "echo", stdin=b"one\ntwo\n")
        eq((done.returncode, done.out), (0, "one\ntwo\n"), done.err)


@case
def large_output_arrives_whole(bed):
    done = run(bed, BUSYBOX, "c1", "seq", "200000")
    eq(done.out, "".join(f"{i}\n" for i in range(1, 200001)))
    if HANDLER == "wherry":
        done = run(bed, WORKER, "c2", WASM, "count", "50000")
        eq(done.out, "".join(f"{i}\n" for i in range(1, 50001)))


def on_a_terminal(bed, arguments, script, patience=30):
    """Runs ctr on a pty; `script` is [(text to wait for, bytes to write)]. (status, everything shown)"""
    pid, terminal = pty.fork()
    if pid == 0:
        command = bed.ctr_command(*arguments)
        os.execve(command[0], command, bed.environment(TERM="dumb"))
    shown, end, ended = b"", time.monotonic() + patience, False
    steps = list(script)
    while time.monotonic() < end and not ended:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                part = os.read(terminal, 65536)
            except OSError:  # the other side is closed
                part = b""
            ended = not part
            shown += part
        if steps and steps[0][0] in shown:
            os.write(terminal, steps.pop(0)[1])
    if not ended:
        os.kill(pid, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(terminal)
    # The outer terminal turns \n into \r\n once more.
    shown = re.sub(r"\r+\n", "\n", shown.decode(errors="replace"))
    true(ended, f"no end on the terminal, shown at last: {shown[-300:]!r}")
    return status, shown


def shows_all_lines(shown, last):
    lines = shown.split("\n")
    first = lines.index("1")
    eq(lines[first:first + last], [str(i) for i in range(1, last + 1)][:len(lines) - first], "lines")
    true(len(lines) - first >= last, f"all {last} lines, shown at last: {shown[-300:]!r}")


@case
def a_terminal_is_one_and_shows_everything(bed):
    status, shown = on_a_terminal(
        bed, run_command(BUSYBOX, "c1", "sh", options=("--rm", "-t")),
        [(b"#", b"tty; seq 5000; exit 5\n")])
    eq(status, 5, shown[-300:])
    has(shown[:2000], "/dev/pts/0")
    shows_all_lines(shown, 5000)


@case
def exec_on_a_terminal(bed):
    out = sh(bed, "c1", "echo up; sleep 1000")
    wait_text(out, "up")
    status, shown = on_a_terminal(bed, ["tasks", "exec", "-t", "--exec-id", "e1", "c1", "sh"],
                                  [(b"#", b"tty; seq 3000; exit 6\n")])
    eq(status, 6, shown[-300:])
    has(shown[:2000], "/dev/pts/")
    shows_all_lines(shown, 3000)
    remove(bed, "c1")


@case
def output_to_a_file_is_appended(bed):
    out = sh(bed, "c1", "echo one; echo two >&2")
    wait_status(bed, "c1", "STOPPED")
    eq(sorted(text(out).split()), ["one", "two"])
    remove(bed, "c1")


@case
def output_to_a_logger_program_arrives(bed):
    logger, log = bed.path("tmp", "logger"), bed.path("tmp", "logged")
    pathlib.Path(logger).write_text(
        "#!/bin/bash\ntrap '' TERM\nexec 5>&-\n"  # a shim ends its logger when the task is deleted
        f'{{ cat <&3 & cat <&4; wait; echo "$CONTAINER_NAMESPACE $CONTAINER_ID"; }} >>{log}\n')
    os.chmod(logger, 0o755)
    bed.ctr(*run_command(BUSYBOX, "c1", "sh", "-c", "echo one; echo two >&2",
                         options=("-d", "--log-uri", f"binary://{logger}")))
    wait_status(bed, "c1", "STOPPED")
    remove(bed, "c1")
    wait_text(log, f"{bed.name} c1")
    eq(sorted(text(log).split()[:2]), ["one", "two"])


@case
def a_missing_program_is_named_and_leaves_nothing(bed):
    done = run(bed, BUSYBOX, "c1", "/no/such/program")
    true(done.returncode != 0, "a status")
    has(done.err, "/no/such/program")
    has(done.err, "no such file or directory")


# --- exec, kill, pause -----------------------------------------------------------------------------

@case
def exec_has_streams_and_a_status_of_its_own(bed):
    out = sh(bed, "c1", "echo up; sleep 1000")
    wait_text(out, "up")
    done = bed.ctr("tasks", "exec", "--exec-id", "e1", "c1", "sh", "-c", "echo out; echo err >&2; exit 9",
                   check=False)
    eq((done.returncode, done.out), (9, "out\n"), done.err)
    has(done.err, "err")
    done = bed.ctr("tasks", "exec", "--exec-id", "e2", "c1", "cat", stdin=b"in\n" * 5000)
    eq(done.out, "in\n" * 5000)
    done = bed.ctr("tasks", "exec", "--exec-id", "e3", "c1", "/missing", check=False)
    true(done.returncode != 0, "a status of a missing program")
    has(done.err, "/missing")
    eq(tasks(bed)["c1"][1], "RUNNING")
    remove(bed, "c1")


@case
def exec_in_a_module_runs_the_module_with_other_arguments(bed):
    only_wherry("runs no modules")
    out = start(bed, reference("service"), "c1", "/service.wasm")
    wait_text(out, "ready")
    done = bed.ctr("tasks", "exec", "--exec-id", "e1", "c1", "/service.wasm", "healthz", check=False)
    eq((done.returncode, done.out), (0, "healthy\n"), done.err)
    done = bed.ctr("tasks", "exec", "--exec-id", "e2", "c1", "/service.wasm", "count", "3")
    eq(done.out, "1\n2\n3\n")
    remove(bed, "c1")


@case
def signals_end_with_128_and_their_number(bed):
    for number, expected in ((signal.SIGTERM, 143), (signal.SIGKILL, 137), (signal.SIGINT, 130)):
        out = sh(bed, "c1", "trap 'exit 143' TERM; trap 'exit 130' INT; echo up; while :; do sleep 0.05; done")
        wait_text(out, "up")
        eq(remove(bed, "c1", number), expected, f"status after {number.name}")


@case
def a_computing_module_ends_at_once(bed):
    only_wherry("runs no modules")
    for number, expected in ((signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, 137)):
        out = start(bed, WORKER, "c1", WASM, "spin")
        wait_text(out, "spinning")
        begin = time.monotonic()
        eq(remove(bed, "c1", number), expected, f"status after {number.name}")
        true(time.monotonic() - begin < 3, "at once")


@case
def kill_all_reaches_every_process(bed):
    out = sh(bed, "c1", "trap '' TERM; sleep 1000 & echo up; wait; while :; do sleep 1; done")
    wait_text(out, "up")
    bed.ctr("tasks", "kill", "-a", "-s", "9", "c1")
    wait_status(bed, "c1", "STOPPED")
    eq(remove(bed, "c1"), 137)


@case
def the_end_of_the_first_process_ends_the_others_without_a_pid_namespace(bed):
    out = sh(bed, "c1", "sleep 1000 & echo up; while [ ! -e /tmp/end ]; do sleep 0.02; done",
             options=("--with-ns", "pid:/proc/1/ns/pid"))
    wait_text(out, "up")
    bed.ctr("tasks", "exec", "--exec-id", "e1", "c1", "touch", "/tmp/end")
    wait_status(bed, "c1", "STOPPED")
    eq(remove(bed, "c1"), 0)


@case
def pause_stops_and_resume_goes_on(bed):
    out = sh(bed, "c1", "i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done")
    wait_text(out, "5\n")
    bed.ctr("tasks", "pause", "c1")
    eq(tasks(bed)["c1"][1], "PAUSED")
    time.sleep(0.1)
    before = text(out)
    time.sleep(0.3)
    eq(text(out), before, "output while paused")
    bed.ctr("tasks", "resume", "c1")
    wait_until(lambda: len(text(out)) > len(before), "output after resume")
    eq(tasks(bed)["c1"][1], "RUNNING")
    remove(bed, "c1")


@case
def a_checkpoint_goes_on_as_another_container(bed):
    need_criu()
    script = "i=0; while :; do i=$((i+1)); echo $i > /count; sleep 0.02; done"
    # Without output: criu takes nothing but a stream of the same kind in place of one, and restore's are FIFOs.
    bed.ctr(*run_command(BUSYBOX, "c1", "sh", "-c", script, options=("-d",)))

    def count(name):
        return int("0" + bed.ctr("tasks", "exec", "--exec-id", "count", name, "cat", "/count").out)

    wait_until(lambda: count("c1") > 5, "it counts")
    bed.ctr("containers", "checkpoint", "--task", "--rw", "--image", "c1", "bed.local/checkpoint:1")
    before = count("c1")
    eq(tasks(bed)["c1"][1], "RUNNING")
    remove(bed, "c1")
    bed.ctr("containers", "restore", "--live", "--rw", "c2", "bed.local/checkpoint:1")
    eq(tasks(bed)["c2"][1], "RUNNING")
    true(0 < count("c2") <= before + 50, "it goes on where it was")
    here = count("c2")
    wait_until(lambda: count("c2") > here, "it goes on")
    remove(bed, "c2")
    bed.ctr("images", "rm", "bed.local/checkpoint:1")


@case
def a_running_task_is_not_deleted_without_force(bed):
    out = sh(bed, "c1", "echo up; sleep 1000")
    wait_text(out, "up")
    done = bed.ctr("tasks", "rm", "c1", check=False)
    true(done.returncode != 0, "a refusal")
    eq(tasks(bed)["c1"][1], "RUNNING")
    remove(bed, "c1")


@case
def processes_are_listed_with_their_execs(bed):
    out = sh(bed, "c1", "sleep 1000 & echo up; wait; true")
    wait_text(out, "up")
    bed.ctr("tasks", "exec", "-d", "--exec-id", "e1", "c1", "sleep", "1000")
    lines = bed.ctr("tasks", "ps", "c1").out.splitlines()[1:]
    eq(len(lines), 3, lines)
    pids = {int(line.split()[0]) for line in lines}
    true(tasks(bed)["c1"][0] in pids, f"the first process among {pids}")
    true(any("e1" in line for line in lines), f"the exec's id in {lines}")
    remove(bed, "c1")


# --- what ctr's options ask for --------------------------------------------------------------------

@case
def options_of_a_container_hold(bed):
    folder = bed.path("tmp", "shared")
    os.makedirs(folder, exist_ok=True)
    pathlib.Path(folder, "new").unlink(missing_ok=True)
    pathlib.Path(folder, "file").write_text("from outside\n")
    user = () if bed.daemon == "1.6" else ("--user", "1000:1000")
    script = "echo $NAME; cat /m/file; echo inside > /m/new; id -u; pwd"
    done = run(bed, BUSYBOX, "c1", "sh", "-c", script, options=(
        "--env", "NAME=value", "--cwd", "/tmp", *user,
        "--mount", f"type=bind,src={folder},dst=/m,options=rbind:ro"))
    eq(done.out.split("\n")[:2], ["value", "from outside"], done.err)
    has(done.err.lower(), "read-only file system")
    eq(done.out.split("\n")[2:4], ["1000" if user else "0", "/tmp"])
    if HANDLER == "wherry":
        done = run(bed, WORKER, "c2", WASM, "cat", "/m/file", options=(
            "--mount", f"type=bind,src={folder},dst=/m,options=rbind:ro"))
        eq((done.returncode, done.out), (0, "from outside\n"), done.err)
        done = run(bed, WORKER, "c3", WASM, "env", "NAME", options=("--env", "NAME=value"))
        eq((done.returncode, done.out), (0, "value\n"), done.err)
        done = run(bed, WORKER, "c4", WASM, "write", "/m/new", "x", options=(
            "--mount", f"type=bind,src={folder},dst=/m,options=rbind:ro"))
        eq(done.returncode, 1, done.out)
        true(not os.path.exists(os.path.join(folder, "new")), "the mount is read-only for a module")


@case
def out_of_memory_is_an_event_and_137(bed):
    events = Events(bed)
    # tail keeps its input until it ends.
    sh(bed, "c1", "tail /dev/zero", options=("--memory-limit", str(24 << 20)))
    wait_status(bed, "c1", "STOPPED")
    events.wait("c1", "oom")
    eq(remove(bed, "c1"), 137)
    if HANDLER == "wherry":
        start(bed, WORKER, "c2", WASM, "grow", "200", options=("--memory-limit", str(48 << 20)))
        wait_status(bed, "c2", "STOPPED")
        events.wait("c2", "oom")
        eq(remove(bed, "c2"), 137)
    events.close()


@case
def metrics_are_the_cgroup_s(bed):
    out = sh(bed, "c1", "echo up; sleep 1000 & sleep 1000; true", options=("--memory-limit", str(64 << 20)))
    wait_text(out, "up")
    metrics = json.loads(bed.ctr("tasks", "metrics", "--format", "json", "c1").out)
    metrics = metrics.get("metrics", metrics)
    folder = f"/sys/fs/cgroup/memory/{bed.name}/c1"
    usage = int(text(f"{folder}/memory.usage_in_bytes"))
    seen = int(metrics["memory"]["usage"]["usage"])
    true(abs(seen - usage) <= max(usage // 4, 1 << 20), f"memory {seen}, cgroup {usage}")
    eq(int(metrics["memory"]["usage"]["limit"]), 64 << 20)
    cpu = int(text(f"/sys/fs/cgroup/cpuacct/{bed.name}/c1/cpuacct.usage"))
    seen = int(metrics["cpu"]["usage"]["total"])
    true(0 < seen <= cpu + 100_000_000 and seen > cpu // 4, f"cpu {seen}, cgroup {cpu}")
    eq(int(metrics["pids"]["current"]), 3)
    remove(bed, "c1")


# --- events ------------------------------------------------------------------------------------------

@case
def events_come_in_order(bed):
    events = Events(bed)
    out = sh(bed, "c1", "echo up; while [ ! -e /tmp/end ]; do sleep 0.02; done; exit 3")
    wait_text(out, "up")
    bed.ctr("tasks", "exec", "--exec-id", "e1", "c1", "sh", "-c", "exit 4", check=False)
    bed.ctr("tasks", "pause", "c1")
    bed.ctr("tasks", "resume", "c1")
    bed.ctr("tasks", "exec", "--exec-id", "e2", "c1", "touch", "/tmp/end")
    wait_status(bed, "c1", "STOPPED")
    eq(remove(bed, "c1"), 3)
    events.wait("c1", "delete")
    seen = events.tasks("c1")
    names = [(topic, fields.get("exec_id") or fields.get("id") or "") for topic, fields in seen]
    init_exit = names.index(("exit", "c1"))
    order = [("create", ""), ("start", ""), ("exec-added", "e1"), ("exec-started", "e1"),
             ("exit", "e1"), ("paused", ""), ("resumed", ""), ("exec-added", "e2"),
             ("exec-started", "e2")]
    eq(names[:len(order)], order)
    true(names.index(("exit", "e2")) < init_exit, f"the exec's exit before the first process's: {names}")
    eq(names[init_exit + 1:], [("delete", "")], "after the exit")
    for topic, fields in seen:
        if topic in ("exit", "delete"):
            true(fields.get("exited_at"), f"{topic} has a time: {fields}")
            eq(fields.get("exit_status"), {"e1": 4, "e2": None}.get(fields.get("id"), 3), str(fields))
        if topic == "start":
            true(fields["pid"] > 0, "a pid")
    events.close()


@case
def a_short_life_has_its_start_before_its_exit(bed):
    events = Events(bed)
    for number in range(10):
        eq(run(bed, BUSYBOX, f"c{number}", "true").returncode, 0)
    for number in range(10):
        # runc's shim may end before its last event has left.
        last = "delete" if HANDLER == "wherry" else "exit"
        events.wait(f"c{number}", last)
        order = [topic for topic, _ in events.tasks(f"c{number}")]
        eq(order[:order.index(last) + 1], ["create", "start", "exit", "delete"][:order.index(last) + 1])
    events.close()


@case
def many_at_once(bed):
    running = [subprocess.Popen(bed.ctr_command(*run_command(
        BUSYBOX, f"c{number}", "sh", "-c", f"echo {number}; exit {number}", options=("--rm",))),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=bed.environment()) for number in range(20)]
    for number, process in enumerate(running):
        out, err = process.communicate(timeout=120)
        eq((process.returncode, out), (number, f"{number}\n".encode()), err.decode())


# --- restarts, and violence --------------------------------------------------------------------------

def numbers(path):
    """The file's lines must be 1, 2, 3, ...: how many there are."""
    lines = text(path).split("\n")[:-1]
    eq(lines, [str(i) for i in range(1, len(lines) + 1)], path)
    return len(lines)


COUNT = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.005; done"


@case
def a_restart_of_the_daemon_loses_no_output_and_no_task(bed):
    names = [f"c{number}" for number in range(4)]
    outs = [sh(bed, name, COUNT) for name in names]
    if HANDLER == "wherry":
        names.append("w")
        outs.append(start(bed, WORKER, "w", WASM, "count", "100000000", "5"))
    before = tasks(bed)
    for how in (signal.SIGTERM, signal.SIGKILL):
        bed.restart_containerd(how)
        eq(tasks(bed), before, f"tasks after {how.name}")
        counts = [numbers(out) for out in outs]
        wait_until(lambda: all(numbers(out) > count for out, count in zip(outs, counts)), "output goes on")
    done = bed.ctr("tasks", "exec", "--exec-id", "e1", "c0", "echo", "hello")
    eq(done.out, "hello\n")
    for name in names:
        eq(remove(bed, name), 137)
    settle(lambda: not bed.shims(), 5)
    eq(bed.shims(), [], "shims")


@case
def an_end_while_the_daemon_is_away_is_known_later(bed):
    out = sh(bed, "c1", "echo up; while [ ! -e /tmp/end ]; do sleep 0.02; done; exit 5",
             options=("--mount", f"type=bind,src={bed.path('tmp')},dst=/tmp,options=rbind"))
    wait_text(out, "up")
    bed.stop("containerd", signal.SIGKILL)
    end = pathlib.Path(bed.path("tmp", "end"))
    end.write_text("")
    time.sleep(0.5)
    bed.start_containerd()
    end.unlink()
    wait_until(lambda: tasks(bed).get("c1", (0, "STOPPED"))[1] == "STOPPED", "the end is known")
    if HANDLER == "wherry" or bed.daemon == "1.6":
        eq(remove(bed, "c1"), 5)
    else:  # from 1.7 on the daemon removes a task whose shim knows of no process any more
        bed.ctr("containers", "rm", "c1")


@case
def a_killed_first_process_ends_with_137(bed):
    out = sh(bed, "c1", "echo up; sleep 1000")
    wait_text(out, "up")
    os.kill(tasks(bed)["c1"][0], signal.SIGKILL)
    wait_status(bed, "c1", "STOPPED")
    eq(remove(bed, "c1"), 137)


def kill_shims(bed):
    for pid in bed.shims():
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def forget_all(bed):
    """Removes whatever the daemon still knows."""
    for name in bed.ctr("containers", "ls", "-q").out.split():
        bed.ctr("tasks", "rm", "-f", name, check=False)
        bed.ctr("containers", "rm", name)
    # A client that loses the daemon in the middle leaves the snapshot that it had made.
    bed.ctr("snapshots", "rm", "c1", check=False)


@case
def a_killed_shim_takes_its_container_with_it(bed):
    only_wherry("leaves its socket")
    for image, args in ((BUSYBOX, ["sh", "-c", "echo up; sleep 1000 & sleep 1000"]),
                        (WORKER, [WASM, "spin"])):
        out = start(bed, image, "c1", *args)
        wait_until(lambda: text(out), "output")
        bed.ctr("tasks", "exec", "-d", "--exec-id", "e1", "c1", *(args if image == WORKER else ["sleep", "1000"]))
        kill_shims(bed)
        settle(lambda: "c1" not in tasks(bed), 10)
        forget_all(bed)
        settle(lambda: not bed.leftovers(), 10)
        eq(bed.leftovers(), [], f"left of {image}")


def violent(bed, victims, delays, image, args):
    """Starts a task and kills `victims` after each of the delays, whatever was going on then."""
    for delay in delays:
        starting = subprocess.Popen(bed.ctr_command(*run_command(
            image, "c1", *args, options=("-d", "--null-io"))), env=bed.environment(),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay / 1000)
        if "daemon" in victims:
            bed.stop("containerd", signal.SIGKILL)
        if "shim" in victims:
            kill_shims(bed)
        try:
            starting.wait(30)
        except subprocess.TimeoutExpired:
            starting.kill()
            raise AssertionError(f"{victims} killed after {delay} ms: ctr run hangs")
        if "daemon" in victims:
            bed.start_containerd()
        forget_all(bed)
        # A socket's name is left where `start` and shim were killed together; the next shim takes it away.
        run(bed, BUSYBOX, "c2", "true")
        # A shim that nobody called yet ends by itself after ten seconds.
        settle(lambda: not bed.leftovers(), 20)
        left = bed.leftovers()
        if left:
            raise AssertionError(f"{victims} killed after {delay} ms, left: {left[:8]}")


def timed_case(function):
    """Kills at fixed delays meet other moments on each machine: only where VIOLENT=1 asks for them."""
    return case(function) if os.environ.get("VIOLENT") else function


STEPS = (20, 30, 40, 50, 60, 80, 100, 120, 140, 170, 200, 250, 300, 400)


@timed_case
def kill_9_of_the_shim_at_any_time_leaves_nothing(bed):
    only_wherry("leaves its socket and cgroups")
    violent(bed, ("shim",), STEPS, BUSYBOX, ["sleep", "1000"])
    violent(bed, ("shim",), STEPS, WORKER, [WASM, "spin"])


@timed_case
def kill_9_of_the_daemon_at_any_time_leaves_nothing(bed):
    only_wherry("a start that the daemon did not see the end of leaves a shim")
    violent(bed, ("daemon",), STEPS, BUSYBOX, ["sleep", "1000"])


@timed_case
def kill_9_of_both_at_any_time_leaves_nothing(bed):
    only_wherry("cgroups stay when both are killed in the middle")
    violent(bed, ("daemon", "shim"), STEPS, BUSYBOX, ["sleep", "1000"])
    violent(bed, ("shim", "daemon"), STEPS[::3], WORKER, [WASM, "spin"])


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


@case
def nothing_leaks_in_the_daemon_or_a_shim(bed):
    out = sh(bed, "c1", "echo up; sleep 1000")
    wait_text(out, "up")
    shim, daemon = bed.shims()[0], bed.processes["containerd"].pid
    for number in range(3):
        bed.ctr("tasks", "exec", "--exec-id", f"warm{number}", "c1", "true")
    settle(lambda: False, 0.5)
    before = descriptors(shim), len(os.listdir("/run/containerd/s"))
    for number in range(20):
        bed.ctr("tasks", "exec", "--exec-id", f"e{number}", "c1", "true")
    # One more is the timer of whoever waits for a reader, from the first wait on.
    settle(lambda: descriptors(shim) <= before[0] + 1, 5)
    true(descriptors(shim) <= before[0] + 1, f"the shim's descriptors: {before[0]}, {descriptors(shim)}")
    eq(len(os.listdir("/run/containerd/s")), before[1], "sockets")
    remove(bed, "c1")
    run(bed, BUSYBOX, "c2", "true")
    settle(lambda: False, 0.5)
    idle = descriptors(daemon)
    for number in range(10):
        run(bed, BUSYBOX, f"d{number}", "true")
    settle(lambda: descriptors(daemon) <= idle, 5)
    true(descriptors(daemon) <= idle + 2, f"the daemon's descriptors: {idle}, {descriptors(daemon)}")
    eq(bed.shims(), [])


if __name__ == "__main__":
    main("1.6", "2.4")
