# make run   install what is missing into .venv and play
# make test  the same with the test tools, then lint, types and the suite
PYTHON ?= $(firstword $(foreach p,python3 python3.12 python3.11 python3.13,$(if $(shell $(p) -c 'import sys; sys.exit(not (3,11) <= sys.version_info[:2] < (3,14))' 2>/dev/null && echo ok),$(p))))
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# e.g. PIP_FLAGS="--extra-index-url https://download.pytorch.org/whl/cpu" for the small CPU build of torch
PIP_FLAGS ?=
RUN_PACKAGES := python3-venv libportaudio2 libasound2-plugins libegl1 libgl1 libgl1-mesa-dri
TEST_PACKAGES := $(RUN_PACKAGES) xvfb xauth xdotool pulseaudio pulseaudio-utils alsa-utils ffmpeg

.NOTPARALLEL:
.PHONY: run test check system-run system-test clean

run: system-run $(VENV)/installed
	@if [ "$$(uname)" = Linux ] && [ -z "$$DISPLAY$$WAYLAND_DISPLAY" ] && [ -z "$(ARGS)" ]; then \
	  echo "no display: playing headless for 20 s into livevis-demo.mp4"; \
	  $(BIN)/livevis run --headless --seconds 20 --size 960x540 --record livevis-demo.mp4; \
	else $(BIN)/livevis run $(ARGS); fi

test: system-test check
	$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "livevis needs Python 3.11, 3.12 or 3.13; none was found"; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_FLAGS) -c constraints.txt -e .
	$(BIN)/livevis engines --prepare pocket
	@touch $@

$(VENV)/installed-test: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_FLAGS) -c constraints.txt -e '.[test]'
	@touch $@ $(VENV)/installed

system-run:
	@sh system-packages.sh $(RUN_PACKAGES)

system-test:
	@sh system-packages.sh $(TEST_PACKAGES)

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis
