"""Pods without a pause container: containerd 2 with `sandboxer = "shim"`, by its CRI.

    python3 test/integration/shim_sandbox.py            with containerd 2.4, where it is built
    python3 test/integration/shim_sandbox.py NAME...    some cases
"""

import base64
import json
import os
import pathlib
import signal
import sys
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "beds"))
import catalogue  # noqa: E402
import cri_client  # noqa: E402
from cri_client import CriError  # noqa: E402
from cases import case, eq, main, settle, true, wait_until  # noqa: E402

from harness import is_alive  # noqa: E402

HANDLER = os.environ.get("POD_HANDLER", cri_client.PAUSELESS)
BUSYBOX, WORKER = catalogue.reference("busybox"), catalogue.reference("worker")
NODE, CONTAINER = "NODE", "CONTAINER"


def prepare(bed):
    cri_client.add_pauseless(bed)
    bed.start_containerd()
    catalogue.load(bed, ("k8s.io",))
    bed.cri = cri_client.Client(bed)


def pod_case(function):
    """A case whose pods are removed by containerd also when it fails."""
    def run(bed):
        try:
            function(bed)
        except BaseException:
            traceback.print_exc()
            for pod in call(bed, "ListPodSandbox", {}).get("items", []):
                call(bed, "StopPodSandbox", {"podSandboxId": pod["id"]})
                call(bed, "RemovePodSandbox", {"podSandboxId": pod["id"]})
            raise
    run.__name__ = function.__name__
    return case(run)


def call(bed, method, request):
    return bed.cri.call(method, request)


def answers(bed):
    bed.cri.connect()
    return bed.cri.answers()


class Pod:
    def __init__(self, bed, name="pod", handler=HANDLER, namespaces=None, **more):
        self.bed = bed
        self.logs = bed.path("tmp", f"logs-{name}-{time.monotonic_ns()}")
        os.makedirs(self.logs, exist_ok=True)
        security = {"namespaceOptions": {"pid": CONTAINER, **(namespaces or {})}}
        self.config = {"metadata": {"name": name, "namespace": "default", "uid": name}, "logDirectory": self.logs,
                       "hostname": "" if (namespaces or {}).get("network") == NODE else name,
                       "linux": {"cgroupParent": f"/{bed.name}", "securityContext": security,
                                 **more.pop("linux", {})}, **more}
        self.security = security
        self.id = call(bed, "RunPodSandbox", {"config": self.config, "runtimeHandler": handler})["podSandboxId"]

    def status(self):
        return call(self.bed, "PodSandboxStatus", {"podSandboxId": self.id, "verbose": True})["status"]

    def create(self, name, *command, image=BUSYBOX, **more):
        config = {"metadata": {"name": name}, "image": {"image": image}, "command": list(command),
                  "logPath": f"{name}.log", "linux": {"securityContext": self.security}, **more}
        return call(self.bed, "CreateContainer", {"podSandboxId": self.id, "config": config,
                                                  "sandboxConfig": self.config})["containerId"]

    def start(self, name, *command, **more):
        container = self.create(name, *command, **more)
        call(self.bed, "StartContainer", {"containerId": container})
        return container

    def log(self, name):
        """What the container printed."""
        lines = pathlib.Path(self.logs, f"{name}.log").read_text().splitlines()
        return [line.split(" ", 3)[3] for line in lines]

    def wait_log(self, name, text):
        wait_until(lambda: os.path.exists(f"{self.logs}/{name}.log") and text in self.log(name),
                   f"{text!r} in the log of {name}")

    def state(self, container):
        return call(self.bed, "ContainerStatus", {"containerId": container})["status"]

    def wait_exit(self, container):
        wait_until(lambda: self.state(container)["state"] == "CONTAINER_EXITED", f"the end of {container}")
        return self.state(container).get("exitCode", 0)

    def exec(self, container, *command):
        done = call(self.bed, "ExecSync", {"containerId": container, "cmd": list(command), "timeout": 20})
        return done.get("exitCode", 0), base64.b64decode(done.get("stdout", "")).decode()

    def remove(self):
        call(self.bed, "StopPodSandbox", {"podSandboxId": self.id})
        call(self.bed, "RemovePodSandbox", {"podSandboxId": self.id})


def holders(bed):
    return [pid for pid, command in bed.strangers() if command.startswith("wherry-pause")]


@pod_case
def a_pod_runs_native_and_wasm_containers_without_a_pause_container(bed):
    pod = Pod(bed)
    eq(pod.status()["state"], "SANDBOX_READY")
    eq(len(holders(bed)), 1, "processes that hold the namespaces")
    eq(len(bed.shims()), 1, "shims")
    native = pod.start("native", "sh", "-c", "echo hello; sleep 1000")
    wasm = pod.start("wasm", "/worker.wasm", "count", "3", image=WORKER)
    pod.wait_log("native", "hello")
    eq(pod.wait_exit(wasm), 0)
    eq(pod.log("wasm"), ["1", "2", "3"])
    eq(pod.exec(native, "sh", "-c", "echo inside; exit 3"), (3, "inside\n"))
    stats = call(bed, "ContainerStats", {"containerId": native})["stats"]
    true(int(stats["memory"]["workingSetBytes"]["value"]) > 0, f"memory in {stats}")
    call(bed, "StopContainer", {"containerId": native, "timeout": 0})
    eq(pod.wait_exit(native), 137)
    pod.remove()
    settle(lambda: not holders(bed) + bed.shims(), 5)
    eq(holders(bed) + bed.shims(), [], "processes")


@pod_case
def containers_share_what_the_pod_has(bed):
    pod = Pod(bed, name="web-0", dnsConfig={"servers": ["10.0.0.10"], "searches": ["a.local"], "options": ["ndots:5"]},
              linux={"cgroupParent": f"/{bed.name}", "sysctls": {"kernel.msgmax": "10000"},
                     "securityContext": {"namespaceOptions": {"pid": CONTAINER}}})
    one = pod.start("one", "sh", "-c", "hostname; cat /etc/hostname /etc/resolv.conf /proc/sys/kernel/msgmax; "
                    "cat /proc/sys/net/ipv4/ip_unprivileged_port_start; echo shared >/dev/shm/file; sleep 1000")
    pod.wait_log("one", "0")
    eq(pod.log("one"), ["web-0", "web-0", "search a.local", "nameserver 10.0.0.10", "options ndots:5", "10000", "0"])
    two = pod.start("two", "sh", "-c", "cat /dev/shm/file; for n in ipc uts net; do readlink /proc/self/ns/$n; done")
    eq(pod.wait_exit(two), 0)
    spaces = pod.log("two")
    eq(spaces[0], "shared")
    for kind, seen in zip(("ipc", "uts", "net"), spaces[1:]):
        eq(os.readlink(f"/proc/{holders(bed)[0]}/ns/{kind}"), seen)
    address = pod.status()["network"]["ip"]
    true(address.startswith("10.88."), address)
    true(pod.state(one)["state"] == "CONTAINER_RUNNING", "one runs")
    pod.remove()


@pod_case
def a_shared_pid_namespace_has_the_holder_as_its_first_process(bed):
    pod = Pod(bed, namespaces={"pid": "POD"})
    one = pod.start("one", "sh", "-c", "(sh -c 'sleep 0.3 & echo started' &); sleep 1000")
    pod.wait_log("one", "started")
    status, out = pod.exec(one, "sh", "-c", "tr '\\0' ' ' </proc/1/cmdline")
    eq((status, out), (0, "wherry-pause "))
    holder = holders(bed)[0]
    time.sleep(0.8)
    zombies = [entry for entry in pathlib.Path("/proc").glob("[0-9]*/stat") if is_zombie_of(entry, holder)]
    eq(zombies, [], "orphans that nobody took")
    pod.remove()


def is_zombie_of(entry, parent):
    try:
        fields = entry.read_text().rsplit(") ", 1)[1].split()
    except OSError:
        return False
    return fields[0] == "Z" and int(fields[1]) == parent


@pod_case
def a_pod_of_the_host_has_the_hosts_namespaces(bed):
    pod = Pod(bed, namespaces={"network": NODE, "pid": NODE, "ipc": NODE})
    one = pod.start("one", "sh", "-c", "for n in ipc uts net pid; do readlink /proc/self/ns/$n; done")
    eq(pod.wait_exit(one), 0)
    eq(pod.log("one"), [os.readlink(f"/proc/self/ns/{kind}") for kind in ("ipc", "uts", "net", "pid")])
    pod.remove()


@pod_case
def a_pod_with_a_user_namespace_is_root_only_inside(bed):
    mapping = [{"hostId": 100000, "containerId": 0, "length": 65536}]
    pod = Pod(bed, namespaces={"usernsOptions": {"mode": "POD", "uids": mapping, "gids": mapping}})
    one = pod.start("one", "sh", "-c", "id -u; cat /proc/self/uid_map; cat /etc/hostname; ls /sys/class/net; sleep 1000")
    pod.wait_log("one", "lo")
    shown = [line.split() for line in pod.log("one")]
    eq(shown[:3], [["0"], ["0", "100000", "65536"], ["pod"]])
    eq(os.stat(f"/proc/{pid_of(bed, one)}").st_uid, 100000)
    eq(os.stat(f"/proc/{holders(bed)[0]}").st_uid, 165535, "the holder's user")
    pod.remove()


@pod_case
def a_user_namespace_of_one_container_or_of_another_is_refused(bed):
    mapping = [{"hostId": 100000, "containerId": 0, "length": 65536}]
    for mode in (CONTAINER, "TARGET"):
        try:
            Pod(bed, namespaces={"usernsOptions": {"mode": mode, "uids": mapping, "gids": mapping}})
        except CriError:
            continue
        raise AssertionError(f"a pod with {mode}")


@pod_case
def a_restart_of_the_daemon_keeps_the_pod(bed):
    pod = Pod(bed)
    one = pod.start("one", "sh", "-c", "i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done")
    pod.wait_log("one", "5")
    before = bed.shims(), holders(bed)
    for how in (signal.SIGTERM, signal.SIGKILL):
        bed.restart_containerd(how)
        wait_until(lambda: answers(bed), "the CRI answers")
        eq(pod.status()["state"], "SANDBOX_READY", f"after {how.name}")
        eq(pod.state(one)["state"], "CONTAINER_RUNNING")
        count = len(pod.log("one"))
        wait_until(lambda: len(pod.log("one")) > count, "the log goes on")
    eq((bed.shims(), holders(bed)), before, "processes")
    lines = pod.log("one")
    eq(lines, [str(i) for i in range(1, len(lines) + 1)], "lines of the log")
    pod.remove()


def pid_of(bed, container):
    info = call(bed, "ContainerStatus", {"containerId": container, "verbose": True})["info"]
    return json.loads(info["info"])["pid"]


@pod_case
def a_pod_whose_holder_dies_is_not_ready(bed):
    pod = Pod(bed)
    os.kill(holders(bed)[0], signal.SIGKILL)
    wait_until(lambda: pod.status()["state"] == "SANDBOX_NOTREADY", "the pod is not ready")
    pod.remove()


def is_removed(pod):
    """As the kubelet does it: containerd learns only after a while that the container is gone."""
    try:
        pod.remove()
        return True
    except CriError:
        time.sleep(0.5)
        return False


@pod_case
def a_killed_shim_leaves_nothing(bed):
    pod = Pod(bed)
    pod.start("one", "sleep", "1000")
    for pid in bed.shims():
        os.kill(pid, signal.SIGKILL)

    wait_until(lambda: is_removed(pod), "the pod is removed")
    settle(lambda: not bed.leftovers(), 10)


def life(pod):
    """A pod's life, step by step: (name, what it does)."""
    made = {}

    def create():
        made["id"] = pod.create("one", "sleep", "1000")
    return [("run", lambda: None), ("create", create),
            ("start", lambda: call(pod.bed, "StartContainer", {"containerId": made["id"]})),
            ("exec", lambda: pod.exec(made["id"], "true")),
            ("stop", lambda: call(pod.bed, "StopContainer", {"containerId": made["id"], "timeout": 0})),
            ("remove", lambda: call(pod.bed, "RemoveContainer", {"containerId": made["id"]})),
            ("stop pod", lambda: call(pod.bed, "StopPodSandbox", {"podSandboxId": pod.id}))]


def kill_after(bed, handler, last, victims, number):
    pod = Pod(bed, name=f"pod{number}", handler=handler)
    for name, step in life(pod)[:last + 1]:
        step()
    if "daemon" in victims:
        bed.stop("containerd", signal.SIGKILL)
    if "shim" in victims:
        for pid in bed.shims():
            os.kill(pid, signal.SIGKILL)
    if "daemon" in victims:
        bed.start_containerd()
        wait_until(lambda: answers(bed), "the CRI answers")

    what = f"{handler}: {' and '.join(victims)} killed after {name}"
    wait_until(lambda: is_removed(pod), f"{what}: the pod is removed")
    settle(lambda: not bed.leftovers(), 20)
    eq(bed.leftovers(), [], what)


@pod_case
def kill_9_after_each_step_of_a_pod_leaves_nothing(bed):
    number = 0
    for victims in (("shim",), ("daemon",), ("daemon", "shim")):
        for handler in ("wherry", HANDLER):
            for last in range(7):
                number += 1
                kill_after(bed, handler, last, victims, number)


@pod_case
def a_pods_resources_are_changed(bed):
    pod = Pod(bed)
    resources = {"cpuPeriod": 100000, "cpuQuota": 70000, "memoryLimitInBytes": 96 << 20}
    call(bed, "UpdatePodSandboxResources", {"podSandboxId": pod.id, "resources": resources})
    eq(pod.status()["state"], "SANDBOX_READY")
    pod.remove()


@pod_case
def many_pods_one_after_another(bed):
    for number in range(5):
        pod = Pod(bed, name=f"pod{number}")
        one = pod.start("one", "true")
        eq(pod.wait_exit(one), 0)
        pod.remove()


if __name__ == "__main__":
    main("2.4", prepare=prepare)
