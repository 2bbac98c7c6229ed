"""systemd's manager as far as a container runtime asks it, on a D-Bus socket of its own, for hosts where
PID 1 is something else. It knows nothing of the client's code: what it reads and writes is the D-Bus
specification 0.41 (little-endian) and org.freedesktop.systemd1(5). Scopes are real cgroups, in the
hierarchies in which systemd itself makes them."""

import os
import signal
import socket
import struct
import threading
import time

CGROUP = "/sys/fs/cgroup"
CALL, REPLY, ERROR, SIGNAL = 1, 2, 3, 4
MANAGER = "org.freedesktop.systemd1.Manager"
ALIGNMENT = {"y": 1, "b": 4, "n": 2, "q": 2, "i": 4, "u": 4, "x": 8, "t": 8, "d": 8, "s": 4, "o": 4,
             "g": 1, "a": 4, "(": 8, "{": 8, "v": 1}
NUMBERS = {"y": "<B", "b": "<I", "n": "<h", "q": "<H", "i": "<i", "u": "<I", "x": "<q", "t": "<Q",
           "d": "<d"}


def split_type(signature):
    """The first complete type, and the rest."""
    if signature[0] == "a":
        inner, rest = split_type(signature[1:])
        return "a" + inner, rest
    if signature[0] not in "({":
        return signature[0], signature[1:]
    depth = 0
    for at, char in enumerate(signature):
        depth += (char in "({") - (char in ")}")
        if depth == 0:
            return signature[:at + 1], signature[at + 1:]
    raise ValueError(signature)


def types(signature):
    while signature:
        one, signature = split_type(signature)
        yield one


class Reader:
    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def align(self, size):
        end = (self.at + size - 1) // size * size
        if any(self.data[self.at:end]):
            raise ValueError(f"padding at {self.at} is not zero")
        self.at = end

    def text(self, size):
        out = self.data[self.at:self.at + size]
        if len(out) != size or self.data[self.at + size] != 0 or 0 in out:
            raise ValueError(f"no string at {self.at}")
        self.at += size + 1
        return out.decode()

    def value(self, kind):
        first = kind[0]
        self.align(ALIGNMENT[first])
        if first in NUMBERS:
            out, = struct.unpack_from(NUMBERS[first], self.data, self.at)
            self.at += struct.calcsize(NUMBERS[first])
            if first == "b" and out > 1:
                raise ValueError("a boolean of " + str(out))
            return bool(out) if first == "b" else out
        if first in "so":
            return self.text(self.value("u"))
        if first == "g":
            return self.text(self.value("y"))
        if first == "v":
            return self.value(self.value("g"))
        if first in "({":
            return tuple(self.value(each) for each in types(kind[1:-1]))
        size = self.value("u")
        self.align(ALIGNMENT[kind[1]])
        end, out = self.at + size, []
        while self.at < end:
            out.append(self.value(kind[1:]))
        if self.at != end:
            raise ValueError("an array that does not end with an element")
        return out

    def values(self, signature):
        return [self.value(each) for each in types(signature)]


def pack(kind, value, out):
    """Appends to the bytearray `out`, of which the start is aligned."""
    first = kind[0]
    out += bytes(-len(out) % ALIGNMENT[first])
    if first in NUMBERS:
        out += struct.pack(NUMBERS[first], value)
    elif first in "so":
        out += struct.pack("<I", len(value)) + value.encode() + b"\0"
    elif first == "g":
        out += bytes([len(value)]) + value.encode() + b"\0"
    elif first == "v":
        pack("g", value[0], out)
        pack(value[0], value[1], out)
    elif first == "(":
        for each, part in zip(types(kind[1:-1]), value):
            pack(each, part, out)
    else:
        at = len(out)
        out += bytes(4)
        out += bytes(-len(out) % ALIGNMENT[kind[1]])
        begin = len(out)
        for each in value:
            pack(kind[1:], each, out)
        struct.pack_into("<I", out, at, len(out) - begin)


def message(kind, serial, fields, signature="", *values):
    body = bytearray()
    for each, value in zip(types(signature), values):
        pack(each, value, body)
    if signature:
        fields = [*fields, (8, ("g", signature))]
    out = bytearray(struct.pack("<cBBBII", b"l", kind, 0, 1, len(body), serial))
    pack("a(yv)", fields, out)
    out += bytes(-len(out) % 8)
    return bytes(out + body)


class Refusal(Exception):
    def __init__(self, name, text):
        super().__init__(text)
        self.name = name


def slice_path(name):
    """systemd.slice(5): "a-b.slice" is in "a.slice"."""
    if name == "-.slice":
        return ""
    parts = name.removesuffix(".slice").split("-")
    return "".join("/" + "-".join(parts[:end + 1]) + ".slice" for end in range(len(parts)))


def tops():
    """Where systemd makes the cgroups of units."""
    if os.path.exists(f"{CGROUP}/cgroup.controllers"):
        return [CGROUP]
    return [path for path in (f"{CGROUP}/systemd", f"{CGROUP}/unified") if os.path.isdir(path)]


class Unit:
    def __init__(self, path, properties):
        self.path, self.properties, self.failed = path, properties, False

    def directories(self):
        return [top + self.path for top in tops()]

    def add(self, pids, below=""):
        for directory in self.directories():
            os.makedirs(directory + below, exist_ok=True)
            for pid in pids:
                with open(directory + below + "/cgroup.procs", "w") as file:
                    file.write(str(pid))

    def pids(self):
        try:
            with open(self.directories()[0] + "/cgroup.procs") as file:
                return [int(pid) for pid in file.read().split()]
        except OSError:
            return []

    def remove(self):
        for pid in self.pids():
            os.kill(pid, signal.SIGKILL)
        for directory in self.directories():
            for _ in range(100):
                try:
                    os.rmdir(directory)
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.02)
                    continue
                break


class FakeSystemd:
    """Serves until close(). `units` and `calls` are for tests to read; `job_result` and `holds_jobs`
    for them to set."""

    def __init__(self, path, is_bus=True, version="252.39-1~deb12u1", control_group=""):
        self.version, self.control_group, self.is_bus = version, control_group, is_bus
        self.units, self.calls, self.troubles = {}, [], []
        self.job_result, self.holds_jobs = "done", False
        self.jobs = 0
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(path)
        self.listener.listen(8)
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for unit in self.units.values():
            unit.remove()

    def accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        try:
            with peer, peer.makefile("rb") as stream:
                self.authenticate(peer, stream)
                while self.answer(peer, stream):
                    pass
        except Exception as trouble:  # what a client must not send fails the test
            self.troubles.append(repr(trouble))

    @staticmethod
    def authenticate(peer, stream):
        if stream.read(1) != b"\0":
            raise ValueError("no zero byte first")
        while (line := stream.readline()) != b"BEGIN\r\n":
            if line.startswith(b"AUTH EXTERNAL"):
                peer.sendall(b"DATA\r\n" if line.strip() == b"AUTH EXTERNAL" else b"OK 0123\r\n")
            elif line.startswith(b"DATA"):
                peer.sendall(b"OK 0123456789abcdef\r\n")
            else:
                raise ValueError(f"authentication: {line!r}")

    def answer(self, peer, stream):
        head = stream.read(16)
        if not head:
            return False
        order, kind, _, version, size, serial, fields_size = struct.unpack("<cBBBIII", head)
        if (order, kind, version) != (b"l", CALL, 1) or serial == 0:
            raise ValueError(f"header {head!r}")
        rest = stream.read((fields_size + 7) // 8 * 8)
        fields = dict(Reader(head + rest, 12).value("a(yv)"))
        values = Reader(stream.read(size)).values(fields.get(8, ""))
        self.calls.append((fields[3], values))
        try:
            signature, result, job = self.call(fields, values)
        except Refusal as refusal:
            peer.sendall(message(ERROR, 1, [(4, ("s", refusal.name)), (5, ("u", serial))], "s",
                                 str(refusal)))
            return True
        answer = message(REPLY, 1, [(5, ("u", serial))], signature, *result)
        if job:  # the end of somebody else's job comes first
            answer = self.job_end("/job/0", "other.scope") + answer
            if not self.holds_jobs:
                answer += self.job_end(job, values[0])
        peer.sendall(answer)
        return True

    def job_end(self, job, unit):
        return message(SIGNAL, 2, [(1, ("o", "/org/freedesktop/systemd1")), (2, ("s", MANAGER)),
                                   (3, ("s", "JobRemoved"))], "uoss", 1, job, unit, self.job_result)

    def call(self, fields, values):
        member = fields[3]
        if fields[6] == "org.freedesktop.DBus":
            if not self.is_bus:
                raise Refusal("org.freedesktop.DBus.Error.UnknownObject", "no bus")
            return ("s", [":1.7"], None) if member == "Hello" else ("", [], None)
        if (fields[1], fields[6]) != ("/org/freedesktop/systemd1", "org.freedesktop.systemd1"):
            raise Refusal("org.freedesktop.DBus.Error.UnknownObject", str(fields))
        if member == "Get":
            text = {"Version": self.version, "ControlGroup": self.control_group}[values[1]]
            return "v", [("s", text)], None
        self.forget_the_dead()
        return getattr(self, "do_" + member)(*values)

    def forget_the_dead(self):
        for name, unit in list(self.units.items()):
            if not unit.pids() and not unit.failed:
                unit.remove()
                del self.units[name]

    def job(self):
        self.jobs += 1
        return "o", [f"/job/{self.jobs}"], f"/job/{self.jobs}"

    def find(self, name):
        if name not in self.units:
            raise Refusal("org.freedesktop.systemd1.NoSuchUnit", f"Unit {name} not loaded.")
        return self.units[name]

    def do_StartTransientUnit(self, name, mode, properties, auxiliary):
        if (mode, auxiliary) != ("replace", []):
            raise Refusal("org.freedesktop.DBus.Error.InvalidArgs", mode)
        if name in self.units:
            raise Refusal("org.freedesktop.systemd1.UnitExists", f"Unit {name} already exists.")
        properties = dict(properties)
        unit = Unit(self.control_group + slice_path(properties["Slice"]) + "/" + name, properties)
        unit.add(properties["PIDs"])
        self.units[name] = unit
        return self.job()

    def do_StopUnit(self, name, _):
        unit = self.find(name)
        unit.remove()
        if not unit.failed:
            del self.units[name]
        return self.job()

    def do_ResetFailedUnit(self, name):
        if self.find(name).failed:
            self.units.pop(name).remove()
        return "", [], None

    def do_SetUnitProperties(self, name, runtime, properties):
        if not runtime:
            raise Refusal("org.freedesktop.DBus.Error.InvalidArgs", "a transient unit for ever")
        self.find(name).properties.update(properties)
        return "", [], None

    def do_AttachProcessesToUnit(self, name, below, pids):
        self.find(name).add(pids, below)
        return "", [], None
