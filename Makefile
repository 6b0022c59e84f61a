# `make help` lists what there is.
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
DESTDIR ?=

SWIFT := swift
STRICT := --explicit-target-dependency-import-check=error
RELEASE := -c release --static-swift-stdlib
BIN := .build/release
# Where bash, zsh and fish look for completions, beneath PREFIX/share.
COMPLETIONS := bash-completion/completions/nnjobs zsh/site-functions/_nnjobs fish/vendor_completions.d/nnjobs.fish
SOURCES := Package.swift $(shell find Sources -type f)
PYTHON := .build/venv/bin/python3
# A Python that has numpy and safetensors, and torch or jax; kept outside, as they are large.
TORCH_PYTHON ?= python3
JAX_PYTHON ?= python3

.DEFAULT_GOAL := help
.PHONY: help setup build debug demo test lint check-python check-torch check-systemd
.PHONY: check-threads check-memory
.PHONY: soak certify certify-slice fuzz bench bench-huge bench-programs bench-backlog bench-queue bench-writing
.PHONY: bench-recurrent install clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install the Debian packages that building needs and this machine lacks
	@.ci/setup

build: setup ## build nnjobs and nnjobsd for release, with Swift's libraries inside
	$(SWIFT) build $(RELEASE)

demo: build ## run real jobs through the daemon on jobs/ and results/, and show what comes out
	@docs/examples/demo.sh $(BIN)

# The Swift tests come last: their closing line is what the whole run is judged by.
test: lint ## format, strict build, Python's side, systemd unit, all Swift tests
	@$(MAKE) --no-print-directory check-python
	Tests/Systemd/verify.sh .build/debug
	@$(MAKE) --no-print-directory certify-slice
	@.ci/test $(STRICT)

debug: # what the tests start
	@.ci/setup test
	$(SWIFT) build $(STRICT)

lint: ## check the format of every Swift file
	$(SWIFT) format lint --strict -r -p Sources Tests Package.swift

check-python: debug $(PYTHON) ## run the Python shown in the documentation against a daemon
	OPENBLAS_CORETYPE=Haswell $(PYTHON) Tests/Python/readme.py .build/debug

# Cases for each parser; .build/fuzz-cases keeps what is learnt from one run to the next.
CASES ?= 100000
FUZZ := .build/fuzz/release/fuzz

# Named one after the other, the compiler takes the last sanitizer alone, and nothing tells libFuzzer what a case reaches.
fuzz: setup ## feed CASES mutated inputs to each parser under the address sanitizer (Tests/Fuzz)
	NNJOBS_FUZZ=1 SWIFT_BACKTRACE=enable=no $(SWIFT) build -c release $(STRICT) --scratch-path .build/fuzz \
	  --sanitize=fuzzer --sanitize=address -Xswiftc -sanitize=fuzzer,address --product fuzz
	Tests/Fuzz/run.sh $(FUZZ) $(CASES)

check-threads: setup ## run the tests, and the programs they start, under the thread sanitizer (Tests/Sanitizers)
	@.ci/setup test
	Tests/Sanitizers/check.sh thread $(STRICT)

check-memory: setup ## … under the address sanitizer
	@.ci/setup test
	Tests/Sanitizers/check.sh address $(STRICT)

certify: build ## run T1 to T13 in full and write docs/certificate.md (Tests/Certify)
	@.ci/setup test certify
	Tests/Certify/certify.py $(BIN) --write docs/certificate.md

certify-slice: debug ## a part of each of T1 to T13
	Tests/Certify/certify.py .build/debug --slice

# Jobs of the soak.
JOBS ?= 50000

soak: build ## run JOBS mixed jobs in ten minutes with a kill about every two seconds, and check every result
	Tests/Certify/soak.py $(BIN) $(JOBS)

check-torch: debug ## compare docs/python.md's nn.RNN with PyTorch (TORCH_PYTHON=/path/to/python3 with torch)
	OPENBLAS_CORETYPE=Haswell $(TORCH_PYTHON) Tests/Python/torch_rnn.py .build/debug

check-systemd: build ## boot systemd in namespaces and put the service through its life (root)
	@.ci/setup test
	Tests/Systemd/check.sh

bench-backlog: build ## measure a daemon's start with 100,000 job files waiting, and how soon cancel frees a core
	Benchmarks/backlog.py $(BIN)

bench-queue: build ## measure the queue beside the disk alone (Benchmarks/README.md)
	Benchmarks/queue.py $(BIN)

bench-writing: ## measure ways to put results on disk beside each other (docs/writing.md)
	@.ci/setup bench
	@mkdir -p .build
	$(CC) -O2 -Wall -Wextra -pthread Benchmarks/writing.c -luring -o .build/writing
	.build/writing . 64 2 9
	.build/writing . 1024 2 5

COMPARED := --numpy $(JAX_PYTHON) --jax $(JAX_PYTHON) --torch $(TORCH_PYTHON)
# Of `make bench`: names of workloads, all if empty, and options (Benchmarks/feed_forward.py).
WORKLOADS ?=

bench: bench-programs ## measure ∂y/∂w, ∂y/∂x, kernels and Gauss–Newton beside JAX, PyTorch, NumPy and limits
	$(JAX_PYTHON) Benchmarks/feed_forward.py $(BIN) $(COMPARED) --output .build/bench.md $(WORKLOADS)

bench-huge: bench-programs ## … a Jacobian of 40 GiB on disk; needs 60 GiB of it
	$(JAX_PYTHON) Benchmarks/feed_forward.py $(BIN) $(COMPARED) --output .build/bench.md --huge --dtype float64

bench-programs: build
	@.ci/setup bench
	NNJOBS_BENCHMARKS=1 $(SWIFT) build $(RELEASE) --product bench
	$(CC) -O3 -march=native -Wall -Wextra -pthread Benchmarks/storing.c -o $(BIN)/storing
	$(CC) -O2 -Wall -Wextra -pthread Benchmarks/writing.c -luring -o $(BIN)/writing

bench-recurrent: build ## measure recurrent gradients beside JAX, PyTorch and NumPy (JAX_PYTHON=…, TORCH_PYTHON=…)
	NNJOBS_BENCHMARKS=1 $(SWIFT) build $(RELEASE) --product bench
	$(JAX_PYTHON) Benchmarks/recurrent.py $(BIN) $(COMPARED)

install: $(BIN)/nnjobs $(BIN)/nnjobsd ## install to PREFIX (/usr/local), beneath DESTDIR
	install -D -s -m 755 -t $(DESTDIR)$(PREFIX)/bin $(BIN)/nnjobs $(BIN)/nnjobsd
	install -d $(addprefix $(DESTDIR)$(PREFIX)/share/,$(dir $(COMPLETIONS)))
	for file in $(COMPLETIONS); do \
	  case $$file in bash*) shell=bash ;; zsh*) shell=zsh ;; *) shell=fish ;; esac; \
	  $(BIN)/nnjobs completions $$shell >$(DESTDIR)$(PREFIX)/share/$$file || exit; \
	done
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's,/usr/local/,$(PREFIX)/,' systemd/nnjobs.service >$(DESTDIR)$(PREFIX)/lib/systemd/system/nnjobs.service
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/lib/sysusers.d systemd/sysusers.d/nnjobs.conf
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/lib/tmpfiles.d systemd/tmpfiles.d/nnjobs.conf
	install -d $(addprefix $(DESTDIR)$(PREFIX)/share/man/man,1 5 8)
	$(BIN)/nnjobs help --man >$(DESTDIR)$(PREFIX)/share/man/man1/nnjobs.1
	$(BIN)/nnjobsd --man nnjobs.conf >$(DESTDIR)$(PREFIX)/share/man/man5/nnjobs.conf.5
	$(BIN)/nnjobsd --man nnjobsd >$(DESTDIR)$(PREFIX)/share/man/man8/nnjobsd.8
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/doc/nnjobs LICENSE docs/*.md
	[ -e $(DESTDIR)$(SYSCONFDIR)/nnjobs/nnjobs.conf ] || \
	  install -D -m 644 systemd/nnjobs.conf $(DESTDIR)$(SYSCONFDIR)/nnjobs/nnjobs.conf

clean: ## remove what was built
	rm -rf .build

$(BIN)/nnjobs $(BIN)/nnjobsd &: $(SOURCES)
	$(MAKE) build

$(PYTHON): Tests/Python/requirements.txt
	python3 -m venv .build/venv
	.build/venv/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@
