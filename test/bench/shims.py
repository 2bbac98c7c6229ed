"""The shim beside containerd's own with runc, in a bed of test/beds with one daemon for both: starts, memory, CPU
and rate of pods by CRI, `ctr run`, exec. CPU is the whole machine's: measure on one that does nothing else."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "beds"), os.path.join(HERE, "..", "integration")]

OURS, PEER = "wherry", "runc"
PATIENCE = 3600


def run(report, bench):
    """The theme: the measuring itself has to be in a bed, which is a process of its own."""
    if not os.path.exists(os.path.join(bench.bin, "containerd-shim-wherry-v2")):
        report.note("shim: no containerd-shim-wherry-v2: left out")
        return
    words = [sys.executable, os.path.abspath(__file__), "quick" if bench.quick else "full" if bench.full else "usual"]
    done = subprocess.run(words, env={**os.environ, "WHERRY_BIN_DIR": os.path.abspath(bench.bin)},
                          stdout=subprocess.PIPE, text=True, timeout=PATIENCE)
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            row = json.loads(line)
            if "note" in row:
                report.note(row["note"])
            else:
                report.add(**row)
    if done.returncode:
        raise OSError(f"shim: status {done.returncode}: {done.stdout[-500:]}")


# --- in the bed ----------------------------------------------------------------------------------------

def tell(name, ours, unit, peer=None, **more):
    row = {"name": f"shim: {name}", "ours": ours, "unit": unit, "peer": peer,
           "peer_name": "runc's shim" if peer is not None else None, **more}
    print(json.dumps(row), flush=True)


def machine_cpu():
    """Seconds that the machine's processors have worked."""
    with open("/proc/stat") as file:
        user, nice, system, _, _, irq, soft = map(int, file.readline().split()[1:8])
    return (user + nice + system + irq + soft) / os.sysconf("SC_CLK_TCK")


def available():
    """MiB."""
    with open("/proc/meminfo") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("MemAvailable")) / 1024


class Cri:
    """The tests' client as one process that lives on, so that none of its starts is measured."""

    def __init__(self, bed):
        import programs
        environment = bed.environment(CONTAINER_RUNTIME_ENDPOINT=f"unix://{bed.address}")
        self.process = subprocess.Popen([str(programs.built("cri")), "serve"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, env=environment, text=True)

    def call(self, method, request):
        self.process.stdin.write(json.dumps({"service": "RuntimeService", "method": method, "request": request}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise OSError(f"{method}: {answer['error']}")
        return answer["response"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Pods:
    """Pods of one handler, each with one container."""

    def __init__(self, bed, handler, image, command):
        self.bed, self.handler, self.image, self.command = bed, handler, image, command
        self.ids = []

    def add(self, cri, name):
        """Seconds from RunPodSandbox to a container that runs."""
        begin = time.monotonic()
        name = f"{self.handler}-{name}"
        config = {"metadata": {"name": name, "namespace": "bench", "uid": name}, "logDirectory": self.bed.path("tmp"),
                  "linux": {"cgroupParent": f"/{self.bed.name}",
                            "securityContext": {"namespaceOptions": {"pid": "CONTAINER"}}}}
        pod = cri.call("RunPodSandbox", {"config": config, "runtimeHandler": self.handler})["podSandboxId"]
        self.ids.append(pod)
        container = {"metadata": {"name": "one"}, "image": {"image": self.image}, "command": self.command,
                     "logPath": f"{name}.log", "linux": {"securityContext": config["linux"]["securityContext"]}}
        made = cri.call("CreateContainer", {"podSandboxId": pod, "config": container, "sandboxConfig": config})
        cri.call("StartContainer", {"containerId": made["containerId"]})
        return time.monotonic() - begin

    def remove(self, cri):
        for pod in self.ids:
            cri.call("StopPodSandbox", {"podSandboxId": pod})
            cri.call("RemovePodSandbox", {"podSandboxId": pod})
        self.ids = []

    def memory(self):
        """(PSS, private dirty) of a shim, MiB, the mean of all."""
        sums = {"Pss": 0, "Private_Dirty": 0}
        shims = self.bed.shims()
        for pid in shims:
            with open(f"/proc/{pid}/smaps_rollup") as file:
                for line in file:
                    key, _, rest = line.partition(":")
                    if key in sums:
                        sums[key] += int(rest.split()[0])
        return sums["Pss"] / 1024 / len(shims), sums["Private_Dirty"] / 1024 / len(shims)


def median(values):
    values = sorted(values)
    return values[len(values) // 2]


def starts(bed, rounds):
    """`start`, as containerd calls it, of a bundle that names no pod; the shim is killed afterwards."""
    from shim_daemon import message
    taken = {OURS: [], PEER: []}
    for number in range(rounds + 1):
        for handler in taken:
            bundle = bed.path("tmp", f"start-{handler}-{number}")
            os.makedirs(bundle + "/rootfs")
            with open(bundle + "/config.json", "w") as file:
                json.dump({"ociVersion": "1.1.0"}, file)
            os.mkfifo(bundle + "/log")
            folder = bed.wherry if handler == OURS else bed.programs.directory
            words = [f"{folder}/containerd-shim-{handler}-v2", "-namespace", "bench", "-address", bed.address,
                     "-publish-binary", str(bed.programs.containerd), "-id", f"{handler}{number}", "start"]
            # BootstrapParams (docs/formats/shim-bootstrap.md), which containerd has sent since 2.3.
            params = b"" if bed.daemon == "1.6" else message(
                (1, f"{handler}{number}"), (2, "bench"), (5, bed.address + ".ttrpc"), (6, bed.address),
                (7, str(bed.programs.containerd)))
            begin = time.monotonic()
            subprocess.run(words, cwd=bundle, env=bed.environment(TTRPC_ADDRESS=bed.address + ".ttrpc"), check=True,
                           input=params, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if number:  # the first warms the caches
                taken[handler].append(time.monotonic() - begin)
            for pid in bed.shims():
                os.kill(pid, signal.SIGKILL)
    ours, peer = median(taken[OURS]) * 1e3, median(taken[PEER]) * 1e3
    tell("start", ours, "ms", peer, goal=3, goal_on="ours")


def runs(bed, images, rounds):
    """`ctr run --rm`, one after another: our cached module against runc's true."""
    taken = {}
    for handler, image, words in ((OURS, images["worker"], ["/worker.wasm", "count", "1"]),
                                  (PEER, images["busybox"], ["true"])):
        def once(number):
            bed.ctr("run", "--rm", "--null-io", "--runtime", f"io.containerd.{handler}.v2", image,
                    f"run-{handler}-{number}", *words)
        once("warm")
        cpu, begin = machine_cpu(), time.monotonic()
        for number in range(rounds):
            once(number)
        taken[handler] = (time.monotonic() - begin) / rounds, (machine_cpu() - cpu) / rounds
    (ours, ours_cpu), (peer, peer_cpu) = taken[OURS], taken[PEER]
    tell("ctr run of a module / of true", ours * 1e3, "ms", peer * 1e3, goal=0.5)
    tell("CPU of it", ours_cpu * 1e3, "ms", peer_cpu * 1e3, goal=0.35)


def execs(bed, images, rounds):
    """An exec of the cached module in a module's container, against runc's of true."""
    taken = {}
    for handler, image, words, more in (
            (OURS, images["service"], ["/service.wasm"], ["/service.wasm", "count", "1"]),
            (PEER, images["busybox"], ["sleep", "100000"], ["true"])):
        name = f"exec-{handler}"
        bed.ctr("run", "-d", "--null-io", "--runtime", f"io.containerd.{handler}.v2", image, name, *words)
        bed.ctr("tasks", "exec", "--exec-id", "warm", name, *more)
        cpu = machine_cpu()
        for number in range(rounds):
            bed.ctr("tasks", "exec", "--exec-id", f"e{number}", name, *more)
        taken[handler] = (machine_cpu() - cpu) / rounds
        bed.ctr("tasks", "rm", "-f", name, check=False)
        bed.ctr("containers", "rm", name)
    tell("CPU of an exec, module / true", taken[OURS] * 1e3, "ms", taken[PEER] * 1e3, goal=0.3)


def parallel(bed, pods, count, width):
    """Seconds a pod when `width` clients make them at once."""
    clients = [Cri(bed) for _ in range(width)]
    names = iter([f"p{number}" for number in range(count)])
    lock = threading.Lock()

    def work(cri):
        while True:
            with lock:
                name = next(names, None)
            if name is None:
                return
            pods.add(cri, name)

    threads = [threading.Thread(target=work, args=(cri,)) for cri in clients]
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = (time.monotonic() - begin) / count
    for cri in clients:
        cri.close()
    if len(pods.ids) != count:
        raise OSError(f"{len(pods.ids)} of {count} pods were made")
    return took


def pods_of(bed, images, handler, few, many):
    """What is measured of one handler's pods: {name: value}."""
    cri, out = Cri(bed), {}
    pods = Pods(bed, handler, images["busybox"], ["sleep", "100000"])
    pods.add(cri, "warm")
    pods.remove(cri)
    cpu, begin = machine_cpu(), time.monotonic()
    for number in range(few):
        pods.add(cri, str(number))
    out["pod"] = (time.monotonic() - begin) / few
    out["pss"], out["dirty"] = pods.memory()
    pods.remove(cri)
    out["cpu"] = (machine_cpu() - cpu) / few
    out["parallel"] = parallel(bed, pods, few, 8)
    pods.remove(cri)
    # From few to many: a static native hello of runc's against our cached module.
    if handler == OURS:
        pods = Pods(bed, handler, images["service"], ["/service.wasm"])
    pods.add(cri, "warm")
    pods.remove(cri)
    before, latencies = available(), []
    for number in range(many):
        latencies.append(pods.add(cri, str(number)))
        if number + 1 == 10:
            out["pss10"] = pods.memory()[0]
    out["lost"] = (before - available()) / many
    out["pss_many"] = pods.memory()[0]
    tenth = max(1, many // 10)
    out["latency"] = median(latencies[-tenth:]) / median(latencies[:tenth])
    pods.remove(cri)
    cri.close()
    return out


def measure(bed, images, few, many, rounds):
    starts(bed, rounds)
    runs(bed, images, rounds)
    execs(bed, images, rounds)
    ours, peer = (pods_of(bed, images, handler, few, many) for handler in (OURS, PEER))
    tell(f"PSS a pod, {few} pods", ours["pss"], "MiB", peer["pss"], goal=1, goal_on="ours")
    tell(f"private dirty a pod, {few} pods", ours["dirty"], "MiB", peer["dirty"], goal=0.5, goal_on="ours")
    tell("CPU of a pod by CRI, with CNI", ours["cpu"] * 1e3, "ms", peer["cpu"] * 1e3, goal=0.6)
    tell("pods by CRI, one after another", ours["pod"] * 1e3, "ms", peer["pod"] * 1e3, goal=0.667)
    tell("pods by CRI, 8 at a time", ours["parallel"] * 1e3, "ms", peer["parallel"] * 1e3, goal=0.667)
    tell(f"memory lost a pod, {many} pods", ours["lost"], "MiB", peer["lost"], goal=0.5)
    tell(f"PSS of a pod: {many} pods / 10", ours["pss_many"] / ours["pss10"], "", peer["pss_many"] / peer["pss10"],
         goal=1.2, goal_on="ours")
    tell(f"latency: last tenth of {many} / first", ours["latency"], "", peer["latency"], goal=1.2, goal_on="ours")


def main():
    import bed as beds
    import catalogue
    import programs
    try:
        daemon = "2.4" if programs.BUILT.joinpath("containerd").exists() else "1.6"
        programs.Daemon(daemon)
        programs.built("cri")
    except programs.Missing as missing:
        print(json.dumps({"note": f"shim: {missing}: left out"}))
        return
    beds.enter()
    bed = beds.Bed(daemon)
    try:
        bed.start_containerd()
        catalogue.load(bed, (bed.name, "k8s.io"))
        images = {name: catalogue.reference(name) for name in ("busybox", "worker", "service")}
        print(json.dumps({"note": f"shim: containerd {daemon}"}), flush=True)
        size = {"quick": (5, 12, 3), "usual": (20, 100, 20), "full": (20, 300, 20)}[sys.argv[1]]
        measure(bed, images, *size)
    finally:
        bed.close()


if __name__ == "__main__":
    main()
