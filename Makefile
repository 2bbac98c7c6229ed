# The commands of this project. `make demo` and `make test` are all that one needs; both install what
# is missing on Debian 12.
.PHONY: build demo install example-images test test-cri test-k8s test-programs test-vm test-leaks test-cve test-weakened bench fuzz lint packages clean
.DEFAULT_GOAL := build

BIN := build/release/bin
PREFIX ?= /usr/local

packages:
	@.ci/install-packages

# The programs, as they are shipped, in build/release/bin.
build: packages
	@cmake --preset release >build-configure.log 2>&1 || { cat build-configure.log; exit 1; }
	@rm -f build-configure.log
	@cmake --build --preset release --target wherry wherry-exec wherry-compile containerd-shim-wherry-v2

demo: build
	@test/demo/demo.sh

# The programs, and what containerd and Kubernetes want to know of them (deploy/README.md).
PROGRAMS := wherry wherry-exec wherry-compile containerd-shim-wherry-v2
install:
	@test -x $(BIN)/wherry || { echo "make install: nothing is built: make build" >&2; exit 1; }
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/wherry/containerd $(DESTDIR)$(PREFIX)/share/wherry/examples
	install -m 755 $(PROGRAMS:%=$(BIN)/%) $(DESTDIR)$(PREFIX)/bin
	install -m 644 deploy/README.md deploy/runtimeclass.yaml $(DESTDIR)$(PREFIX)/share/wherry
	install -m 644 deploy/containerd/*.toml $(DESTDIR)$(PREFIX)/share/wherry/containerd
	install -m 644 deploy/examples/*.yaml $(DESTDIR)$(PREFIX)/share/wherry/examples

# The images of deploy/examples, for `ctr -n k8s.io images import`.
example-images: packages
	@python3 test/beds/catalogue.py build/example-images.tar && echo build/example-images.tar

# Everything: lint, both compilers, unit and integration tests, sanitizers, conformance, a short fuzz.
test: packages
	@test/run

# Real programs (SQLite, zstd, esbuild, CPython, Go's own tests) against their native builds: half an
# hour the first time, since large modules are compiled. `make test` has the small ones.
test-programs: build
	@test/programs/run

# The tests of what this machine may not have, cgroup v2 and systemd, in an emulated one (20 minutes;
# the first time some more, and with the network, to build its image).
test-vm: build
	@cmake --build --preset release --target runtime_cgroup_test runtime_state_test
	@test/vm/all

# critest against a containerd of its own: 2.4 where test/beds/build has made it, else Debian's. CRITEST
# names the program, built from a checkout of kubernetes-sigs/cri-tools. Three minutes.
test-cri: build
	@WHERRY_BIN_DIR=$(BIN) test/integration/critest.py

# A Kubernetes of one node, with pods of deploy/examples: six minutes, and the first time fifteen more to
# build Kubernetes.
test-k8s: build
	@test/beds/build containerd kubernetes
	@WHERRY_BIN_DIR=$(BIN) test/k8s/run

# Nothing is left of 1,000 containers whose commands are killed at random (10 minutes): make test-leaks SEED=7
test-leaks: build
	@SEED=$(or $(SEED),1) RUNTIME=$(abspath $(BIN))/wherry test/leaks/leaks.py $(or $(CYCLES),1000)

# What other runtimes had CVEs for, on the runtime and with its defences switched off by ptrace (a minute; in `make test` too).
test-cve: build
	@RUNTIME=$(abspath $(BIN))/wherry test/cve/run

# Each defence of the WASI sandbox and the filter compiler edited out in turn, and leaks planted, in builds that
# nothing installs: the tests must fail (20 minutes). make test-weakened ONLY="wasi", or the name of one
test-weakened: packages
	@test/cve/weakened_builds.py $(ONLY)

# A table, and build/bench.json.
bench: build
	@test/bench/run $(BIN)

# One libFuzzer target for as long as you like: make fuzz TARGET=fuzz_decoder SECONDS=3600
fuzz: packages
	@test/fuzz/run $(or $(TARGET),all) $(or $(SECONDS),60)

lint: packages
	@test/lint/run

clean:
	@rm -rf build
