"""Jobs, a Deployment behind a Service, pods of several containers, and what pods are given."""

import json
import pathlib
import threading
import time
import urllib.error
import urllib.request

from cases import case, eq, has, true
from objects import applied, ended, execute, output, pod, statuses, until, wait_ready

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
PAGE = "hello from wasm\n"


def job_pod(bed, name):
    return bed.get("pods", "-l", f"job-name={name}")["items"][0]


def conditions(bed, name):
    return [each["type"] for each in bed.get("job", name)["status"].get("conditions", [])
            if each["status"] == "True"]


@case
def a_job_ends_with_its_exit_code(bed):
    with applied(bed, "job"):
        until(lambda: "Complete" in conditions(bed, "count"), "count is complete")
        until(lambda: "Failed" in conditions(bed, "fail"), "fail has failed")
        eq(ended(job_pod(bed, "count"), "worker")["exitCode"], 0)
        eq(ended(job_pod(bed, "count"), "worker")["reason"], "Completed")
        eq(bed.kubectl("logs", "job/count").out, "1\n2\n3\n")
        eq(ended(job_pod(bed, "fail"), "worker")["exitCode"], 3)
        eq(ended(job_pod(bed, "fail"), "worker")["reason"], "Error")


# --- the web servers ---

def fetch(address):
    with DIRECT.open(f"http://{address}/", timeout=5) as answer:
        return answer.read().decode()


class Customer(threading.Thread):
    """Asks the Service, by a new connection each time, until it is told to stop."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.address, self.answers, self.failures, self.done = address, [], [], False

    def run(self):
        while not self.done:
            try:
                self.answers.append(fetch(self.address))
            except (OSError, urllib.error.URLError) as error:
                self.failures.append(f"after {len(self.answers)} answers: {error}")
            time.sleep(0.005)


def service_address(bed):
    return bed.get("service", "httpd")["spec"]["clusterIP"]


@case
def wasm_servers_answer_through_a_rolling_update(bed):
    with applied(bed, "httpd"):
        bed.kubectl("rollout", "status", "deployment/httpd", "--timeout=90s", timeout=100)
        pods = bed.get("pods", "-l", "app=httpd")["items"]
        eq(len(pods), 3)
        for each in pods:
            eq(fetch(each["status"]["podIP"] + ":8080"), PAGE, each["metadata"]["name"])
        address = service_address(bed)
        until(lambda: answers(address), "the Service answers")
        customers = [Customer(address) for _ in range(3)]
        for each in customers:
            each.start()
        bed.kubectl("set", "env", "deployment/httpd", "ROUND=2")
        bed.kubectl("rollout", "status", "deployment/httpd", "--timeout=90s", timeout=100)
        time.sleep(5)  # the last of the old ones are ending
        for each in customers:
            each.done = True
        for each in customers:
            each.join(10)
            eq(each.failures, [], "failed requests")
            eq(set(each.answers), {PAGE})
            true(len(each.answers) > 100, f"only {len(each.answers)} requests")
        now = {each["metadata"]["name"] for each in bed.get("pods", "-l", "app=httpd")["items"]
               if not each["metadata"].get("deletionTimestamp")}
        true(not now & {each["metadata"]["name"] for each in pods}, "old pods are still there")


def answers(address):
    try:
        return fetch(address) == PAGE
    except OSError:
        return False


@case
def a_failing_exec_probe_restarts_a_wasm_container(bed):
    manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probed"}, "spec": {
        "runtimeClassName": "wherry", "terminationGracePeriodSeconds": 5, "containers": [{
            "name": "worker", "image": "wherry.local/worker:1", "imagePullPolicy": "Never",
            "args": ["sleep", "3600"],
            "readinessProbe": {"exec": {"command": ["/worker.wasm", "health", "/scratch/ready"]},
                               "periodSeconds": 1},
            "livenessProbe": {"exec": {"command": ["/worker.wasm", "health", "/scratch/alive"]},
                              "periodSeconds": 1, "initialDelaySeconds": 6, "failureThreshold": 2},
            "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}]}],
        "volumes": [{"name": "scratch", "emptyDir": {}}]}}
    bed.kubectl("apply", "-f", "-", stdin=json.dumps(manifest).encode())
    try:
        until(lambda: statuses(pod(bed, "probed")).get("worker", {}).get("started"), "it runs")
        true(not statuses(pod(bed, "probed"))["worker"]["ready"], "it is ready without its file")
        output(bed, "probed", "/worker.wasm", "write", "/scratch/ready", "x")
        wait_ready(bed, "probed", 10)
        until(lambda: statuses(pod(bed, "probed"))["worker"]["restartCount"] > 0, "it is restarted")
    finally:
        bed.kubectl("delete", "pod", "probed", timeout=60)


# --- several containers, volumes ---

@case
def native_containers_beside_a_wasm_one(bed):
    with applied(bed, "mixed"):
        wait_ready(bed, "mixed")
        eq(ended(pod(bed, "mixed"), "prepare")["exitCode"], 0)
        eq(output(bed, "mixed", "/worker.wasm", "cat", "/shared/greeting", container="service"),
           "prepared\n")
        until(lambda: execute(bed, "mixed", "/worker.wasm", "health", "/shared/beat",
                              container="service").returncode == 0, "the side-car has written")
        listed = output(bed, "mixed", "ps", container="sidecar")
        has(listed, "worker.wasm", "processes that the side-car sees")
        true(any(line.split()[0] == "1" for line in listed.splitlines()), "no process 1 to be seen")


@case
def variables_and_volumes_arrive(bed):
    with applied(bed, "volumes"):
        wait_ready(bed, "volumes")

        def worker(*words):
            return execute(bed, "volumes", "/worker.wasm", *words)

        eq(worker("env", "GREETING").out, "hello\n")
        eq(worker("env", "WORD").out, "sesame\n")
        eq(worker("env", "NODE").out, "bed\n")
        eq(worker("cat", "/etc/settings/color").out, "blue")
        eq(worker("cat", "/etc/password/word").out, "sesame")
        eq(worker("write", "/scratch/file", "kept").returncode, 0)
        eq(worker("cat", "/scratch/file").out, "kept")
        folder = pathlib.Path("/run/wherry-example")
        (folder / "from-node").write_text("node")
        eq(worker("cat", "/node/from-node").out, "node")
        eq(worker("cat", "/node-read-only/from-node").out, "node")
        folder.chmod(0o777)
        eq(worker("write", "/node/from-pod", "pod").returncode, 0)
        eq((folder / "from-pod").read_text(), "pod")
        eq((folder / "from-pod").stat().st_uid, 1000, "whose file it is")
        eq(worker("write", "/node-read-only/file", "x").returncode, 1, "a read-only volume")
        eq(worker("write", "/file", "x").returncode, 1, "a read-only root")
