"""Pods of ours as the kubelet asks for them, by the container runtime interface: images from a registry,
statistics, resources, ends, and a daemon that restarts under a hundred pods.

    python3 test/integration/cri.py                 with containerd 2.4 and Debian's 1.6
    python3 test/integration/cri.py 2.4 NAME...     some cases
    HANDLER=runc python3 ...                        with runc's shim: what needs no module

Needs the client that `test/beds/build containerd` makes.
"""

import os
import pathlib
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "beds"))
import bed as beds  # noqa: E402
import catalogue  # noqa: E402
import cri_client  # noqa: E402
import images  # noqa: E402
from cases import HANDLER, case, eq, main, only_wherry, true, wait_until  # noqa: E402

PODS = int(os.environ.get("PODS", "100"))
WORKER = catalogue.reference("worker")
PULLED = "registry.example/worker:1"


class Pod:
    """A sandbox with one container."""

    def __init__(self, client, name, annotations=None, handler=HANDLER):
        self.client, self.name, self.container = client, name, None
        self.logs = pathlib.Path(client.bed.path("pods", client.bed.daemon, name))
        self.logs.mkdir(parents=True, exist_ok=True)
        self.config = {"metadata": {"name": name, "uid": name, "namespace": "default", "attempt": 0},
                       "logDirectory": str(self.logs), "annotations": annotations or {},
                       "linux": {"cgroupParent": f"/{client.bed.name}"}}
        self.id = client.call("RunPodSandbox", {
            "config": self.config, "runtimeHandler": handler})["podSandboxId"]

    def start(self, args, image=WORKER, resources=None, name="main"):
        """A container; the methods below speak of the last one."""
        self.container = self.client.call("CreateContainer", {
            "podSandboxId": self.id, "sandboxConfig": self.config,
            "config": {"metadata": {"name": name, "attempt": 0}, "image": {"image": image},
                       "args": args, "logPath": name,
                       "linux": {"resources": resources or {}}}})["containerId"]
        self.client.call("StartContainer", {"containerId": self.container})
        self.log_file = self.logs / name

    def status(self):
        return self.client.call("ContainerStatus", {"containerId": self.container})["status"]

    def log(self):
        """What the container wrote, without the log's own columns."""
        lines = self.log_file.read_text().splitlines() if self.log_file.exists() else []
        return [line.split(" ", 3)[3] for line in lines]

    def wait_log(self, line):
        wait_until(lambda: line in self.log(), f"{line!r} in the log of {self.name}")

    def wait_end(self):
        wait_until(lambda: self.status()["state"] == "CONTAINER_EXITED", f"{self.name} has ended")
        return self.status()

    def cgroup(self, controller):
        return beds.CGROUP / controller / self.client.bed.name / self.container

    def execute(self, *command):
        return self.client.call("ExecSync", {"containerId": self.container, "cmd": list(command),
                                             "timeout": 20})

    def stop(self, grace=10):
        self.client.call("StopContainer", {"containerId": self.container, "timeout": grace})

    def remove(self):
        self.client.call("StopPodSandbox", {"podSandboxId": self.id})
        self.client.call("RemovePodSandbox", {"podSandboxId": self.id})


class Pods:
    """A client, and the pods that it started, which go with it."""

    def __init__(self, bed):
        self.client, self.started = cri_client.Client(bed), []

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        for each in self.started:
            each.remove()
        self.client.close()

    def pod(self, name, **more):
        self.started.append(Pod(self.client, name, **more))
        return self.started[-1]

    def run(self, name, *args, **more):
        self.pod(name).start(list(args), **more)
        return self.started[-1]


# --- cases ---

@case
def a_wasm_image_is_pulled_from_a_registry(bed):
    only_wherry("runs no modules")
    bed.start_registry()
    images.push(images.wasm_image(PULLED, "worker", labels={"from": "registry"}), beds.REGISTRY)
    with Pods(bed) as started:
        started.client.call("PullImage", {"image": {"image": PULLED}}, "ImageService")
        pod = started.run("pulled", "count", "3", image=PULLED)
        status = pod.wait_end()
        eq((status["exitCode"], status["reason"]), (0, "Completed"))
        eq(pod.log(), ["1", "2", "3"])
        started.client.call("RemoveImage", {"image": {"image": PULLED}}, "ImageService")
    bed.stop("registry")


@case
def exec_has_streams_and_a_status(bed):
    only_wherry("runs no modules")
    with Pods(bed) as started:
        pod = started.run("executes", "sleep", "3600")
        done = pod.execute("/worker.wasm", "count", "2")
        eq((done["exitCode"], done["stdout"]), (0, "MQoyCg=="), "status and output, in base64")
        eq(pod.execute("/worker.wasm", "exit", "7")["exitCode"], 7)
        true(pod.execute("/worker.wasm", "nothing")["stderr"] != "", "the error stream is empty")


@case
def statistics_are_the_cgroups(bed):
    only_wherry("runs no modules")
    with Pods(bed) as started:
        pod = started.run("measured", "spin", resources={"memoryLimitInBytes": 64 << 20})
        pod.wait_log("spinning")
        time.sleep(2)
        usage = pod.cgroup("cpuacct") / "cpuacct.usage"
        before = int(usage.read_text())
        told = started.client.call("ContainerStats", {"containerId": pod.container})["stats"]
        after = int(usage.read_text())
        cpu = int(told["cpu"]["usageCoreNanoSeconds"]["value"])
        true(before <= cpu <= after, f"CPU: {cpu} is not from {before} to {after}")
        stat = dict(line.split() for line in
                    (pod.cgroup("memory") / "memory.stat").read_text().splitlines())
        used = int((pod.cgroup("memory") / "memory.usage_in_bytes").read_text())
        used -= int(stat["total_inactive_file"])
        working = int(told["memory"]["workingSetBytes"]["value"])
        true(abs(working - used) < 0.05 * used, f"memory: {working} is not near {used}")


@case
def resources_change_while_a_guest_runs(bed):
    only_wherry("runs no modules")
    with Pods(bed) as started:
        pod = started.run("changed", "sleep", "3600",
                          resources={"cpuPeriod": 100000, "cpuQuota": 50000, "memoryLimitInBytes": 64 << 20})
        eq((pod.cgroup("cpu") / "cpu.cfs_quota_us").read_text(), "50000\n")
        started.client.call("UpdateContainerResources", {"containerId": pod.container, "linux": {
            "cpuPeriod": 100000, "cpuQuota": 70000, "memoryLimitInBytes": 96 << 20}})
        eq((pod.cgroup("cpu") / "cpu.cfs_quota_us").read_text(), "70000\n")
        eq((pod.cgroup("memory") / "memory.limit_in_bytes").read_text(), f"{96 << 20}\n")


@case
def ends_have_their_status_and_reason(bed):
    only_wherry("runs no modules")
    with Pods(bed) as started:
        over = started.run("over", "grow", "256", resources={"memoryLimitInBytes": 32 << 20})
        status = over.wait_end()
        eq((status["exitCode"], status["reason"]), (137, "OOMKilled"))
        stopped = started.run("stopped", "spin")
        stopped.wait_log("spinning")
        begin = time.monotonic()
        stopped.stop(grace=10)
        eq(stopped.status()["exitCode"], 143)
        true(time.monotonic() - begin < 3, "the grace period was used")


@case
def containers_of_a_pod_have_annotations_of_their_own(bed):
    only_wherry("runs no modules")
    said = {"dev.wherry/listen": "tcp:8080", "listen.dev.wherry/two": "tcp:8081, tcp:8082",
            "listen.dev.wherry/none": "", "handler.dev.wherry/native": "native",
            # Of a pod: its pause container is native all the same.
            "dev.wherry/handler": "wasm"}
    with Pods(bed) as started:
        pod = started.pod("annotated", annotations=said)
        for name, listens in (("every", ["1"]), ("two", ["2"]), ("none", [])):
            pod.start(["env", "LISTEN_FDS"], name=name)
            pod.wait_end()
            eq(pod.log(), listens, name)
        pod.start(["sh", "-c", "echo executed"], image=catalogue.reference("busybox"), name="native")
        pod.wait_log("executed")


def run_counter(started, number):
    """A container that counts aloud for long; native where the handler is runc's. Half of the pods are without a
    pause container where the daemon can do so."""
    pauseless = HANDLER == "wherry" and started.client.bed.daemon != "1.6" and number % 2
    pod = started.pod(f"many-{number}", handler=cri_client.PAUSELESS if pauseless else HANDLER)
    if HANDLER == "wherry":
        pod.start(["count", "100000", "200"])
    else:
        script = "i=0; while :; do i=$((i + 1)); echo $i; sleep 0.2; done"
        pod.start(["sh", "-c", script], image=catalogue.reference("busybox"))
    return pod


@case
def a_hundred_pods_outlive_their_daemon(bed):
    with Pods(bed) as started:
        running = [run_counter(started, i) for i in range(PODS)]
        for how in (signal.SIGTERM, signal.SIGKILL):
            bed.stop("containerd", how)
            dying = [running.pop() for _ in range(5)]
            for pod in dying:
                pid = int((pod.cgroup("memory") / "cgroup.procs").read_text().split()[0])
                os.kill(pid, signal.SIGKILL)
            time.sleep(1)
            lengths = {pod.name: len(pod.log()) for pod in running}
            bed.start_containerd()
            started.client.connect()
            wait_until(lambda: started.client.answers(), "the daemon answers")
            states = {each["id"]: each["state"] for each in
                      started.client.call("ListContainers")["containers"]}
            for pod in running:
                eq(states.get(pod.container), "CONTAINER_RUNNING", pod.name)
            for pod in dying:
                eq(pod.wait_end()["exitCode"], 137, pod.name)
            for pod in running:
                wait_until(lambda: len(pod.log()) > lengths[pod.name] + 5, f"{pod.name} writes on")
                counted = [int(line) for line in pod.log()]
                lost = sorted(set(range(1, counted[-1] + 1)) - set(counted))
                eq(counted, sorted(set(counted)), f"order of {pod.name}'s lines")
                # A killed daemon takes with it what it had read and not yet written.
                allowed = 1 if how == signal.SIGKILL else 0
                true(len(lost) <= allowed, f"{pod.name}: lost lines {lost[:5]}")


def ready(bed):
    if bed.daemon != "1.6":
        cri_client.add_pauseless(bed)
    bed.start_containerd()
    catalogue.load(bed, ("k8s.io",), ("pause", "busybox", "worker"))


if __name__ == "__main__":
    main("2.4", "1.6", prepare=ready)
