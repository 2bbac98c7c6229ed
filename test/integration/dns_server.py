"""A DNS server for tests, UDP and TCP on 127.0.0.1 port 53: `dns_server.py LOG` answers from the zone
below, and writes to LOG a line for each question: "udp www.example.test A". It lives until it is killed."""

import socket
import struct
import sys
import threading

A, CNAME, AAAA = 1, 5, 28
NAMES = {A: "A", AAAA: "AAAA"}
ZONE = {
    ("www.example.test", A): ["10.9.0.1"],
    ("www.example.test", AAAA): ["fd99::1"],
    ("four.example.test", A): ["10.9.0.4"],
    ("alias.example.test", CNAME): "four.example.test",
    # More than a datagram takes: the answer is cut, and asked for again by TCP.
    ("many.example.test", A): [f"10.9.1.{n}" for n in range(1, 101)],
}
REFUSES, SERVER_FAILS, NO_SUCH_NAME = 5, 2, 3


def encode(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def decode(message, at):
    labels = []
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]].decode())
        at += 1 + message[at]
    return ".".join(labels).lower(), at + 1


def record(owner, kind, data):
    return encode(owner) + struct.pack(">HHIH", kind, 1, 60, len(data)) + data


def answer(message, transport, log):
    name, at = decode(message, 12)
    kind, = struct.unpack(">H", message[at:at + 2])
    log.write(f"{transport} {name} {NAMES.get(kind, kind)}\n")
    log.flush()
    if name == "silent.example.test":
        return None
    records, code = [], 0
    target = ZONE.get((name, CNAME))
    if target:
        records.append(record(name, CNAME, encode(target)))
    owner = target or name
    family = socket.AF_INET if kind == A else socket.AF_INET6
    records += [record(owner, kind, socket.inet_pton(family, text))
                for text in ZONE.get((owner, kind), ())]
    if name == "broken.example.test":
        code = SERVER_FAILS
    elif not any(owner == known for known, _ in ZONE):
        code = NO_SUCH_NAME
    body = b"".join(records)
    flags = 0x8180 | code
    if transport == "udp" and len(body) > 400:
        body, records, flags = b"", [], flags | 0x0200
    head = message[:2] + struct.pack(">HHHHH", flags, 1, len(records), 0, 0)
    return head + message[12:at + 4] + body


def serve_tcp(listener, log):
    while True:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as stream:
            size = stream.read(2)
            if len(size) == 2:
                reply = answer(stream.read(struct.unpack(">H", size)[0]), "tcp", log)
                if reply is not None:
                    connection.sendall(struct.pack(">H", len(reply)) + reply)


def main():
    log = open(sys.argv[1], "a", encoding="ascii")
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 53))
    listener.listen()
    threading.Thread(target=serve_tcp, args=(listener, log), daemon=True).start()
    datagrams = socket.socket(type=socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", 53))
    print("ready", flush=True)
    while True:
        message, sender = datagrams.recvfrom(4096)
        reply = answer(message, "udp", log)
        if reply is not None:
            datagrams.sendto(reply, sender)


if __name__ == "__main__":
    main()
