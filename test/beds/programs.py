"""Where the programs of a bed are: ours, Debian's, and those that test/beds/build made."""

import os
import pathlib
import shutil

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILT = pathlib.Path(os.environ.get("WHERRY_BEDS_DIR", ROOT / "build" / "beds")) / "bin"
CNI = "/usr/lib/cni"
PAUSE = "bed.local/pause:1"
DAEMONS = ("1.6", "2.4")


class Missing(Exception):
    pass


class Daemon:
    """The programs that belong to one version of containerd."""

    def __init__(self, version):
        if version not in DAEMONS:
            raise Missing(f"no daemon {version}: {', '.join(DAEMONS)}")
        debian = version == "1.6"
        self.directory = pathlib.Path("/usr/bin") if debian else BUILT
        self.containerd = self.directory / "containerd"
        self.ctr = self.directory / "ctr"
        self.runc = pathlib.Path("/usr/sbin/runc") if debian else BUILT / "runc"
        for program in (self.containerd, self.ctr, self.runc):
            if not program.exists():
                raise Missing(f"no {program}: " + ("apt-get install containerd runc" if debian else
                                                  "test/beds/build containerd"))


def wherry_directory():
    """WHERRY_BIN_DIR, or the newest build that has a shim; None without one."""
    named = os.environ.get("WHERRY_BIN_DIR")
    if named:
        return pathlib.Path(named).resolve()
    found = [ROOT / "build" / preset / "bin" for preset in ("dev", "release", "clang", "asan")]
    found = [path for path in found if (path / "containerd-shim-wherry-v2").exists()]
    return max(found, key=lambda path: (path / "containerd-shim-wherry-v2").stat().st_mtime,
               default=None)


def built(name):
    """A program of test/beds/build, or of that name in PATH."""
    path = BUILT / name
    if path.exists():
        return path
    other = shutil.which(name)
    if not other:
        raise Missing(f"no {name}: test/beds/build")
    return pathlib.Path(other)
