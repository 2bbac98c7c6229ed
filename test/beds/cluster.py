"""A Kubernetes of one node in a bed: etcd, API server, controllers, scheduler, kubelet and kube-proxy on the
bed's containerd, with the files of deploy/ as a user applies them.

The node's address is a bridge's: the kubelet refuses one of the loopback, and this needs no dummy device.
The node's cgroups are below the bed's own; what the kubelet writes is on the bed's tmpfs, of which it can
tell the size.
"""

import json
import os
import pathlib
import signal
import subprocess
import time

import bed as beds
import programs

NODE = "10.79.0.1"
PODS, SERVICES = "10.88.0.0/16", "10.77.0.0/16"
API = f"https://{NODE}:6443"
ETCD = "http://127.0.0.1:2379"
# Controllers of a v1 host in which the kubelet wants its root to exist.
CONTROLLERS = ("cpu", "cpuacct", "cpuset", "memory", "pids", "devices", "freezer", "blkio", "systemd",
               "hugetlb", "net_cls", "net_prio", "perf_event")


class Cluster(beds.Bed):
    def __init__(self, daemon, level="info"):
        super().__init__(daemon, level)
        self.tools = {name: programs.built(name) for name in (
            "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet",
            "kubectl")}
        self.etcd = programs.built("etcd")
        self.kubeconfig = self.path("kubeconfig")
        # A pod without a pause container has a shim until the kubelet removes it for good, which it
        # does once a minute.
        if os.environ.get("SANDBOXER") == "shim":
            self.goes_within = 90

    # --- start ---

    def start_cluster(self):
        self.make_node_address()
        self.make_cgroups()
        self.write_cluster_configuration()
        self.launch("etcd", [self.etcd, "--data-dir", self.path("etcd"), "--listen-client-urls", ETCD,
                             "--advertise-client-urls", ETCD, "--listen-peer-urls",
                             "http://127.0.0.1:2380", "--log-level", "error"])
        self.start_apiserver()
        common = ("--kubeconfig", self.kubeconfig, "--leader-elect=false")
        self.launch("kube-controller-manager", [
            self.tools["kube-controller-manager"], *common, "--service-account-private-key-file",
            self.path("account.key"), "--use-service-account-credentials", "--cluster-cidr", PODS,
            "--cert-dir", self.path("certs-controllers")])
        self.launch("kube-scheduler", [self.tools["kube-scheduler"], *common, "--cert-dir",
                                       self.path("certs-scheduler")])
        self.launch("kube-proxy", [self.tools["kube-proxy"], "--config", self.path("kube-proxy.yaml")])
        self.start_kubelet()
        self.wait_for("kubelet", lambda: "True" in self.kubectl(
            "get", "node", "-o", "jsonpath={..conditions[?(@.type=='Ready')].status}", check=False).out)
        self.wait_for("kube-controller-manager", lambda: self.kubectl(
            "get", "serviceaccount", "default", check=False).returncode == 0)

    def start_apiserver(self):
        key = self.path("account.key")
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        self.launch("kube-apiserver", [
            self.tools["kube-apiserver"], "--etcd-servers", ETCD, "--bind-address", NODE,
            "--service-cluster-ip-range", SERVICES, "--cert-dir", self.path("certs-apiserver"),
            "--service-account-issuer=https://bed", "--service-account-signing-key-file", key,
            "--service-account-key-file", key, "--token-auth-file", self.path("tokens.csv"),
            "--authorization-mode=RBAC", "--allow-privileged",
            # Without it, logs and exec ask DNS for the node's name.
            "--kubelet-preferred-address-types=InternalIP", "--endpoint-reconciler-type=none"])
        self.wait_for("kube-apiserver", lambda: self.kubectl(
            "get", "--raw", "/readyz", check=False).out == "ok")

    def start_kubelet(self):
        self.launch("kubelet", [
            self.tools["kubelet"], "--config", self.path("kubelet.yaml"), "--kubeconfig",
            self.kubeconfig, "--root-dir", self.path("kubelet"), "--cert-dir",
            self.path("certs-kubelet"), "--hostname-override=bed", f"--node-ip={NODE}"])

    def make_node_address(self):
        for command in ("link add node0 type bridge", f"address add {NODE}/24 dev node0",
                        "link set node0 up", f"route add default via {NODE} dev node0"):
            self.run(["ip", *command.split()])
        pathlib.Path("/proc/sys/net/ipv4/conf/all/route_localnet").write_text("1")

    def make_cgroups(self):
        if (beds.CGROUP / "cgroup.controllers").exists():
            (beds.CGROUP / self.name).mkdir(exist_ok=True)
            return
        for controller in CONTROLLERS:
            top = beds.CGROUP / controller
            if not top.is_dir():
                continue
            (top / self.name).mkdir(exist_ok=True)
            if controller == "cpuset":  # an empty set takes no process
                for name in ("cpuset.cpus", "cpuset.mems"):
                    (top / self.name / name).write_text((top / name).read_text())

    # --- configuration ---

    def write_cluster_configuration(self):
        pathlib.Path(self.path("tokens.csv")).write_text("bed,admin,admin,system:masters\n")
        pathlib.Path(self.kubeconfig).write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "bed",
            "clusters": [{"name": "bed", "cluster": {"server": API, "insecure-skip-tls-verify": True}}],
            "users": [{"name": "admin", "user": {"token": "bed"}}],
            "contexts": [{"name": "bed", "context": {"cluster": "bed", "user": "admin"}}]}))
        pathlib.Path(self.path("kubelet.yaml")).write_text(json.dumps({
            "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
            "failSwapOn": False, "failCgroupV1": False, "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{self.name}", "containerRuntimeEndpoint": f"unix://{self.address}",
            "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
            "authorization": {"mode": "AlwaysAllow"}, "clusterDomain": "cluster.local",
            "clusterDNS": ["10.77.0.10"], "oomScoreAdj": 0, "makeIPTablesUtilChains": False,
            "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%"},
            "podLogsDir": self.path("pod-logs"), "syncFrequency": "5s"}))
        pathlib.Path(self.path("kube-proxy.yaml")).write_text(json.dumps({
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration",
            "clientConnection": {"kubeconfig": self.kubeconfig}, "hostnameOverride": "bed",
            "clusterCIDR": PODS, "mode": "iptables", "healthzBindAddress": "", "bindAddress": NODE,
            # The limits are the machine's: a bed leaves them alone.
            "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s",
                          "tcpCloseWaitTimeout": "0s"}}))

    # --- clients ---

    def kubectl_command(self, *arguments):
        return [str(self.tools["kubectl"]), "--kubeconfig", self.kubeconfig, *map(str, arguments)]

    def kubectl(self, *arguments, **more):
        return self.run(self.kubectl_command(*arguments), **more)

    def get(self, *arguments):
        """An object, or a list of them, as the API server has it."""
        return json.loads(self.kubectl("get", *arguments, "-o", "json").out)

    def apply(self, *paths):
        for path in paths:
            self.kubectl("apply", "-f", beds.DEPLOY / path)

    # --- what is left ---

    def leftovers(self):
        """Pods, and whatever of them the node still has."""
        found = [f"pod {line}" for line in self.kubectl(
            "get", "pods", "-o", "name", "--all-namespaces", check=False).out.split()]
        found += [f"process {pid}: {command}" for pid, command in self.strangers()
                  if command.startswith("containerd-shim") or "containerd-shim-" in command]
        for top in beds.cgroup_tops(self.name):
            found += [f"cgroup {path}" for path in top.rglob("pod*-*-*") if path.is_dir()]
        for folder in ("/run/netns", "/run/containerd/s", "/run/wherry", self.path("state/netns"),
                       self.path("state/io.containerd.runtime.v2.task")):
            found += [f"file {path}" for path in sorted(pathlib.Path(folder).rglob("*"))
                      if not path.is_dir() and path.name != ".lock"]
        return found

    def containers(self):
        """Those that run: the kubelet removes dead ones when it comes by, once a minute."""
        return self.ctr("tasks", "ls", "-q", namespace="k8s.io", check=False).out.split()

    def forget(self):
        """After a failed case: everything in the cluster that is not the cluster's own."""
        kinds = "deployments,jobs,services,configmaps,secrets,pods"
        self.kubectl("delete", kinds, "--all", "--ignore-not-found", "--grace-period=0", "--force",
                     check=False, timeout=120)

    def close(self):
        for name in ("kubelet", "kube-proxy", "kube-scheduler", "kube-controller-manager",
                     "kube-apiserver", "etcd"):
            self.stop(name, signal.SIGTERM if name != "kube-apiserver" else signal.SIGKILL)
        super().close()
        time.sleep(0.2)
        for top in beds.cgroup_tops(self.name):
            beds.remove_tree(top)
        for point in reversed([line.split()[4] for line in
                               pathlib.Path("/proc/self/mountinfo").read_text().splitlines()]):
            if point.startswith(self.path("kubelet")):
                subprocess.run(["umount", "-l", point], check=False)
