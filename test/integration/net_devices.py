"""linux.netDevices: devices of the host that become a container's. The host's side is a network namespace
of the test's own, and the devices are ends of veth pairs."""

import json
import os
import subprocess
import sys

from harness import Skip, eq, has, main, only_wherry, test, true


def ip(*words):
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout


def addresses(pid, name):
    """As (address, prefix length, scope), those that the kernel makes by itself left out."""
    text = subprocess.run(["nsenter", "--net=/proc/%d/ns/net" % pid, "ip", "-json", "address", "show",
                           "dev", name], check=True, capture_output=True, text=True).stdout
    found = [each for each in json.loads(text) if each][0]
    listed = [(each["local"], each["prefixlen"]) for each in found["addr_info"]
              if each["scope"] == "global"]
    return sorted(listed), "UP" in found["flags"], found["mtu"]


def with_pair(function):
    def wrapped(box):
        only_wherry("runc 1.1 has no netDevices")
        try:
            ip("link", "add", "it0", "type", "veth", "peer", "name", "it1")
        except (OSError, subprocess.CalledProcessError):
            raise Skip("this kernel has no veth") from None
        try:
            function(box)
        finally:
            for name in ("it0", "it1"):
                subprocess.run(["ip", "link", "delete", name], stderr=subprocess.DEVNULL)
    wrapped.__name__ = function.__name__
    return test(wrapped)


def devices(wanted):
    def change(config):
        config["linux"]["netDevices"] = wanted
    return change


def running(box, wanted, change=None):
    def both(config):
        devices(wanted)(config)
        if change:
            change(config)
    box.create(box.bundle(["sleep", "100"], both))
    box.ok("start", "c1")
    return box.state_of()["pid"]


@with_pair
def it_moves_with_its_addresses_and_comes_up(box):
    ip("address", "add", "10.7.0.2/24", "dev", "it0")
    ip("address", "add", "fd07::2/64", "dev", "it0", "nodad")
    ip("address", "add", "169.254.9.9/16", "dev", "it0", "scope", "link")
    ip("link", "set", "it0", "mtu", "1400")
    pid = running(box, {"it0": {}})
    eq(addresses(pid, "it0"), ([("10.7.0.2", 24), ("fd07::2", 64)], True, 1400))
    true("it0" not in ip("-brief", "link"), "the host has it no more")


@with_pair
def traffic_passes(box):
    ip("address", "add", "10.7.0.2/24", "dev", "it0")
    running(box, {"it0": {}})
    ip("address", "add", "10.7.0.1/24", "dev", "it1")
    ip("link", "set", "it1", "up")
    answer = subprocess.run(["busybox", "ping", "-c", "1", "-W", "5", "10.7.0.2"], capture_output=True,
                            text=True)
    has(answer.stdout, "1 packets received", repr(answer))


@with_pair
def it_gets_the_name_that_is_asked_for(box):
    ip("address", "add", "10.7.0.2/24", "dev", "it0", "label", "it0:x")
    pid = running(box, {"it0": {"name": "eth0"}})
    eq(addresses(pid, "eth0")[:2], ([("10.7.0.2", 24)], True))


@with_pair
def a_name_may_be_a_template(box):
    ip("address", "add", "10.7.0.2/24", "dev", "it0")
    pid = running(box, {"it0": {"name": "net%d"}})
    eq(addresses(pid, "net0")[:2], ([("10.7.0.2", 24)], True))


@with_pair
def two_devices_move(box):
    pid = running(box, {"it0": {"name": "one"}, "it1": {"name": "two"}})
    for name in ("one", "two"):
        true(addresses(pid, name)[1], name + " is up")


@with_pair
def a_user_namespace_gets_it_too(box):
    def change(config):
        config["linux"]["namespaces"].append({"type": "user"})
        config["linux"]["uidMappings"] = config["linux"]["gidMappings"] = [
            {"containerID": 0, "hostID": 100000, "size": 65536}]

    ip("address", "add", "10.7.0.2/24", "dev", "it0")
    pid = running(box, {"it0": {"name": "eth0"}}, change)
    eq(addresses(pid, "eth0")[:2], ([("10.7.0.2", 24)], True))


@with_pair
def a_namespace_that_is_joined_gets_it(box):
    box.create(box.bundle(["sleep", "100"]), "other")
    path = f"/proc/{box.state_of('other')['pid']}/ns/net"

    def change(config):
        for each in config["linux"]["namespaces"]:
            if each["type"] == "network":
                each["path"] = path

    pid = running(box, {"it0": {"name": "eth0"}}, change)
    true(addresses(pid, "eth0")[1], "it is up")


@with_pair
def what_cannot_move_is_named_and_stays(box):
    before = ip("-brief", "link")
    for wanted, words in (({"nosuch0": {}}, "nosuch0"), ({"it0": {"name": "lo"}}, "file exists"),
                          ({"it0": {"name": "x"}, "it1": {"name": "x"}}, "file exists"),
                          ({"it0": {"name": "a/b"}}, "invalid network device name")):
        result = box.run(box.bundle(["true"], devices(wanted)))
        eq(result.status, 1)
        has(result.errors()[-1].lower(), words.lower())
        eq(ip("-brief", "link"), before)


if __name__ == "__main__":
    if os.geteuid() != 0 or "WHERRY_IT_NET" in os.environ:
        sys.exit(main())
    os.environ["WHERRY_IT_NET"] = "1"
    os.execvp("unshare", ["unshare", "--net", sys.executable, *sys.argv])
