"""Sockets of guests: listening ones that wherry makes for them (the annotation dev.wherry/listen in
containers, --tcplisten and socket activation without), and their own, by the socket extension. Everything
listens in network namespaces of the tests' own."""

import os
import re
import shutil
import socket
import subprocess
import sys

from harness import ROOT, Skip, eq, has, main, read, test, true, wait_until
from wasm_modules import ANY_GUEST, SOCKETS, allow_only, bundle_of, guest, needs_programs

REQUESTS = 10000
# No more than a bound: Go's library is a minute's work for a core of its own.
COMPILE_SECONDS = 1800
GO_SERVER = os.path.join(ROOT, "build", "guests", "httpd-go.wasm")


def server(box):
    return guest(box, "httpd")


def started(box, listen, args=(), change=None, module=None):
    """A container of the server that listens; the pid of its first process."""
    def configure(config):
        if listen:
            config["annotations"] = {"dev.wherry/listen": listen}
        if change:
            change(config)
    needs_programs()
    with open(module or server(box), "rb") as file:
        content = file.read()
    bundle = bundle_of(box, content, ("/app.wasm", *args), configure)
    # Ahead, so that nothing waits for the container while its module is compiled.
    box.ok("compile", "--quiet", os.path.join(bundle, "rootfs/app.wasm"), timeout=COMPILE_SECONDS)
    done = box.create(bundle, check=None)
    if done.status != 0:
        return done
    out = box.path(f"out{box.calls}")
    box.ok("start", "c1")
    wait_until(lambda: "listening" in read(out), "the server listens", 120)
    return box.state_of()["pid"]


def inside(pid, *command, **kwargs):
    """Runs a program of the host in the container's network namespace."""
    return subprocess.run(["nsenter", "-t", str(pid), "-n", *command], text=True, timeout=120,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kwargs)


def get(pid, url, *options):
    script = "import sys, urllib.request as r; print(r.urlopen(sys.argv[1], timeout=20).read().decode(), end='')"
    return inside(pid, sys.executable, "-c", script, url, *options).stdout


def load(pid, url, connections, keep_alive=True):
    """ab's own account: every request complete, none failed, all of them 200."""
    if not shutil.which("ab"):
        raise Skip("needs apache2-utils")
    words = ["ab", "-q", "-r", "-n", str(REQUESTS), "-c", str(connections)]
    done = inside(pid, *words, *(["-k"] if keep_alive else []), url)
    eq(done.returncode, 0, done.stdout)
    for line in (rf"Complete requests: +{REQUESTS}\n", r"Failed requests: +0\n"):
        true(re.search(line, done.stdout), done.stdout)
    true("Non-2xx" not in done.stdout, done.stdout)


# --- containers ------------------------------------------------------------------------------------

@test
def a_c_server_answers_ten_thousand_requests(box):
    pid = started(box, "tcp:8080")
    load(pid, "http://127.0.0.1:8080/", 16)


@test
def ten_thousand_connections_of_one_request_each(box):
    pid = started(box, "tcp:127.0.0.1:8080")
    load(pid, "http://127.0.0.1:8080/", 16, keep_alive=False)


@test
def a_go_server_answers_ten_thousand_requests(box):
    if not os.path.exists(GO_SERVER):
        raise Skip("no build/guests/httpd-go.wasm: make -C test/guests go")
    pid = started(box, "tcp:8080", module=GO_SERVER)
    eq(get(pid, "http://127.0.0.1:8080/"), "hello\n")
    load(pid, "http://127.0.0.1:8080/", 16)
    eq(len(get(pid, "http://127.0.0.1:8080/bytes/3000000")), 3000000)


@test
def a_port_below_1024_is_bound_before_rights_are_given_up(box):
    def unprivileged(config):
        config["process"]["user"] = {"uid": 1000, "gid": 1000}
        config["process"]["capabilities"] = {}
    pid = started(box, "tcp:80", change=unprivileged)
    eq(get(pid, "http://127.0.0.1:80/"), "hello\n")
    eq(get(pid, "http://[::1]:80/"), "hello\n")
    has(read(f"/proc/{pid}/status"), "\nUid:\t1000\t")


@test
def several_listeners_have_their_order(box):
    pid = started(box, "tcp:127.0.0.1:8081, tcp:[::1]:8082,unix:/tmp/app.sock")
    eq(get(pid, "http://127.0.0.1:8081/"), "hello\n")
    eq(get(pid, "http://[::1]:8082/"), "hello\n")
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(box.path("bundle1", "rootfs/tmp/app.sock"))
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        has(client.recv(4096), b"hello")


@test
def directories_behind_the_sockets_are_found(box):
    pid = started(box, "tcp:8080", ["/etc/greeting"],
                  lambda config: greet(box.path("bundle1", "rootfs/etc")))
    eq(get(pid, "http://127.0.0.1:8080/"), "greetings\n")


def greet(directory):
    with open(os.path.join(directory, "greeting"), "w") as file:
        file.write("greetings\n")


@test
def the_sockets_are_in_the_containers_network_alone(box):
    started(box, "tcp:18080")
    with socket.socket() as client:
        true(client.connect_ex(("127.0.0.1", 18080)) != 0, "reached from the host's network")


@test
def what_is_no_address_is_named_with_its_annotation(box):
    for listen in ("tcp:99999", "tcp:8080,udp:53", "unix:relative"):
        done = started(box, listen)
        has(str(done.errors()), "annotation dev.wherry/listen")
        has(str(done.errors()), listen.split(",")[-1])
        eq(box.containers(), [])


@test
def a_port_that_is_taken_is_named(box):
    done = started(box, "tcp:8080,tcp:8080")
    for word in ("dev.wherry/listen", "tcp:8080", "bind", "address already in use"):
        has(str(done.errors()), word)


@test
def a_unix_socket_cannot_leave_the_root(box):
    def link(config):
        os.symlink(box.directory, box.path("bundle1", "rootfs/outside"))
    done = started(box, "unix:/outside/escaped.sock", change=link)
    has(str(done.errors()), "dev.wherry/listen")
    true(not os.path.exists(box.path("escaped.sock")), "made on the host")


@test
def exec_opens_no_listeners(box):
    pid = started(box, "tcp:8080")
    done = box.call("exec", "c1", "/app.wasm")
    eq(done.status, 1, repr(done))
    has(done.err, "no listening sockets")
    eq(get(pid, "http://127.0.0.1:8080/"), "hello\n")


# --- without containers ----------------------------------------------------------------------------

def direct(box, *options, before=""):
    """`wherry wasm run` of the server in a new network namespace; the pid of its process."""
    needs_programs()
    path = server(box)
    words = box.command("wasm", "run", "--quiet", *options, path)
    script = f"ip link set lo up; {before} exec \"$@\""
    guest = subprocess.Popen(["unshare", "-n", "sh", "-c", script, "sh", *words],
                             stdout=subprocess.PIPE, text=True)
    eq(guest.stdout.readline(), "listening\n")
    return guest


def stop(guest):
    guest.terminate()
    guest.wait(10)
    guest.stdout.close()


@test
def tcplisten_gives_listeners_without_a_container(box):
    guest = direct(box, "--tcplisten", "127.0.0.1:8080", "--tcplisten", "[::1]:8081")
    try:
        eq(get(guest.pid, "http://127.0.0.1:8080/"), "hello\n")
        eq(get(guest.pid, "http://[::1]:8081/"), "hello\n")
    finally:
        stop(guest)


@test
def sockets_of_systemd_are_the_first(box):
    here = box.path("activated.sock")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(here)
    listener.listen(16)
    there = os.dup2(listener.fileno(), 200)
    words = box.command("wasm", "run", "--quiet", server(box))
    script = "exec 3<&200 200<&-; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$@\""
    guest = subprocess.Popen(["bash", "-c", script, "bash", *words], pass_fds=(there,),
                             stdout=subprocess.PIPE, text=True)
    os.close(there)
    try:
        eq(guest.stdout.readline(), "listening\n")
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20)
            client.connect(here)
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            has(client.recv(4096), b"hello")
    finally:
        stop(guest)
        listener.close()


@test
def sockets_meant_for_another_process_are_left_alone(box):
    needs_programs()
    done = box.call("wasm", "run", "--quiet", server(box),
                    env=dict(os.environ, LISTEN_FDS="1", LISTEN_PID="1"))
    eq(done.status, 1, repr(done))
    has(done.err, "no listening sockets")


@test
def a_wrong_tcplisten_is_named(box):
    needs_programs()
    done = box.call("wasm", "run", "--tcplisten", "localhost:80", server(box))
    eq(done.status, 1, repr(done))
    has(str(done.errors()) + done.err, "--tcplisten")


# --- sockets of the guest's own --------------------------------------------------------------------

WENT_WELL = "ipv4 streams\nipv6 streams\nipv4 datagrams\nipv6 datagrams\nunix sockets\n"
ACCES, CONNREFUSED, FAULTLESS = "errno 2\n", "errno 14\n", "errno 0\n"


def in_container(box, args, rules=None, change=None):
    """The guest `sockets` as a container with the annotation."""
    def configure(config):
        if rules is not None:
            config["annotations"] = {"dev.wherry/sockets": rules}
        if change:
            change(config)
    needs_programs()
    with open(guest(box, "sockets"), "rb") as file:
        bundle = bundle_of(box, file.read(), ("/app.wasm", *args), configure)
    return box.run(bundle, f"c{box.calls}", check=None)


@test
def every_function_of_the_extension_works_in_a_container(box):
    done = in_container(box, [])
    eq((done.out, done.status), (WENT_WELL, 0), repr(done))


def own_server(box):
    return guest(box, "httpd", "-DSOCKET_EXTENSION")


@test
def a_server_with_a_socket_of_its_own_answers_ten_thousand_requests(box):
    pid = started(box, None, module=own_server(box))
    eq(get(pid, "http://127.0.0.1:8080/"), "hello\n")
    load(pid, "http://127.0.0.1:8080/", 16)


@test
def ten_thousand_connections_to_a_socket_of_its_own(box):
    pid = started(box, None, module=own_server(box))
    load(pid, "http://127.0.0.1:8080/", 16, keep_alive=False)


@test
def the_extension_needs_no_rights(box):
    def unprivileged(config):
        config["process"]["user"] = {"uid": 1000, "gid": 1000}
        config["process"]["capabilities"] = {}
        os.chmod(box.path("bundle1", "rootfs/tmp"), 0o1777)
    done = in_container(box, [], change=unprivileged)
    eq((done.out, done.status), (WENT_WELL, 0), repr(done))


@test
def a_filter_that_allows_what_sockets_need_is_enough(box):
    done = in_container(box, [], change=allow_only(ANY_GUEST + SOCKETS))
    eq((done.out, done.status), (WENT_WELL, 0), repr(done))


@test
def a_filter_without_sockets_is_an_error_of_the_guests(box):
    done = in_container(box, ["open", "1", "2", "0"], change=allow_only(ANY_GUEST))
    eq((done.out, done.status), ("errno 63\n", 0), repr(done))  # PERM, as the filter says


@test
def a_server_under_a_filter_answers_ten_thousand_requests(box):
    pid = started(box, None, module=own_server(box), change=allow_only(ANY_GUEST + SOCKETS))
    load(pid, "http://127.0.0.1:8080/", 16)
    has(read(f"/proc/{pid}/status"), "\nSeccomp:\t2\n")


@test
def rules_of_the_annotation_hold(box):
    eq(in_container(box, ["connect", "1", "2", "9", "127.0.0.1"]).out, CONNREFUSED)
    for rules, args, wanted in (
            ("deny 127.0.0.0/8", ["connect", "1", "2", "9", "127.0.0.1"], ACCES),
            ("deny 127.0.0.0/8", ["connect", "1", "2", "9", "0.0.0.0"], ACCES),
            ("deny 127.0.0.0/8", ["connect", "2", "2", "9"], CONNREFUSED),
            ("deny udp", ["send", "1", "1", "9", "127.0.0.1"], ACCES),
            ("deny tcp", ["send", "1", "1", "9", "127.0.0.1"], FAULTLESS),
            ("allow bind port 8080, deny bind", ["bind", "1", "2", "8080", "127.0.0.1"], FAULTLESS),
            ("allow bind port 8080, deny bind", ["bind", "1", "2", "8081", "127.0.0.1"], ACCES),
            ("deny unix", ["bind", "3", "2", "/tmp/a.sock"], ACCES),
            ("none", ["open", "1", "2", "0"], ACCES)):
        done = in_container(box, args, rules)
        eq(done.out, wanted, f"{rules}: {args}: {done!r}")


@test
def rules_that_are_not_understood_fail_create(box):
    done = in_container(box, [], "deny connect, deny 10.0.0.0/33")
    for word in ("annotation dev.wherry/sockets", "deny 10.0.0.0/33"):
        has(str(done.errors()), word)
    eq(box.containers(), [])


@test
def a_unix_socket_of_the_guest_is_in_its_root_alone(box):
    def link(config):
        os.symlink(box.directory, box.path(f"bundle{box.bundles}", "rootfs/outside"))
    eq(in_container(box, ["bind", "3", "2", "/outside/escaped.sock"], change=link).out, "errno 44\n")
    true(not os.path.exists(box.path("escaped.sock")), "made on the host")


@test
def outside_of_containers_sockets_are_asked_for(box):
    needs_programs()
    module = guest(box, "sockets")
    attempt = ["connect", "1", "2", "9", "127.0.0.1"]
    eq(box.ok("wasm", "run", "--quiet", module, *attempt).out, ACCES)
    eq(box.ok("wasm", "run", "--quiet", "--net", module, *attempt).out, CONNREFUSED)
    eq(box.ok("wasm", "run", "--quiet", "--sockets", "deny port 9", module, *attempt).out, ACCES)
    done = box.ok("wasm", "run", "--quiet", "--net", "--dir", box.directory + "::/tmp", module)
    eq(done.out, WENT_WELL, repr(done))


@test
def an_import_of_a_type_that_no_form_has_is_named(box):
    text = """(module (import "wasi_snapshot_preview1" "sock_accept" (func (param i32) (result i32)))
      (memory (export "memory") 1) (func (export "_start")))"""
    if not shutil.which("wat2wasm"):
        raise Skip("needs wabt")
    done = subprocess.run(["wat2wasm", "-", "--output=-"], input=text.encode(), check=True,
                          capture_output=True)
    with open(box.path("odd.wasm"), "wb") as file:
        file.write(done.stdout)
    done = box.call("wasm", "run", "--quiet", box.path("odd.wasm"))
    has(done.err, "incompatible import type: wasi_snapshot_preview1.sock_accept")
    eq(done.status, 1)


if __name__ == "__main__":
    sys.exit(main())
