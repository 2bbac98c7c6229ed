"""Stand-ins for the images that critest pulls: what its specs look at (users, ports, pid files, tools) is
there, nothing else. They are pushed to the bed's registry, which answers for every registry's name.

Debian's static busybox will not do: its shell runs its own applets whatever the file system says, and
the spec of masked paths sees that. The ordinary package conflicts with it, so it is unpacked only.
"""

import pathlib
import re
import shutil
import subprocess

import images

E2E = "registry.k8s.io/e2e-test-images/"
CRI = "gcr.io/k8s-staging-cri-tools/"
BUSYBOX = E2E + "busybox:1.29-2"
NGINX = E2E + "nginx:1.14-2"

PASSWD = b"""root:x:0:0:root:/root:/bin/sh
www-data:x:33:33:www-data:/var/www:/bin/false
nobody:x:65534:65534:nobody:/:/bin/false
"""
GROUP = b"root:x:0:\nwww-data:x:33:\nnobody:x:65534:\n"
# One user more, who is member of a group that no test configures.
MEMBERS = {
    "etc/passwd": PASSWD + b"default-user:x:1000:1000::/:/bin/sh\n",
    "etc/group": GROUP + b"default-user:x:1000:\ngroup-defined-in-image:x:50000:default-user\n"}


def busybox_program():
    """An unpacked busybox of the ordinary package."""
    folder = images.WORK / "busybox"
    program = folder / "bin" / "busybox"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "-qq", "download", "busybox"], cwd=folder, check=True)
        subprocess.run(["dpkg", "-x", next(folder.glob("busybox_*.deb")), folder], check=True)
    return program


def with_libraries(programs):
    """{path: bytes} of programs {path in the image: file} and of what their loader maps."""
    files = {}
    for path, program in programs.items():
        files[path] = program.read_bytes()
        listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
        for library in re.findall(r"(/\S+) \(0x", listed):
            files[library.lstrip("/")] = pathlib.Path(library).read_bytes()
    return files


def tools_layer():
    busybox = busybox_program()
    tools = {"bin/busybox": busybox, "usr/bin/pgrep": pathlib.Path(shutil.which("pgrep")),
             "usr/bin/ipcs": pathlib.Path(shutil.which("ipcs"))}
    files = {"etc/passwd": PASSWD, "etc/group": GROUP, **with_libraries(tools)}
    applets = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout
    # Hard links: masking /bin/ls must not mask the others.
    files.update({f"bin/{name}": images.HardLink("bin/busybox") for name in applets.split()
                  if name != "busybox"})
    return images.layer(files, {"tmp": 0o1777, "etc/passwd": 0o644, "etc/group": 0o644},
                        ("tmp", "root", "home", "var/run", "var/www", "proc", "sys", "dev"))


def web_server(reference, tools, name, port):
    program = images.layer({f"usr/sbin/{name}": images.static_program("webserver")})
    return images.Image(reference, [tools, program], command=[f"/usr/sbin/{name}", str(port)],
                        ports=[f"{port}/tcp"])


def all_images():
    tools = tools_layer()

    def shell(reference, *layers, user=""):
        return images.Image(reference, [tools, *layers], command=["sh"], user=user)

    def marked(name, mark):
        return shell(f"{CRI}test-image-{name}", images.layer({f"mark-{mark}": mark.encode()}))

    uid = images.layer({"bin/effective-uid": images.static_program("effective_uid")},
                       {"bin/effective-uid": 0o4755})
    pause = images.layer({"pause": images.static_program("pause")})
    found = [
        shell(BUSYBOX),
        web_server(NGINX, tools, "nginx", 80),
        web_server(E2E + "httpd:2.4.39-4", tools, "httpd", 80),
        web_server(CRI + "hostnet-nginx-amd64:latest", tools, "nginx", 12003),
        images.Image(E2E + "nonewprivs:1.3", [tools, uid], command=["/bin/effective-uid"]),
        # Not the sandbox's image: a spec counts this one's tags and deletes it.
        images.Image("registry.k8s.io/pause:3.9", [pause], entrypoint=["/pause"],
                     labels={"version": "3.9"}),
        shell(CRI + "test-image-predefined-group:latest", images.layer(MEMBERS), user="1000"),
    ]
    for name, user in (("uid", "1002"), ("username", "www-data"), ("uid-group", "1003:1004"),
                       ("username-group", "www-data:1004")):
        found.append(shell(f"{CRI}test-image-user-{name}:latest", user=user))
    # test-image-digest is named by the digest of the real one: no stand-in can have it.
    found += [marked(f"{number}:latest", number) for number in "123"]
    found += [marked("latest:latest", "latest"), marked("tag:test", "test"), marked("tag:all", "all")]
    found += [marked(f"tags:{number}", "same") for number in "123"]
    return found


def push_all(registry):
    for image in all_images():
        images.push(image, registry)
