"""bzip2 and zstd, their own command lines: archives are those of the native build, and go back."""

import pathlib
import random

from workshop import HERE, must, same

ZSTD_FLAGS = ["-DZSTD_LEGACY_SUPPORT=0", "-DZSTD_NOTRACE", "-DBACKTRACE_ENABLE=0", "-DZSTD_DISABLE_ASM"]
ZSTD_PROGRAM = ["zstdcli", "util", "timefn", "fileio", "fileio_asyncio", "benchfn", "benchzstd", "datagen",
                "dibio"]
BZIP2_PARTS = ["bzip2", "blocksort", "huffman", "crctable", "randtable", "compress", "decompress", "bzlib"]
NO_MODES = ["-include", HERE / "c" / "no_modes.h"]


def text(size, seed):
    """Words of a small language, with some noise: compressible, and the same everywhere."""
    chance = random.Random(seed)
    words = ["".join(chance.choices("etaoinshrdlu", k=chance.randint(2, 9))) for _ in range(900)]
    out = bytearray()
    while len(out) < size:
        out += " ".join(chance.choices(words, k=4000)).encode() + chance.randbytes(97)
    return bytes(out[:size])


class Both:
    """One command line, executed in a directory of the guest's and in one of the native program's."""

    def __init__(self, shop, scratch, module, native):
        self.shop, self.module, self.native = shop, module, native
        self.seen, self.wanted = (pathlib.Path(scratch) / name for name in ("seen", "wanted"))
        self.seen.mkdir()
        self.wanted.mkdir()
        shop.compile(module)

    def put(self, name, content):
        for directory in (self.seen, self.wanted):
            (directory / name).write_bytes(content)

    def run(self, *arguments, **options):
        """Status, standard output and all files are the same; the output."""
        seen = self.shop.guest(self.module, *arguments, root=self.seen, **options)
        wanted = must([self.native, *arguments], cwd=self.wanted, **options)
        same(seen.status, wanted.status, f"{arguments}: {seen!r}")
        same(seen.out, wanted.out, f"output of {arguments}")
        same(self.files(self.seen), self.files(self.wanted), f"files after {arguments}")
        for name in self.files(self.wanted):
            same((self.seen / name).read_bytes(), (self.wanted / name).read_bytes(), f"{name} of {arguments}")
        return seen.out

    @staticmethod
    def files(directory):
        return sorted(path.name for path in directory.iterdir())


def bzip2(shop, scratch):
    source = shop.debian_source("bzip2")
    both = Both(shop, scratch, *shop.build_c(
        "bzip2", [source / f"{part}.c" for part in BZIP2_PARTS], ["-D_FILE_OFFSET_BITS=64"], NO_MODES))
    content = text(3_000_000, 1)
    both.put("large", content)
    both.put("empty", b"")
    both.put("runs", b"a" * 700_000 + b"b" * 300)
    for level in ("-1", "-9"):
        both.run(level, "--keep", "--force", "large", "empty", "runs")
    both.run("--test", "large.bz2", "empty.bz2", "runs.bz2")
    same(both.run("--decompress", "--stdout", "large.bz2"), content, "what comes back")
    both.run("--force", "--decompress", "runs.bz2", "empty.bz2")
    for number in ("1", "2", "3"):  # bzip2's own samples
        both.put("sample.bz2", (source / f"sample{number}.bz2").read_bytes())
        same(both.run("--decompress", "--stdout", "sample.bz2"), (source / f"sample{number}.ref").read_bytes(),
             f"sample {number}")


def zstd(shop, scratch):
    source = shop.debian_source("libzstd")
    parts = [source / "programs" / f"{name}.c" for name in ZSTD_PROGRAM]
    parts += sorted(path for folder in ("common", "compress", "decompress", "dictBuilder")
                    for path in (source / "lib" / folder).glob("*.c"))
    flags = [f"-I{source}/lib", f"-I{source}/lib/common", *ZSTD_FLAGS]
    both = Both(shop, scratch, *shop.build_c("zstd", parts, flags, ["-msimd128", *NO_MODES]))
    content = text(4_000_000, 2)
    both.put("large", content)
    both.put("empty", b"")
    both.put("zeros", bytes(5_000_000))
    for level in ("-1", "-3", "-9"):
        both.run("-q", level, "--check", "--force", "large", "empty", "zeros")
    both.put("part", content[:300_000])
    both.run("-q", "--ultra", "-20", "part")
    both.run("-q", "--test", "large.zst", "empty.zst", "zeros.zst", "part.zst")
    same(both.run("-q", "--decompress", "--stdout", "large.zst"), content, "what comes back")
    both.run("-q", "--force", "--decompress", "--rm", "zeros.zst", "part.zst")
    samples = [f"sample{number}" for number in range(80)]
    for number, name in enumerate(samples):
        both.put(name, text(4000, 3)[:3000] + text(600, number))
    both.run("-q", "--train", *samples, "--maxdict=20000", "-o", "dictionary")
    both.run("-q", "-D", "dictionary", "sample7")
