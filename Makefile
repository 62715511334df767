# One word per chore; `.ci/run` calls these and nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TORCH := torch==2.13.0
# Extra arguments for installing torch, for example an index that carries CPU-only builds.
TORCH_ARGS ?=
export HF_HUB_OFFLINE ?= 1

.PHONY: setup demo test slow check fix lock clean

setup: $(VENV)/.ready ## prepare .venv with everything a check may need

# torch comes first and by exact version: anything that may choose a version itself may choose gigabytes of CUDA.
$(VENV)/.ready: requirements.lock pyproject.toml Makefile
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "interlock needs Python 3.11 or newer: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(TORCH) $(TORCH_ARGS)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

demo: setup ## the whole story on the embedded world
	$(BIN)/interlock demo -o demo

test: setup ## the default test suite, a process for each core, each with one thread
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal

slow: setup ## the longer proofs
	$(BIN)/python -m pytest -m slow

check: setup ## linters, types, architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: setup ## what a machine can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: setup ## write requirements.lock anew from pyproject.toml (needs uv)
	echo "$(TORCH)" | uv pip compile --quiet --universal --python-version 3.11 --generate-hashes pyproject.toml \
	  --extra train --extra serve --extra postgres --extra offline --group dev --constraint - --no-header --no-annotate \
	  $(addprefix --no-emit-package ,$(UNLOCKED)) -o requirements.lock

# What a CUDA build of torch would bring; torch installs its own.
UNLOCKED := torch triton cuda-bindings cuda-pathfinder cuda-toolkit nvidia-cublas nvidia-cuda-cupti nvidia-cuda-nvrtc \
  nvidia-cuda-runtime nvidia-cudnn-cu13 nvidia-cufft nvidia-cufile nvidia-curand nvidia-cusolver nvidia-cusparse \
  nvidia-cusparselt-cu13 nvidia-nccl-cu13 nvidia-nvjitlink nvidia-nvshmem-cu13 nvidia-nvtx

clean: ## remove what these chores made
	rm -rf $(VENV) demo .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
