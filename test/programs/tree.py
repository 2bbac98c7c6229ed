"""A walk over 50,000 files as version control does it: every file is hashed, every directory becomes a
tree object; the name of the root's tree is the one that git itself gives it."""

import os
import pathlib
import random

from workshop import HERE, must, need, run, same

FILES, FOLDERS = 50_000, 600


def plant(root):
    """The tree: directories within directories, links, names that sort as git does and not as strcmp."""
    chance = random.Random(5)
    folders = [root]
    for number in range(FOLDERS):
        # "a" sorts as "a/" when it is a directory: after "a.c" and before "a0".
        folder = chance.choice(folders[-40:]) / f"{chance.choice('abc')}{number}"
        folder.mkdir()
        folders.append(folder)
    for number in range(FILES):
        name = chance.choice(["a{}", "{}.c", "a.{}", "\u00fcnicode {}"]).format(number)
        (chance.choice(folders) / name).write_bytes(b"%d\n" % number * (number % 7))
    for folder in folders[1:40]:
        (folder.parent / f"{folder.name}.txt").write_bytes(b"beside")
        os.symlink(folder.name, folder.parent / f"{folder.name}-link")


def fifty_thousand_files(shop, scratch):
    need("git")
    module, native = shop.build_c("tree", [HERE / "c" / "tree.c"])
    shop.compile(module)
    root = pathlib.Path(scratch) / "root"
    root.mkdir()
    plant(root)
    git = ["git", "--git-dir", f"{scratch}/git", "--work-tree", root, "-c", "core.autocrlf=false",
           "-c", "core.quotePath=false", "-c", "core.fsync=none", "-c", "core.excludesFile=/dev/null"]
    must([*git, "init", "-q"])
    must([*git, "add", "-A"])
    wanted = must([*git, "write-tree"]).out
    same(run([native, root]).out, wanted, "native walk")
    seen = shop.guest(module, "/", root=root)
    same(seen.status, 0, repr(seen))
    same(seen.out, wanted, "walk")
