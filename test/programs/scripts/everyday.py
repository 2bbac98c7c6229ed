# What scripts do every day: files, text, numbers, hashes, data formats, generators, exceptions.
import collections, csv, datetime, decimal, fractions, hashlib, heapq, io, itertools, json, os, pathlib
import random, re, shutil, struct, tempfile, textwrap, zlib

base = pathlib.Path("/work")
base.mkdir()
for number in range(400):
    (base / f"f{number % 20}").mkdir(exist_ok=True)
    (base / f"f{number % 20}" / f"n{number}.txt").write_text(f"line {number}\n" * number)
sizes = {str(path): path.stat().st_size for path in sorted(base.rglob("*.txt"))}
print(len(sizes), sum(sizes.values()), hashlib.sha256(json.dumps(sizes).encode()).hexdigest())
os.rename(base / "f3", base / "renamed")
print(sorted(os.listdir(base))[-3:], [len(files) for _, _, files in sorted(os.walk(base))][:5])
try:
    open("/nowhere/file")
except FileNotFoundError as error:
    print(type(error).__name__, error.filename)
with open(base / "seek.bin", "w+b") as file:
    for number in range(5000):
        file.seek(number * 7919 % 60000)
        file.write(struct.pack("<Id", number, number / 3))
    file.truncate(50000)
    file.seek(0)
    print(hashlib.md5(file.read()).hexdigest())
shutil.rmtree(base)
print(base.exists())

chance = random.Random(1)
numbers = [chance.gauss(0, 1) for _ in range(20000)]
print(repr(sum(numbers)), repr(min(numbers)), heapq.nsmallest(3, numbers))
decimal.getcontext().prec = 60
print(decimal.Decimal(2).sqrt(), fractions.Fraction(355, 113) ** 5, pow(3, 10**5, 10**40 + 7))
print(hashlib.sha512(str(2**10000).encode()).hexdigest()[:32], zlib.crc32(bytes(range(256)) * 1000))
words = re.findall(r"\b[a-z]{4,7}\b", textwrap.__doc__ + (re.__doc__ or ""))
print(collections.Counter(words).most_common(8))
table = io.StringIO()
csv.writer(table).writerows([n, str(n) * 3, 'with "quotes", and comma'] for n in range(5))
print(table.getvalue().encode())
print(datetime.datetime(2024, 2, 29, 12, 30) + datetime.timedelta(days=366), "%.17g %e" % (0.1, 1e300))


class Tree:
    def __init__(self, items):
        self.root = None
        for item in items:
            self.root = self.insert(self.root, item)

    def insert(self, node, item):
        if node is None:
            return [item, None, None]
        node[1 + (item > node[0])] = self.insert(node[1 + (item > node[0])], item)
        return node

    def __iter__(self):
        def walk(node):
            if node:
                yield from walk(node[1])
                yield node[0]
                yield from walk(node[2])
        return walk(self.root)


items = chance.sample(range(10**6), 8000)
print(list(Tree(items)) == sorted(items), list(itertools.islice(Tree(items), 4)))


def deep(n):
    return deep(n + 1)


try:
    deep(0)
except RecursionError as error:
    print("RecursionError", error)
print("done")
