"""kubectl logs, exec, attach, port-forward and cp."""

import os
import pathlib
import pty
import re
import select
import subprocess
import time
import urllib.request

from cases import case, eq, has, true
from objects import applied, execute, output, until, wait_ready

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def run_pod(bed, name, *args):
    bed.kubectl("run", name, "--image=wherry.local/worker:1", "--image-pull-policy=Never",
                "--restart=Never", '--overrides={"spec": {"runtimeClassName": "wherry"}}', "--", *args)


def on_a_terminal(bed, *words):
    """What kubectl writes to a terminal that it also reads from."""
    master, slave = pty.openpty()
    process = subprocess.Popen(bed.kubectl_command(*words), stdin=slave, stdout=slave, stderr=slave,
                               env=bed.environment(), start_new_session=True)
    os.close(slave)
    written = b""
    try:
        while select.select([master], [], [], 30)[0]:
            part = os.read(master, 4096)
            written += part
            if not part:
                break
    except OSError:  # EIO: nobody has it open any more
        pass
    os.close(master)
    process.wait(10)
    return written.decode()


@case
def logs_follow_a_guest_to_its_end(bed):
    run_pod(bed, "counting", "count", "40", "100")
    try:
        wait_ready(bed, "counting")
        begin = time.monotonic()
        followed = bed.kubectl("logs", "-f", "counting", timeout=60).out
        eq(followed, "".join(f"{i}\n" for i in range(1, 41)))
        true(time.monotonic() - begin > 1, "the log was not followed but found")
        eq(bed.kubectl("logs", "--tail=1", "counting").out, "40\n")
    finally:
        bed.kubectl("delete", "pod", "counting")


@case
def exec_runs_modules_in_a_wasm_container(bed):
    with applied(bed, "httpd"):
        bed.kubectl("rollout", "status", "deployment/httpd", "--timeout=90s", timeout=100)
        name = bed.get("pods", "-l", "app=httpd")["items"][0]["metadata"]["name"]
        eq(output(bed, name, "/worker.wasm", "count", "2"), "1\n2\n", "a second module")
        eq(execute(bed, name, "/worker.wasm", "exit", "9").returncode, 9, "its status")
        refused = execute(bed, name, "/httpd.wasm", "/no/such/file")
        eq(refused.returncode, 1, "the pod's own module with other arguments")
        has(refused.err, "no listening sockets")
        eq(execute(bed, name, "/worker.wasm", "echo", stdin=b"one\ntwo\n").out, "one\ntwo\n", "stdin")
        eq(output(bed, name, "tar", "cf", "-", "/etc/httpd/page")[:14], "etc/httpd/page", "by PATH")
        missing = execute(bed, name, "/no/such/program")
        true(missing.returncode != 0, "a program that is not there ran")
        eq(on_a_terminal(bed, "exec", "-it", name, "--", "/worker.wasm", "count", "2"),
           "1\r\n2\r\n", "on a terminal")


@case
def ports_are_forwarded_to_a_guest(bed):
    with applied(bed, "httpd"):
        bed.kubectl("rollout", "status", "deployment/httpd", "--timeout=90s", timeout=100)
        log = bed.path("forward.log")
        with open(log, "w") as out:
            forward = subprocess.Popen(bed.kubectl_command("port-forward", "deployment/httpd", ":8080"),
                                       stdout=out, stderr=out, env=bed.environment())
        try:
            until(lambda: "Forwarding from 127" in pathlib.Path(log).read_text(), "it forwards", 20)
            port = re.search(r"127\.0\.0\.1:(\d+)", pathlib.Path(log).read_text())[1]
            for _ in range(5):
                with DIRECT.open(f"http://127.0.0.1:{port}/", timeout=10) as answer:
                    eq(answer.read(), b"hello from wasm\n")
        finally:
            forward.terminate()
            forward.wait()


@case
def files_are_copied_by_a_tar_of_wasm(bed):
    run_pod(bed, "copied", "sleep", "3600")
    try:
        wait_ready(bed, "copied")
        source, back = pathlib.Path(bed.path("source")), pathlib.Path(bed.path("back"))
        (source / "deep").mkdir(parents=True)
        (source / "deep" / "text").write_text("some text\n")
        (source / "bytes").write_bytes(bytes(range(256)) * 4000)
        bed.kubectl("cp", source, "copied:/tmp/there")
        eq(output(bed, "copied", "/worker.wasm", "cat", "/tmp/there/deep/text"), "some text\n")
        bed.kubectl("cp", "copied:/tmp/there", back)
        for name in ("deep/text", "bytes"):
            eq((back / name).read_bytes() == (source / name).read_bytes(), True, name)
    finally:
        bed.kubectl("delete", "pod", "copied")


@case
def attach_reaches_a_running_guest(bed):
    bed.kubectl("run", "attached", "--image=wherry.local/worker:1", "--image-pull-policy=Never",
                "--restart=Never", "--stdin", "--quiet", "--attach=false",
                '--overrides={"spec": {"runtimeClassName": "wherry"}}', "--", "echo")
    try:
        wait_ready(bed, "attached")
        said = bed.kubectl("attach", "-i", "-q", "attached", stdin=b"to the guest\n", timeout=30).out
        has(said, "to the guest\n")
    finally:
        bed.kubectl("delete", "pod", "attached")
