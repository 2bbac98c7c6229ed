#!/usr/bin/env python3
"""Refuses an include that breaks the layering of docs/architecture.md, and files that grow too long.

Run from anywhere; prints one line per offence and exits 1 if there is one.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ('*.hpp', '*.cpp', '*.def', '*.S', '*.h', '*.c')
MAX_LINES = 800

# Folder -> what it may include besides itself. The longest matching prefix counts.
MAY_INCLUDE = {
    'base': [],
    'oci': ['base'],
    'engine/structure': ['base'],
    'engine/binary': ['base', 'engine/structure'],
    'engine/validation': ['base', 'engine/structure', 'engine/binary'],
    'engine/artifact': ['base', 'engine/structure'],
    'engine/compiler': ['base', 'engine/structure', 'engine/binary', 'engine/artifact',
                        'engine/validation'],
    'engine/execution': ['base', 'engine/structure', 'engine/artifact'],
    'engine/wasi': ['base', 'engine/structure', 'engine/artifact'],
    'engine/cache': ['base', 'engine/structure', 'engine/artifact', 'engine/compiler/compile.hpp'],
    'engine/programs': ['base', 'engine'],
    'runtime/workload': ['base', 'oci', 'runtime', 'engine/cache', 'engine/programs'],
    'runtime/cli': ['base', 'oci', 'runtime', 'engine/cache', 'engine/programs'],
    'runtime': ['base', 'oci', 'runtime'],
    'shim/protocol': ['base'],
    'shim/ttrpc': ['base', 'shim/protocol'],
    'shim/bootstrap': ['base', 'oci', 'runtime', 'shim/protocol', 'shim/ttrpc'],
    'shim': ['base', 'oci', 'runtime', 'shim'],
    'test': ['base', 'oci', 'engine', 'runtime', 'shim', 'test'],
}
OURS = ('base/', 'oci/', 'engine/', 'runtime/', 'shim/', 'cni/', 'test/')
# Libraries that belong behind one folder's door; tests may compare with them.
THIRD_PARTY = {'llvm/': 'engine/compiler', 'seccomp.h': 'runtime/security', 'nettle/': 'base',
               'ares.h': 'engine/wasi'}
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^">]+)[">]', re.M)


def folder_of(name):
    found = [folder for folder in MAY_INCLUDE if name.startswith(folder + '/')]
    return max(found, key=len) if found else None


def is_allowed(target, allowed):
    return any(target == place or target.startswith(place + '/') for place in allowed)


def offences(path):
    name = path.relative_to(ROOT).as_posix()
    folder = folder_of(name)
    if folder is None:
        return
    text = path.read_text(encoding='utf-8')
    lines = text.count('\n')
    if lines > MAX_LINES and path.suffix != '.def':
        yield f'{name}: {lines} lines, the limit is {MAX_LINES}'
    for kind, target in INCLUDE.findall(text):
        for prefix, owner in THIRD_PARTY.items():
            home = name.startswith((owner + '/', 'test/'))
            if kind == '<' and target.startswith(prefix) and not home:
                yield f'{name}: <{target}> belongs to {owner}'
        ours = kind == '"' and target.startswith(OURS)
        if ours and not is_allowed(target, [folder] + MAY_INCLUDE[folder]):
            yield f'{name}: {folder} must not include {target}'


def main():
    found = [offence for pattern in SOURCES for path in sorted(ROOT.rglob(pattern))
             if 'build' not in path.relative_to(ROOT).parts for offence in offences(path)]
    for offence in found:
        print(offence)
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
