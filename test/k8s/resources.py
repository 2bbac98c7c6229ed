"""What the kubelet measures and sets: its summary, in-place resize, user namespaces."""

import datetime
import json
import pathlib
import time

import bed as beds
from cases import Skip, case, eq, has, true
from objects import applied, output, pod, statuses, until, wait_ready


def container_cgroup(bed, controller, of_pod, container):
    """The directory of the container's cgroup."""
    found = statuses(of_pod)[container]["containerID"].split("//")[1]
    return next((beds.CGROUP / controller / bed.name).rglob(found))


def summary(bed, name, container):
    stats = json.loads(bed.kubectl("get", "--raw", "/api/v1/nodes/bed/proxy/stats/summary").out)
    for each in stats["pods"]:
        if each["podRef"]["name"] == name:
            return next((one for one in each["containers"] if one["name"] == container), None)
    return None


def seconds(timestamp):
    return datetime.datetime.fromisoformat(timestamp.replace("Z", "+00:00")).timestamp()


def near(actual, expected, what):
    true(abs(actual - expected) <= 0.05 * expected, f"{what}: {actual} is not within 5 % of {expected}")


@case
def the_summary_tells_what_the_cgroup_counts(bed):
    with applied(bed, "spin"):
        wait_ready(bed, "spin")
        of_pod = pod(bed, "spin")
        usage = container_cgroup(bed, "cpuacct", of_pod, "worker") / "cpuacct.usage"
        memory = container_cgroup(bed, "memory", of_pod, "worker")
        samples, told = [], None
        end = time.time() + 90
        # A figure says when it was taken, to some tenths of a second: late ones are right within 5 %.
        while time.time() < end and not (told and told["cpu"]["usageCoreNanoSeconds"] > 9e9):
            samples.append((time.time(), int(usage.read_text())))
            if len(samples) % 20 == 0:
                told = summary(bed, "spin", "worker")
            time.sleep(0.1)
        samples.append((time.time(), int(usage.read_text())))
        true(told, "the kubelet told no figures")
        when = seconds(told["cpu"]["time"])
        (t0, u0), (t1, u1) = next(pair for pair in zip(samples, samples[1:]) if pair[1][0] >= when)
        near(told["cpu"]["usageCoreNanoSeconds"], u0 + (u1 - u0) * (when - t0) / (t1 - t0), "CPU")
        stat = dict(line.split() for line in (memory / "memory.stat").read_text().splitlines())
        used = int((memory / "memory.usage_in_bytes").read_text()) - int(stat["total_inactive_file"])
        near(told["memory"]["workingSetBytes"], used, "memory")


@case
def a_running_pod_is_resized_in_place(bed):
    with applied(bed, "spin"):
        wait_ready(bed, "spin")
        of_pod = pod(bed, "spin")
        cpu = container_cgroup(bed, "cpu", of_pod, "worker")
        memory = container_cgroup(bed, "memory", of_pod, "worker")
        eq((cpu / "cpu.cfs_quota_us").read_text().strip(), "50000")
        more = {"cpu": "700m", "memory": "96Mi"}
        bed.kubectl("patch", "pod", "spin", "--subresource", "resize", "--patch", json.dumps(
            {"spec": {"containers": [{"name": "worker", "resources": {"limits": more}}]}}))
        until(lambda: (cpu / "cpu.cfs_quota_us").read_text().strip() == "70000", "the new quota")
        until(lambda: int((memory / "memory.limit_in_bytes").read_text()) == 96 << 20, "the new limit")
        until(lambda: statuses(pod(bed, "spin"))["worker"]["resources"]["limits"] == more,
              "the pod's status tells it")
        eq(statuses(pod(bed, "spin"))["worker"]["restartCount"], 0, "restarts")
        true(cpu.exists(), "it is the same container")

@case
def a_pod_has_a_user_namespace(bed):
    if bed.daemon == "1.6":
        raise Skip("containerd 1.6 has no pods with user namespaces")
    with applied(bed, "user-namespace"):
        wait_ready(bed, "user-namespace")
        mapped = output(bed, "user-namespace", "cat", "/proc/self/uid_map", container="native").split()
        eq(mapped[0], "0")
        true(int(mapped[1]) >= 65536, f"root of the pod is {mapped[1]} on the node")
        eq(output(bed, "user-namespace", "stat", "-c", "%u", "/bin/busybox", container="native"), "0\n")
        eq(output(bed, "user-namespace", "/worker.wasm", "count", "1", container="worker"), "1\n")
        output(bed, "user-namespace", "/worker.wasm", "write", "/scratch/file", "x", container="worker")
        pids = [int((path / "cgroup.procs").read_text().split()[0]) for path in [
            container_cgroup(bed, "memory", pod(bed, "user-namespace"), "worker")]]
        owner = pathlib.Path(f"/proc/{pids[0]}/status").read_text()
        has(owner, f"Uid:\t{mapped[1]}\t", "the guest's user on the node")
