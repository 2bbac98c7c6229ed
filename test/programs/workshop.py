"""What the tests of real programs are made with: sources from package registries, builds of them for
wasm and for this machine, and runs of both. Everything lies in build/programs and is made once;
compiled modules are kept there too."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent

APT_SOURCE = "deb-src http://deb.debian.org/debian bookworm main\n"
# What C programs expect of POSIX and WASI lacks.
EMULATED = ["-D_WASI_EMULATED_SIGNAL", "-lwasi-emulated-signal", "-D_WASI_EMULATED_PROCESS_CLOCKS",
            "-lwasi-emulated-process-clocks"]


class Skip(Exception):
    """Cannot be tried here; the text says why."""


class Result:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def __eq__(self, other):
        return (self.status, self.out) == (other.status, other.out)

    def __repr__(self):
        return f"status {self.status}, {len(self.out)} bytes {self.out[:400]!r}, stderr {self.err[-1500:]!r}"


def same(seen, wanted, what):
    """Byte for byte; says where they part."""
    if seen == wanted:
        return
    if isinstance(seen, bytes):
        at = next((i for i, (a, b) in enumerate(zip(seen, wanted)) if a != b), min(len(seen), len(wanted)))
        raise AssertionError(f"{what}: {len(seen)} bytes, wanted {len(wanted)}; they part at {at}: "
                             f"{seen[at:at + 60]!r}, wanted {wanted[at:at + 60]!r}")
    raise AssertionError(f"{what}: {seen!r}, wanted {wanted!r}")


def find_wherry():
    if "WHERRY" in os.environ:
        return os.environ["WHERRY"]
    for preset in ("release", "dev"):
        path = ROOT / "build" / preset / "bin" / "wherry"
        if path.exists():
            return str(path)
    raise SystemExit("programs: no wherry: run make build first, or set WHERRY")


def need(*tools):
    for tool in tools:
        if not shutil.which(tool):
            raise Skip(f"needs {tool}")


def run(command, minutes=10, **options):
    """The result of a command that may fail."""
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=minutes * 60, **{"stdin": subprocess.DEVNULL, **options})
    return Result(done.returncode, done.stdout, done.stderr)


def must(command, **options):
    result = run(command, **options)
    if result.status != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: {result!r}")
    return result


class Workshop:
    def __init__(self):
        self.directory = ROOT / "build" / "programs"
        self.directory.mkdir(parents=True, exist_ok=True)
        self.wherry = find_wherry()
        os.environ["WHERRY_CACHE_DIR"] = str(self.directory / "cache")

    # --- sources -------------------------------------------------------------------------------------

    def _fetched(self, name, fetch):
        """The directory that `fetch` fills; a half-filled one is not taken for whole."""
        target = self.directory / name
        if not target.exists():
            with tempfile.TemporaryDirectory(dir=self.directory) as scratch:
                parts = pathlib.Path(scratch) / "parts"
                parts.mkdir()
                fetch(parts)
                parts.rename(target)
        return target

    def debian_source(self, package):
        """Debian's source of the package, without its patches; apt's own lists are left alone."""
        need("apt-get", "tar")

        def fetch(into):
            lists = into / "apt"
            (lists / "partial").mkdir(parents=True)
            (into / "sources.list").write_text(APT_SOURCE)
            options = [f"-oDir::Etc::sourcelist={into}/sources.list", "-oDir::Etc::sourceparts=/dev/null",
                       f"-oDir::State::lists={lists}", "-qq"]
            for arguments in (["update"], ["source", "--download-only", package]):
                if (result := run(["apt-get", *options, *arguments], cwd=into)).status != 0:
                    raise Skip(f"no source of {package}: {result.err.decode().strip()[-200:]}")
            shutil.rmtree(lists)
            archive, = into.glob("*.orig.tar.?z")
            must(["tar", "-xf", archive, "-C", into, "--strip-components=1"])

        return self._fetched(f"debian-{package}", fetch)

    def npm(self, package):
        """The folder of one exact version of an npm package."""
        need("npm", "tar")

        def fetch(into):
            result = run(["npm", "pack", "--silent", package], cwd=into)
            if result.status != 0:
                raise Skip(f"npm has no {package}: {result.err.decode().strip()[-200:]}")
            archive, = into.glob("*.tgz")
            must(["tar", "-xf", archive, "-C", into])
            archive.unlink()

        return self._fetched("npm-" + package.strip("@").replace("/", "-"), fetch) / "package"

    def wheel(self, requirement):
        """What one exact version of a PyPI package holds; nothing of it is installed or run."""
        need("pip3")

        def fetch(into):
            result = run(["pip3", "download", "-q", "--no-deps", "--only-binary=:all:", "-d", into, requirement])
            if result.status != 0:
                raise Skip(f"PyPI has no {requirement}: {result.err.decode().strip()[-200:]}")
            archive, = into.glob("*.whl")
            zipfile.ZipFile(archive).extractall(into)
            archive.unlink()

        return self._fetched("pypi-" + requirement.replace("==", "-"), fetch)

    # --- builds --------------------------------------------------------------------------------------

    def _newer(self, target, sources):
        return target.exists() and all(
            target.stat().st_mtime_ns >= pathlib.Path(source).stat().st_mtime_ns for source in sources)

    def build_c(self, name, sources, flags=(), wasm_flags=()):
        """One C program twice; (module, program of this machine)."""
        need("clang-19", "wasm-ld-19")
        module, native = self.directory / f"{name}.wasm", self.directory / f"{name}-native"
        common = ["-O2", "-w", "-D_GNU_SOURCE", *flags, *sources]
        if not self._newer(module, sources):
            must(["clang-19", "--target=wasm32-wasi", *wasm_flags, *EMULATED, *common, "-o", module])
        if not self._newer(native, sources):
            must(["clang-19", *common, "-o", native, "-lm"])
        return module, native

    def build_rust(self, name, source):
        need("rustc")
        module, native = self.directory / f"{name}.wasm", self.directory / f"{name}-native"
        for output, target in ((module, ["--target", "wasm32-wasip1"]), (native, [])):
            if self._newer(output, [source]):
                continue
            result = run(["rustc", "--edition", "2021", "-O", *target, source, "-o", output])
            if result.status != 0 and b"can't find crate for `std`" in result.err:
                raise Skip("rustc lacks the target wasm32-wasip1")
            same(result.status, 0, repr(result))
        return module, native

    # --- runs ----------------------------------------------------------------------------------------

    def compile(self, module, minutes=30):
        """Ahead of the run, so that runs have no compile in their time."""
        must([self.wherry, "compile", module], minutes=minutes)

    def guest(self, module, *arguments, root=None, env=(), minutes=10, **options):
        """Runs a module with `root` as its "/"."""
        command = [self.wherry, "wasm", "run", "--quiet"]
        if root:
            command += ["--dir", f"{root}::/"]
        for variable in env:
            command += ["--env", variable]
        return run([*command, module, *arguments], minutes, **options)
