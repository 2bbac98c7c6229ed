"""How guests resolve names: in containers made from scratch, whose roots hold the module, /etc/hosts and
/etc/resolv.conf and nothing else, against a DNS server in the container's network namespace."""

import os
import subprocess
import sys

from harness import eq, main, read, test
from wasm_modules import ANY_GUEST, NAMES, SOCKETS, allow_only, guest, needs_programs

HERE = os.path.dirname(os.path.abspath(__file__))
RESOLV = "nameserver 127.0.0.1\nsearch example.test\noptions timeout:1 attempts:2\n"
HOSTS = "127.0.0.1 localhost\n10.8.0.1 db.internal db\nfd88::1 db\n"
AGAIN, NO_DATA, NO_NAME, ACCES = ("errno 78\n", "errno 83\n", "errno 84\n", "errno 2\n")


def from_scratch(box, args, change=None, resolv=RESOLV):
    """A bundle without any file of a distribution."""
    needs_programs()
    module = guest(box, "lookup")
    bundle = box.bundle(["/app.wasm", *args], change, rootfs=False)
    os.makedirs(os.path.join(bundle, "rootfs/etc"))
    for name, text in (("hosts", HOSTS), ("resolv.conf", resolv)):
        with open(os.path.join(bundle, "rootfs/etc", name), "w") as file:
            file.write(text)
    os.link(module, os.path.join(bundle, "rootfs/app.wasm"))
    return bundle


def look_up(box, *args, change=None, resolv=RESOLV, serve=True):
    """What the guest prints, and what the server was asked."""
    bundle = from_scratch(box, args, change, resolv)
    name, log = f"c{box.calls}", box.path(f"dns{box.calls}")
    with open(log, "w"):
        pass
    created = box.create(bundle, name)
    out = box.path(f"out{box.calls}")
    eq(created.status, 0, repr(created))
    pid = box.state_of(name)["pid"]
    server = None
    if serve:
        server = subprocess.Popen(["nsenter", "-t", str(pid), "-n", sys.executable,
                                   os.path.join(HERE, "dns_server.py"), log],
                                  stdout=subprocess.PIPE, text=True)
        eq(server.stdout.readline(), "ready\n")
    try:
        box.ok("start", name)
        box.wait_status("stopped", name)
    finally:
        if server:
            server.kill()
            server.wait()
            server.stdout.close()
    return read(out), read(log).splitlines()


@test
def a_name_has_its_addresses_of_both_families(box):
    printed, asked = look_up(box, "0", "www.example.test", "443")
    # There is no route to either in a network namespace with a loopback device alone.
    eq(printed, "fd99:0:0:0:0:0:0:1 port 443\n10.9.0.1 port 443\nis www.example.test\n")
    eq(sorted(asked), ["udp www.example.test A", "udp www.example.test AAAA"])


@test
def of_one_family_when_that_is_asked_for(box):
    printed, asked = look_up(box, "4", "www.example.test", "https")
    eq(printed, "10.9.0.1 port 443\nis www.example.test\n")
    eq(asked, ["udp www.example.test A"])


@test
def search_domains_complete_a_name(box):
    printed, asked = look_up(box, "4", "www", "80")
    eq(printed, "10.9.0.1 port 80\nis www.example.test\n")
    eq(asked, ["udp www.example.test A"])


@test
def an_alias_leads_to_the_canonical_name(box):
    printed, _ = look_up(box, "4", "alias.example.test", "80")
    eq(printed, "10.9.0.4 port 80\nis four.example.test\n")


@test
def an_answer_that_was_cut_is_asked_for_by_tcp(box):
    printed, asked = look_up(box, "4", "many.example.test", "80")
    eq(printed, "".join(f"10.9.1.{n} port 80\n" for n in range(1, 9)) + "is many.example.test\n")
    eq(asked, ["udp many.example.test A", "tcp many.example.test A"])


@test
def the_hosts_file_comes_first(box):
    printed, asked = look_up(box, "4", "DB", "5432", serve=False)
    eq(printed, "10.8.0.1 port 5432\nis db.internal\n")
    printed, asked = look_up(box, "6", "db", "5432", serve=False)
    eq(printed, "fd88:0:0:0:0:0:0:1 port 5432\nis db\n")
    eq(asked, [])


@test
def what_cannot_be_resolved_has_its_reason(box):
    for name, wanted in (("nowhere.example.test", NO_NAME), ("broken.example.test", AGAIN)):
        eq(look_up(box, "0", name, "80")[0], wanted, name)
    eq(look_up(box, "6", "four.example.test", "80")[0], NO_DATA)


@test
def a_server_that_is_silent_is_not_waited_for_without_end(box):
    printed, asked = look_up(box, "4", "silent.example.test.", "80")
    eq(printed, AGAIN)
    eq(asked, ["udp silent.example.test A"] * 2)


@test
def without_a_server_there_is_an_error(box):
    eq(look_up(box, "4", "www.example.test", "80", serve=False)[0], AGAIN)


@test
def a_second_server_is_asked_when_the_first_is_gone(box):
    printed, _ = look_up(box, "4", "www.example.test", "80",
                         resolv="nameserver 127.0.0.77\n" + RESOLV)
    eq(printed, "10.9.0.1 port 80\nis www.example.test\n")


@test
def what_only_looks_like_a_file_is_passed_over(box):
    bundle = from_scratch(box, ("4", "www.example.test", "http"))
    os.mkfifo(os.path.join(bundle, "rootfs/etc/services"))
    os.unlink(os.path.join(bundle, "rootfs/etc/hosts"))
    os.mkfifo(os.path.join(bundle, "rootfs/etc/hosts"))
    done = box.run(bundle, "c1", check=None)
    eq((done.out, done.status), (AGAIN, 0), repr(done))


@test
def a_filter_that_allows_what_names_need_is_enough(box):
    change = allow_only(ANY_GUEST + SOCKETS + NAMES)
    eq(look_up(box, "4", "many.example.test", "80", change=change)[0].count("\n"), 9)


@test
def resolving_can_be_denied(box):
    def deny(config):
        config["annotations"] = {"dev.wherry/sockets": "deny resolve"}
    printed, asked = look_up(box, "4", "www.example.test", "80", change=deny)
    eq((printed, asked), (ACCES, []))
    eq(look_up(box, "4", "10.1.2.3", "80", change=deny)[0], "10.1.2.3 port 80\nis 10.1.2.3\n")


if __name__ == "__main__":
    sys.exit(main())
