"""Images made from nothing, as OCI layouts: layers from bytes at hand, no base image, no network.

    image = images.Image("bed.local/hello:1", [images.layer({"app.wasm": module})], entrypoint=["/app.wasm"])
    images.write_layout([image, ...], path)     what ctr imports (a tar)
    images.push(image, "127.0.0.1:5000")        what crictl pulls
"""

import dataclasses
import gzip
import hashlib
import io
import json
import pathlib
import shutil
import subprocess
import tarfile
import urllib.error
import urllib.request

import programs

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
WASM_CONFIG = "application/vnd.wasm.config.v0+json"
WASM_LAYER = "application/wasm"
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

STAND_INS = programs.HERE / "stand-ins"
WORK = programs.ROOT / "build" / "beds"


@dataclasses.dataclass(frozen=True)
class Blob:
    media_type: str
    data: bytes

    @property
    def digest(self):
        return "sha256:" + hashlib.sha256(self.data).hexdigest()

    def descriptor(self, **more):
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.data), **more}


@dataclasses.dataclass(frozen=True)
class Layer:
    blob: Blob
    diff_id: str


class Link(str):
    """A symbolic link's target, where a file's bytes could be."""


class HardLink(str):
    """The path of an earlier file of the same layer."""


class Image:
    def __init__(self, reference, layers, entrypoint=None, command=None, env=(), user="", ports=(),
                 volumes=(), labels=None):
        self.reference = reference
        config = {"Env": [PATH, *env], "Entrypoint": entrypoint, "Cmd": command, "User": user,
                  "ExposedPorts": {port: {} for port in ports}, "Labels": labels or {},
                  "Volumes": {volume: {} for volume in volumes}}
        self.config = Blob(CONFIG, to_json({
            "architecture": "amd64", "os": "linux",
            "config": {key: value for key, value in config.items() if value},
            "rootfs": {"type": "layers", "diff_ids": [each.diff_id for each in layers]}}))
        self.layers = [each.blob for each in layers]
        self.manifest = manifest(self.config, self.layers)

    @property
    def name_and_tag(self):
        """Repository and tag, without the registry's name."""
        return self.reference.split("/", 1)[1].rsplit(":", 1)


class WasmArtifact(Image):
    """A module as an OCI artifact: no file system, one layer that is the module itself."""

    def __init__(self, reference, module):
        self.reference = reference
        layer_blob = Blob(WASM_LAYER, module)
        self.config = Blob(WASM_CONFIG, to_json({
            "created": "2026-01-01T00:00:00Z", "architecture": "wasm", "os": "wasip1",
            "layerDigests": [layer_blob.digest]}))
        self.layers = [layer_blob]
        self.manifest = manifest(self.config, self.layers)


def to_json(value):
    return json.dumps(value, sort_keys=True).encode()


def manifest(config, layers):
    return Blob(MANIFEST, to_json({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": config.descriptor(),
        "layers": [each.descriptor() for each in layers]}))


def layer(files, modes=None, directories=()):
    """{path: bytes, Link or HardLink} as a layer; a directory is a path that ends with /. `modes` are
    those that differ from 0755."""
    modes = modes or {}
    raw = io.BytesIO()
    known = set()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar:

        def add(path, kind, data=b"", target=""):
            info = tarfile.TarInfo(path)
            info.type, info.linkname, info.size = kind, target, len(data)
            info.mode = modes.get(path, 0o755)
            tar.addfile(info, io.BytesIO(data))

        def add_parents(path):
            for parent in reversed(pathlib.PurePosixPath(path).parents):
                if str(parent) not in (".", *known):
                    known.add(str(parent))
                    add(str(parent), tarfile.DIRTYPE)

        for path in directories:
            add_parents(path)
            if path not in known:
                known.add(path)
                add(path, tarfile.DIRTYPE)
        for path, content in files.items():
            add_parents(path)
            if isinstance(content, HardLink):
                add(path, tarfile.LNKTYPE, target=content)
            elif isinstance(content, Link):
                add(path, tarfile.SYMTYPE, target=content)
            else:
                add(path, tarfile.REGTYPE, content)
    data = raw.getvalue()
    return Layer(Blob(LAYER, gzip.compress(data, 1, mtime=0)),
                 "sha256:" + hashlib.sha256(data).hexdigest())


# --- what goes into them --------------------------------------------------------------------------

def static_program(name):
    """The bytes of stand-ins/NAME.c, compiled without libraries to load."""
    source, program = STAND_INS / f"{name}.c", WORK / "stand-ins" / name
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        program.parent.mkdir(parents=True, exist_ok=True)
        compiler = shutil.which("gcc") or shutil.which("clang-19")
        subprocess.run([compiler, "-static", "-Os", "-s", "-Wall", "-o", program, source], check=True)
    return program.read_bytes()


def guest(name):
    """A module of test/guests, built when it is not there."""
    module = programs.ROOT / "build" / "guests" / f"{name}.wasm"
    if not module.exists():
        subprocess.run(["make", "-s", "-C", programs.ROOT / "test" / "guests", str(module)], check=True,
                       stdout=subprocess.DEVNULL)
    return module.read_bytes()


def busybox_layer():
    """Debian's static busybox with links for its applets, and what programs expect of a root."""
    busybox = pathlib.Path("/bin/busybox")
    applets = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True)
    files = {"bin/busybox": busybox.read_bytes(),
             "etc/passwd": b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n",
             "etc/group": b"root:x:0:\nnobody:x:65534:\n"}
    files.update({f"bin/{name}": Link("busybox") for name in applets.stdout.split()
                  if name != "busybox"})
    return layer(files, {"tmp": 0o1777, "etc/passwd": 0o644, "etc/group": 0o644},
                 ("tmp", "root", "proc", "sys", "dev", "data"))


def pause_image(reference=programs.PAUSE):
    return Image(reference, [layer({"pause": static_program("pause")})], entrypoint=["/pause"],
                 user="65535:65535")


def wasm_image(reference, name, command=None, files=None, **more):
    """FROM scratch, one module, no shell: what a user builds."""
    return Image(reference, [layer({f"{name}.wasm": guest(name), **(files or {})},
                                   directories=("data", "tmp"))],
                 entrypoint=[f"/{name}.wasm"], command=command, **more)


# --- layouts and registries -----------------------------------------------------------------------

def write_layout(images, path):
    """One tar with all images, under their references."""
    blobs, entries = {}, []
    for image in images:
        for blob in (image.config, *image.layers, image.manifest):
            blobs[blob.digest] = blob.data
        entries.append(image.manifest.descriptor(annotations={
            "io.containerd.image.name": image.reference,
            "org.opencontainers.image.ref.name": image.reference.rsplit(":", 1)[1]}))
    files = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
             "index.json": to_json({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries})}
    files.update({f"blobs/sha256/{digest[7:]}": data for digest, data in blobs.items()})
    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def request(method, url, data=None, media_type="application/octet-stream"):
    asked = urllib.request.Request(url, data, {"Content-Type": media_type, "Accept": MANIFEST},
                                   method=method)
    try:
        with DIRECT.open(asked, timeout=60) as answer:
            return answer.status, answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.headers


def push(image, registry):
    """By the distribution protocol; blobs that the registry has are not sent again."""
    repository, tag = image.name_and_tag
    base = f"http://{registry}/v2/{repository}"
    for blob in (image.config, *image.layers):
        if request("HEAD", f"{base}/blobs/{blob.digest}")[0] == 200:
            continue
        place = request("POST", f"{base}/blobs/uploads/", b"")[1]["Location"]
        place += ("&" if "?" in place else "?") + "digest=" + blob.digest
        expect(201, request("PUT", place, blob.data)[0], f"{image.reference}: {blob.digest}")
    status, _ = request("PUT", f"{base}/manifests/{tag}", image.manifest.data, MANIFEST)
    expect(201, status, f"{image.reference}: manifest")


def expect(wanted, status, what):
    if status != wanted:
        raise RuntimeError(f"registry: {what}: HTTP {status}")
