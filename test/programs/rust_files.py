"""A Rust program that goes through std::fs and std::io: the same words as natively."""

import pathlib

from workshop import HERE, must, same


def files(shop, scratch):
    module, native = shop.build_rust("rust-files", HERE / "rust" / "files.rs")
    shop.compile(module)
    for name in ("seen", "wanted"):
        (pathlib.Path(scratch) / name).mkdir()
    seen = shop.guest(module, "/work", root=f"{scratch}/seen")
    wanted = must([native, f"{scratch}/wanted/work"])
    same(seen.status, 0, repr(seen))
    same(seen.out, wanted.out, "output")
