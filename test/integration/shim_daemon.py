"""A containerd of our own for tests of the shim: starts it in each of the dialects, calls it by ttrpc, takes its
events. docs/formats/shim-bootstrap.md and ttrpc.md are the sources; every byte is made here.
"""

import hashlib
import json
import os
import select
import shutil
import socket
import struct
import subprocess
import threading
import time

from harness import RUNTIME, eq, true

TASK_V2, TASK_V3 = "containerd.task.v2.Task", "containerd.task.v3.Task"
SANDBOX = "containerd.runtime.sandbox.v1.Sandbox"
EVENTS = "containerd.services.events.ttrpc.v1.Events"
PROCESS = "types.containerd.io/opencontainers/runtime-spec/1/Process"
RESOURCES = "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources"
CHECKPOINT = "containerd.runc.v1.CheckpointOptions"
OK, UNKNOWN, INVALID, NOT_FOUND, EXISTS, PRECONDITION, UNIMPLEMENTED = 0, 2, 3, 5, 6, 9, 12
PATIENCE = 30
SHIM = os.path.join(os.path.dirname(RUNTIME), "containerd-shim-wherry-v2")
SHARED_SOCKETS = "/run/containerd/s"


# --- protobuf ----------------------------------------------------------------------------------------

def varint(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def message(*fields):
    """(number, int | str | bytes | list of them) in the given order; empty values are left out."""
    out = b""
    for number, value in fields:
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, int):
                out += varint(number << 3) + varint(each) if each else b""
            elif each:
                each = each.encode() if isinstance(each, str) else each
                out += varint(number << 3 | 2) + varint(len(each)) + each
    return out


class Message(dict):
    """Decoded: {number: [int or bytes]}."""

    def __init__(self, data):
        super().__init__()
        at = 0

        def take():
            nonlocal at
            value = shift = 0
            while True:
                byte = data[at]
                at += 1
                value |= (byte & 0x7F) << shift
                shift += 7
                if byte < 0x80:
                    return value

        while at < len(data):
            tag = take()
            kind = tag & 7
            if kind == 0:
                value = take()
            elif kind == 2:
                size = take()
                value, at = bytes(data[at:at + size]), at + size
            elif kind == 1:
                value, at = struct.unpack_from("<Q", data, at)[0], at + 8
            else:
                raise AssertionError(f"wire type {kind} in {data!r}")
            self.setdefault(tag >> 3, []).append(value)
        if at != len(data):
            raise AssertionError(f"ends in a field: {data!r}")

    def number(self, field):
        return self.get(field, [0])[-1]

    def text(self, field):
        return self.get(field, [b""])[-1].decode()

    def inner(self, field):
        return Message(self.get(field, [b""])[-1])


def any_of(name, value):
    return message((1, name), (2, value))


# --- ttrpc -------------------------------------------------------------------------------------------

REQUEST, RESPONSE = 1, 2


def receive_all(stream, size):
    data = b""
    while len(data) < size:
        part = stream.recv(size - len(data))
        if not part:
            raise EOFError("the connection ends")
        data += part
    return data


def receive_frame(stream):
    """(stream id, type, flags, data)"""
    size, stream_id, kind, flags = struct.unpack(">IIBB", receive_all(stream, 10))
    return stream_id, kind, flags, receive_all(stream, size)


def send_frame(stream, stream_id, kind, data):
    stream.sendall(struct.pack(">IIBB", len(data), stream_id, kind, 0) + data)


class Refused(Exception):
    def __init__(self, code, text):
        super().__init__(f"{code}: {text}")
        self.code, self.text = code, text


class Client:
    """A connection to a shim. Answers may come in any order."""

    def __init__(self, path, service=TASK_V2, namespace="ns"):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(path)
        self.service, self.namespace = service, namespace
        self.next_stream, self.answers = 1, {}

    def send(self, method, payload=b"", service=None):
        stream = self.next_stream
        self.next_stream += 2
        metadata = message((1, "containerd-namespace-ttrpc"), (2, self.namespace))
        send_frame(self.socket, stream, REQUEST, message(
            (1, service or self.service), (2, method), (3, payload), (4, PATIENCE * 10**9), (5, metadata)))
        return stream

    def receive(self, stream):
        while stream not in self.answers:
            answered, kind, _, data = receive_frame(self.socket)
            if kind != RESPONSE:
                raise AssertionError(f"a frame of type {kind}")
            self.answers[answered] = Message(data)
        answer = self.answers.pop(stream)
        status = answer.inner(1)
        if status.number(1):
            raise Refused(status.number(1), status.text(2))
        return answer.inner(2)

    def call(self, method, payload=b"", service=None):
        return self.receive(self.send(method, payload, service))

    def has_answer(self, stream, seconds=0):
        while stream not in self.answers and select.select([self.socket], [], [], seconds)[0]:
            answered, _, _, data = receive_frame(self.socket)
            self.answers[answered] = Message(data)
        return stream in self.answers

    def close(self):
        self.socket.close()


class Events:
    """The daemon's events service: [(topic, namespace, event's type, event's bytes)], as they come."""

    def __init__(self, path):
        self.seen, self.path = [], path
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        self.connections = []
        self.changed = threading.Condition()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                stream, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(stream)
            threading.Thread(target=self._serve, args=(stream,), daemon=True).start()

    def _serve(self, stream):
        try:
            while True:
                stream_id, _, _, data = receive_frame(stream)
                request = Message(data)
                if (request.text(1), request.text(2)) != (EVENTS, "Forward"):
                    raise AssertionError(f"not an event: {request}")
                envelope = request.inner(3).inner(1)
                event = envelope.inner(4)
                if not envelope.inner(1).number(1):
                    raise AssertionError(f"an event without a time: {envelope}")
                with self.changed:
                    self.seen.append((envelope.text(3), envelope.text(2), event.text(1), event.get(2, [b""])[-1]))
                    self.changed.notify_all()
                send_frame(stream, stream_id, RESPONSE, b"")
        except (EOFError, OSError):
            return

    def topics(self):
        return [each[0].removeprefix("/tasks/") for each in self.seen]

    def wait(self, topic):
        with self.changed:
            if not self.changed.wait_for(lambda: topic in self.topics(), PATIENCE):
                raise AssertionError(f"no event {topic}, only {self.topics()}")

    def close(self):
        os.unlink(self.path)
        self.listener.close()
        for stream in self.connections:
            stream.close()


# --- the daemon --------------------------------------------------------------------------------------

class Dialect:
    """How a version of containerd speaks to `start`; `start()` gives (version, address) of its answer."""

    def __init__(self, name, service, bootstraps=False, environment=(), config=None):
        self.name, self.service, self.bootstraps = name, service, bootstraps
        self.environment = dict(environment)
        self.config = config  # the handler's options: (type, bytes)

    def input(self, daemon, container):
        options = any_of(*self.config) if self.config else b""
        if not self.bootstraps:
            return options
        return message(
            (1, container), (2, daemon.namespace), (4, "2.4.2"), (5, daemon.events_path), (6, daemon.address),
            (7, "/usr/bin/containerd"), (8, message((1, options)) if options else b""), (9, daemon.sockets))


class Daemon:
    """Bundles, sockets and events of one containerd in a box (harness.py)."""

    def __init__(self, box, dialect):
        self.box, self.dialect = box, dialect
        self.namespace = "ns"
        self.address = box.path("containerd.sock")
        self.events_path = self.address + ".ttrpc"
        self.events = Events(self.events_path)
        # Dialects before 2.3 have one directory for all; the box's own is told apart by the digest.
        self.sockets = box.path("s")

    def environment(self):
        out = {"PATH": os.environ["PATH"], "TTRPC_ADDRESS": self.events_path, "GOMAXPROCS": "2",
               "WHERRY_CACHE_DIR": self.box.path("cache"), **self.dialect.environment}
        if self.dialect.bootstraps:  # what is said on standard input stands above it
            out["TTRPC_ADDRESS"] = self.box.path("nobody")
        if self.dialect.name != "1.6":
            out |= {"MAX_SHIM_VERSION": "2", "GRPC_ADDRESS": self.address, "NAMESPACE": self.namespace}
        return out

    def action(self, bundle, container, *words, stdin=b"", timeout=PATIENCE):
        """(status, everything printed), as containerd sees it: one text of both outputs."""
        command = [SHIM, "-namespace", self.namespace, "-address", self.address, "-publish-binary",
                   "/usr/bin/containerd", "-id", container, *words]
        done = subprocess.run(command, cwd=bundle, env=self.environment(), input=stdin, timeout=timeout,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, process_group=0)
        return done.returncode, done.stdout

    def bundle(self, container, args, change=None):
        """As containerd makes it: config.json, an empty rootfs, the FIFO `log`. (bundle, mounts of Create)"""
        made = self.box.bundle(args, change=change)
        bundle = self.box.path(container)
        os.rename(made, bundle)
        os.rename(os.path.join(bundle, "rootfs"), self.box.path(container + "-layer"))
        os.mkdir(os.path.join(bundle, "rootfs"))
        os.mkfifo(os.path.join(bundle, "log"), 0o700)
        mount = message((1, "bind"), (2, self.box.path(container + "-layer")), (4, ["rbind", "rw"]))
        return bundle, mount

    def start(self, bundle, container):
        """The raw answer."""
        status, answer = self.action(bundle, container, "start",
                                     stdin=self.dialect.input(self, container))
        if status:
            raise AssertionError(f"start: status {status}: {answer!r}")
        return answer

    def delete(self, bundle, container):
        """DeleteResponse of the action."""
        status, answer = self.action(bundle, container, "-bundle", bundle, "delete")
        if status:
            raise AssertionError(f"delete: status {status}: {answer!r}")
        return Message(answer)

    def connect(self, path):
        return Client(path, self.dialect.service, self.namespace)

    def close(self):
        self.events.close()


def plain(answer):
    true(answer.startswith(b"unix://"), answer)
    return 2, answer.decode().removeprefix("unix://")


def plain_or_json(answer):
    """1.7: JSON too, of version 2 at most."""
    if not answer.startswith(b"{"):
        return plain(answer)
    read = json.loads(answer)
    true(read["version"] <= 2, f"unsupported shim version ({read['version']})")
    return json_of(answer)


def json_of(answer):
    """2.0 to 2.2."""
    read = json.loads(answer)
    eq(read["protocol"], "ttrpc")
    return read["version"], read["address"].removeprefix("unix://")


def protobuf(answer):
    read = Message(answer)
    eq(read.text(3), "ttrpc")
    return read.number(1), read.text(2).removeprefix("unix://")


def dialects(box):
    """(dialect, how it reads the answer, version that it must get, exact answer for an address)"""
    root = message((7, box.state))
    toml = message((1, "toml"), (3, f'Root = "{box.state}"\n')), "runtimeoptions.v1.Options"
    switched = message((3, f'Root = "{box.state}"\nShimVersion = 3\n')), "runtimeoptions.v1.Options"
    runc = root, "containerd.runc.v1.Options"
    v3 = '{{"version":3,"address":"{}","protocol":"ttrpc"}}'
    return [
        (Dialect("1.6", TASK_V2, config=runc[::-1]), plain, 2, "{}"),
        (Dialect("1.7", TASK_V2, config=toml[::-1]), plain_or_json, 2, "{}"),
        (Dialect("2.0 switched by its environment", TASK_V3, environment={"WHERRY_SHIM_VERSION": "3"},
                 config=toml[::-1]), json_of, 3, v3),
        (Dialect("2.2 switched by the handler's options", TASK_V3, config=switched[::-1]), json_of, 3, v3),
        (Dialect("2.2", TASK_V2, config=toml[::-1]), plain, 2, "{}"),
        (Dialect("2.3", TASK_V3, bootstraps=True, config=toml[::-1]), protobuf, 3, None),
        (Dialect("2.4", TASK_V3, bootstraps=True, config=runc[::-1]), protobuf, 3, None),
    ]


def socket_of(daemon, group):
    digest = hashlib.sha256(f"{daemon.address}/{daemon.namespace}/{group}".encode()).hexdigest()
    folder = daemon.sockets if daemon.dialect.bootstraps else SHARED_SOCKETS
    return f"{folder}/{digest}"


def one(box, name="2.4"):
    """The dialect of that name, for tests of what is the same in all."""
    return next((each, read) for each, read, _, _ in dialects(box) if each.name == name)


def put_away(box, *containers):
    """Makes room for bundles of the same names."""
    for name in containers:
        for path in (box.path(name), box.path(name + "-layer")):
            shutil.move(path, f"{path}.{time.monotonic_ns()}")


def refused(code, function, *args):
    try:
        answer = function(*args)
    except Refused as refusal:
        eq(refusal.code, code, refusal.text)
        return refusal.text
    raise AssertionError(f"not refused: {answer}")


def create_request(container, bundle, mounts=(), stdin="", stdout="", stderr="", terminal=0, checkpoint="", options=b""):
    return message((1, container), (2, bundle), (3, list(mounts)), (4, terminal), (5, stdin), (6, stdout),
                   (7, stderr), (8, checkpoint), (10, options))


def shim_pids(box):
    """The shims of the box's daemon."""
    return [pid for pid, command in box.processes()
            if os.path.basename(command.split(" ")[0].rstrip(":")) == "containerd-shim-wherry-v2"]


def wait_gone(condition, seconds):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()
