#!/usr/bin/env python3
"""pods.py IMAGES [CONTAINERD]: pods as a kubelet with `cgroupDriver: systemd` makes them, inside of the guest:
containerd (Debian's 1.6, or the program that is named) with SystemdCgroup = true, cgroup v2, systemd.
IMAGES is a tar for `ctr images import`; `cri` (test/beds/containerd/cri) is in PATH.

The last line is "N passed, M failed".
"""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time
import traceback

CGROUP = pathlib.Path('/sys/fs/cgroup')
SLICE = 'kubepods-pod1.slice'
BELOW = 'kubepods.slice/kubepods-pod1.slice'
MIB = 1 << 20
PATIENCE = 180  # the machine is emulated
DIRECTORY = pathlib.Path('/run/pods')
SOCKET = DIRECTORY / 'containerd.sock'
BIN = pathlib.Path('/opt/wherry/bin')


def configuration(is_old):
    plugin = 'io.containerd.grpc.v1.cri' if is_old else 'io.containerd.cri.v1.runtime'
    runtime = f'[plugins."{plugin}".containerd.runtimes.wherry'
    image = (f'[plugins."{plugin}"]\n  sandbox_image = "bed.local/pause:1"' if is_old else
             '[plugins."io.containerd.cri.v1.images".pinned_images]\n  sandbox = "bed.local/pause:1"')
    # 1.6 hands on the path of a file, but no options of its own configuration.
    options = f'ConfigPath = "{DIRECTORY}/wherry.toml"' if is_old else 'SystemdCgroup = true'
    (DIRECTORY / 'wherry.toml').write_text('SystemdCgroup = true\n')
    return f'''version = {2 if is_old else 3}
root = "/var/lib/pods"
state = "{DIRECTORY}/state"
[grpc]
  address = "{SOCKET}"
{image}
[plugins."{plugin}".containerd]
  default_runtime_name = "wherry"
{runtime}]
  runtime_type = "io.containerd.wherry.v2"
{runtime}.options]
  {options}
'''


class Daemon:
    def __init__(self, images, containerd):
        self.images, self.containerd = images, containerd or '/usr/bin/containerd'

    def __enter__(self):
        # Copied, so that PATH has no tests in it; /run would not do, it is noexec.
        for path in (BIN, DIRECTORY, '/var/lib/pods'):
            shutil.rmtree(path, ignore_errors=True)
        shutil.copytree('/mnt/wherry/bin', BIN, ignore=shutil.ignore_patterns('*_test'))
        DIRECTORY.mkdir()
        pathlib.Path('/etc/resolv.conf').touch()  # the CRI copies it into every pod
        text = subprocess.run([self.containerd, '--version'], stdout=subprocess.PIPE, text=True,
                              check=True).stdout
        print('--', text.strip(), flush=True)
        (DIRECTORY / 'config.toml').write_text(configuration(' 1.' in text))
        subprocess.run(['systemctl', 'stop', 'containerd'], check=False)
        self.log = open(DIRECTORY / 'log', 'w')
        self.process = subprocess.Popen(
            ['systemd-run', '--quiet', '--scope', '--unit=pods-containerd', '-p', 'Delegate=yes',
             self.containerd, '--config', str(DIRECTORY / 'config.toml')],
            stdout=self.log, stderr=self.log, env={**os.environ, 'PATH': f'{BIN}:{os.environ["PATH"]}'})
        try:
            self.await_answers()
        except Exception:
            print((DIRECTORY / 'log').read_text()[-5000:], flush=True)
            raise
        return self

    def await_answers(self):
        wait_until(lambda: self.ctr('version').returncode == 0, 'containerd answers')
        self.ctr('-n', 'k8s.io', 'images', 'import', self.images, check=True)
        self.client = subprocess.Popen(
            ['cri', 'serve'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, 'CONTAINER_RUNTIME_ENDPOINT': f'unix://{SOCKET}'})
        wait_until(lambda: 'error' not in self.ask('Version'), 'the CRI answers')

    def __exit__(self, *_):
        self.client.kill()
        subprocess.run(['systemctl', 'stop', 'pods-containerd.scope'], check=False)

    def ctr(self, *words, **kwargs):
        return subprocess.run(['ctr', '--address', str(SOCKET), *words], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, **kwargs)

    def ask(self, method, **request):
        line = {'service': 'RuntimeService', 'method': method, 'request': request}
        self.client.stdin.write(json.dumps(line) + '\n')
        self.client.stdin.flush()
        return json.loads(self.client.stdout.readline())

    def call(self, method, **request):
        answer = self.ask(method, **request)
        if 'error' in answer:
            raise AssertionError(f'{method}: {answer["error"]}')
        return answer['response']


class Pod:
    def __init__(self, daemon):
        self.daemon = daemon
        self.config = {'metadata': {'name': 'p', 'uid': 'u1', 'namespace': 'default'},
                       'log_directory': str(DIRECTORY / 'logs'),
                       'linux': {'cgroup_parent': f'/kubepods.slice/{SLICE}', 'security_context': {
                           'namespace_options': {'network': 'NODE'}}}}
        (DIRECTORY / 'logs').mkdir(exist_ok=True)
        self.id = daemon.call('RunPodSandbox', config=self.config,
                              runtime_handler='wherry')['podSandboxId']

    def start(self, name, image, command, **resources):
        config = {'metadata': {'name': name}, 'image': {'image': f'bed.local/{image}:1'},
                  'command': command[:1], 'args': command[1:], 'log_path': f'{name}.log',
                  'linux': {'resources': resources}}
        container = self.daemon.call('CreateContainer', pod_sandbox_id=self.id, config=config,
                                     sandbox_config=self.config)['containerId']
        self.daemon.call('StartContainer', container_id=container)
        return container

    def status(self, container):
        return self.daemon.call('ContainerStatus', container_id=container)['status']

    def ended(self, container):
        wait_until(lambda: self.status(container)['state'] == 'CONTAINER_EXITED', 'it ends')
        return self.status(container)

    def execute(self, container, *command):
        answer = self.daemon.call('ExecSync', container_id=container, cmd=list(command),
                                  timeout=PATIENCE)
        return answer.get('exitCode', 0), answer.get('stdout', '')


def unit_of(container):
    return f'cri-containerd-{container}.scope'


def cgroup_of(container):
    return CGROUP / BELOW / unit_of(container)


def show(unit, name):
    return subprocess.run(['systemctl', 'show', '--value', '-p', name, unit], stdout=subprocess.PIPE,
                          text=True, check=True).stdout.strip()


def wait_until(condition, what, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f'after {seconds} s still not: {what}')
        time.sleep(0.2)


def eq(actual, expected, what='value'):
    if actual != expected:
        raise AssertionError(f'{what}: expected {expected!r}, got {actual!r}')


class Tests:
    """In order; what one starts the next may use."""

    def __init__(self, daemon):
        self.daemon = daemon

    def a_pod_starts_in_scopes_of_its_slice(self):
        self.pod = Pod(self.daemon)
        self.native = self.pod.start('native', 'busybox', ['sleep', '1000'],
                                     memory_limit_in_bytes=256 * MIB)
        for container in (self.pod.id, self.native):
            eq(show(unit_of(container), 'ActiveState'), 'active')
            eq(show(unit_of(container), 'Slice'), SLICE)
            eq(show(unit_of(container), 'Delegate'), 'yes')
            eq(len((cgroup_of(container) / 'cgroup.procs').read_text().split()), 1, 'processes')
        eq((cgroup_of(self.native) / 'memory.max').read_text().strip(), str(256 * MIB))

    def probes_by_exec_see_the_status(self):
        import base64
        status, out = self.pod.execute(self.native, 'sh', '-c', 'echo hello; cat /proc/self/cgroup')
        text = base64.b64decode(out).decode()
        eq(status, 0)
        eq(text.splitlines()[0], 'hello')
        eq(self.pod.execute(self.native, 'sh', '-c', 'exit 7')[0], 7)

    def statistics_are_those_of_the_cgroup(self):
        stats = self.daemon.call('ContainerStats', container_id=self.native)['stats']
        used = int((cgroup_of(self.native) / 'memory.current').read_text())
        said = int(stats['memory']['workingSetBytes']['value'])
        if not 0 < said <= used + MIB:
            raise AssertionError(f'working set {said}, memory.current {used}')
        if int(stats['cpu']['usageCoreNanoSeconds']['value']) <= 0:
            raise AssertionError(f'no processor time: {stats}')
        metrics = self.daemon.ctr('-n', 'k8s.io', 'tasks', 'metrics', self.native).stdout
        if 'memory.usage_limit' not in metrics and 'usage_usec' not in metrics:
            raise AssertionError(f'not the metrics of cgroup v2: {metrics}')

    def a_resize_reaches_files_and_unit(self):
        self.daemon.call('UpdateContainerResources', container_id=self.native,
                         linux={'memory_limit_in_bytes': 128 * MIB, 'cpu_quota': 30000,
                                'cpu_period': 100000})
        eq((cgroup_of(self.native) / 'memory.max').read_text().strip(), str(128 * MIB))
        eq((cgroup_of(self.native) / 'cpu.max').read_text().strip(), '30000 100000')
        eq(show(unit_of(self.native), 'MemoryMax'), str(128 * MIB))
        subprocess.run(['systemctl', 'daemon-reload'], check=True)
        eq((cgroup_of(self.native) / 'memory.max').read_text().strip(), str(128 * MIB))

    def over_the_limit_is_oom_killed(self):
        greedy = self.pod.start('greedy', 'busybox', ['tail', '/dev/zero'],
                                memory_limit_in_bytes=32 * MIB, memory_swap_limit_in_bytes=32 * MIB)
        status = self.pod.ended(greedy)
        eq((status.get('reason'), status.get('exitCode')), ('OOMKilled', 137))
        self.daemon.call('RemoveContainer', container_id=greedy)
        eq(show(unit_of(greedy), 'ActiveState'), 'inactive')

    def a_module_runs_beside_it_and_ends_at_once(self):
        wasm = self.pod.start('wasm', 'worker', ['/worker.wasm', 'spin'])
        wait_until(lambda: (cgroup_of(wasm) / 'cpu.stat').exists()
                   and int((cgroup_of(wasm) / 'cpu.stat').read_text().split()[1]) > 3000000,
                   'it computes')
        begin = time.monotonic()
        self.daemon.call('StopContainer', container_id=wasm, timeout=60)
        eq(self.pod.ended(wasm).get('exitCode'), 143)
        if time.monotonic() - begin > 30:
            raise AssertionError('the grace period was used')

    def deletion_leaves_nothing(self):
        self.daemon.call('StopPodSandbox', pod_sandbox_id=self.pod.id)
        self.daemon.call('RemovePodSandbox', pod_sandbox_id=self.pod.id)
        listed = subprocess.run(['systemctl', 'list-units', '--all', '--no-legend', 'cri-containerd-*'],
                                stdout=subprocess.PIPE, text=True, check=True).stdout
        eq(listed, '', 'units')
        eq([path.name for path in (CGROUP / BELOW).glob('*.scope')], [], 'cgroups')
        wait_until(lambda: not shims(), 'the shim ends')


def shims():
    found = []
    for path in pathlib.Path('/proc').glob('[0-9]*/cmdline'):
        with contextlib.suppress(OSError):
            if b'containerd-shim-wherry' in path.read_bytes():
                found.append(path)
    return found


def main():
    names = [name for name in vars(Tests) if not name.startswith('_')]
    passed = 0
    with Daemon(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None) as daemon:
        tests = Tests(daemon)
        for name in names:
            begin = time.monotonic()
            try:
                getattr(tests, name)()
            except Exception:
                print(f'FAILED {name}\n{traceback.format_exc()}', flush=True)
                if not hasattr(tests, 'native'):
                    break  # nothing to go on with
                continue
            passed += 1
            print(f'ok {name} ({time.monotonic() - begin:.1f} s)', flush=True)
        if passed < len(names):
            print((DIRECTORY / 'log').read_text()[-3000:], flush=True)
    print(f'{passed} passed, {len(names) - passed} failed', flush=True)
    return 0 if passed == len(names) else 1


if __name__ == '__main__':
    sys.exit(main())
