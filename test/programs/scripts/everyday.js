// What scripts do every day, in the standard library of QuickJS's own shell.
function* primes() {
  const seen = new Map()
  for (let n = 2; ; n++) {
    const factor = seen.get(n)
    if (factor === undefined) { yield n; seen.set(n * n, n); continue }
    let next = n + factor
    while (seen.has(next)) next += factor
    seen.set(next, factor)
    seen.delete(n)
  }
}
let count = 0, last = 0
for (const p of primes()) { last = p; if (++count === 5000) break }
print(count, last)
print((3n ** 2000n % (10n ** 30n)).toString(), 0.1 + 0.2, Math.pow(2, 0.5), (1e21).toString())
const text = JSON.stringify({list: [...Array(2000).keys()].map(n => ({n, s: `item ${n}`, f: n / 7})), when: new Date(0)})
print(text.length, JSON.parse(text).list.at(-1).f)
print('The quick brown fox'.replace(/(?<first>\w)(\w*)/gu, '$2$<first>'), 'ünïcode'.toUpperCase(), /\p{Lu}/u.test('É'))
const sorted = [...Array(20000).keys()].sort((a, b) => (a * 7919 % 10007) - (b * 7919 % 10007) || a - b)
print(sorted.slice(0, 5), new Set(sorted.map(n => n % 113)).size)
const bytes = new Uint8Array(1 << 16).map((_, n) => n * 31)
print(new DataView(bytes.buffer).getFloat64(8), new Uint32Array(bytes.buffer)[777])
class Shape { #size = 3; static of() { return new this() } get area() { return this.#size ** 2 } }
print(Shape.of().area, [1, [2, [3, [4]]]].flat(Infinity), Object.entries({a: 1, b: {c: 2}}).join())
try { null.x } catch (error) { print(error.name, error.message) }
const file = std.open('/out.txt', 'w+')
for (let n = 0; n < 1000; n++) file.puts(`line ${n}\n`)
file.seek(-9, std.SEEK_END)
print(file.readAsString(), os.readdir('/')[0].includes('out.txt'), std.loadFile('/out.txt').length)
file.close()
print(os.remove('/out.txt'), std.loadFile('/out.txt'))
Promise.all([1, 2, 3].map(async n => { await null; return n * n })).then(all => { print(all); print('done') })
