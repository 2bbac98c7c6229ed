"""The tests' client of the container runtime interface, and the handler for pods without a pause container."""

import json
import subprocess

import programs

PAUSELESS = "pauseless"


class CriError(Exception):
    pass


class Client:
    """`cri serve`: one call at a time, JSON both ways."""

    def __init__(self, bed):
        self.bed = bed
        self.process = None
        self.connect()

    def connect(self):
        self.close()
        self.process = subprocess.Popen(
            [programs.built("cri"), "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=self.bed.environment(CONTAINER_RUNTIME_ENDPOINT=f"unix://{self.bed.address}"))
        self.bed.processes["cri"] = self.process

    def close(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait(10)
            self.process.stdout.close()
            self.bed.processes.pop("cri", None)
            self.process = None

    def answers(self):
        try:
            return self.call("Version")
        except CriError:
            return None

    def call(self, method, request=None, service="RuntimeService"):
        self.process.stdin.write(json.dumps(
            {"service": service, "method": method, "request": request or {}}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "response" not in answer:
            raise CriError(f"{method}: {answer.get('code')}: {answer.get('error')}")
        return answer["response"]


def add_pauseless(bed):
    """Before the daemon starts, which is one of 2.x."""
    with open(bed.path("containerd.toml"), "a", encoding="utf-8") as file:
        file.write('[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.pauseless]\n'
                   '  runtime_type = "io.containerd.wherry.v2"\n  sandboxer = "shim"\n'
                   '  disable_pause_image_pull = true\n')
