# A thin front to CMake.  `make demo` and `make check` work on a bare Debian 12: they install what is missing.
PREFIX ?= /usr/local
DESTDIR ?=
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
CMAKE_ARGS ?=

.PHONY: all deps demo check bench fuzz sanitize install clean train-setup train-test

all:
	cmake -S . -B build -DCMAKE_INSTALL_PREFIX="$(PREFIX)" $(CMAKE_ARGS)
	cmake --build build -j$(JOBS)

deps:
	bash tools/install_deps.sh build

# A scene and a voice made here, hidden, sent through WhatsApp's codec, revealed, compared.
demo:
	bash tools/install_deps.sh demo
	$(MAKE) all
	bash tools/demo.sh build

# Every test, plain and under the sanitizers; closes with "N passed, N failed, N skipped".
check:
	bash tools/install_deps.sh check
	JOBS=$(JOBS) bash tools/check.sh

bench: all
	@if [ -f bench/run.sh ]; then bash bench/run.sh build; else echo "bench/run.sh is missing: no benchmarks here"; fi

# One minute for each parser of foreign bytes.
fuzz:
	bash tools/install_deps.sh fuzz
	JOBS=$(JOBS) bash tools/fuzz.sh

sanitize:
	cmake -S . -B build-asan -DUT_SANITIZE=ON -DUT_WERROR=ON -DCMAKE_BUILD_TYPE=RelWithDebInfo $(CMAKE_ARGS)
	cmake --build build-asan -j$(JOBS)

# The PyTorch side, in its own environment: train/.venv.
train-setup:
	python3 -m venv train/.venv
	train/.venv/bin/pip install -q -r train/requirements.txt

train-test:
	cd train && OMP_NUM_THREADS=1 .venv/bin/python -m pytest -q

install: all
	DESTDIR="$(DESTDIR)" cmake --install build

clean:
	rm -rf build build-asan build-clang build-fuzz demo
