# `make run` opens the window and `make test` checks everything; both set themselves up first.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
OFFSCREEN := QT_QPA_PLATFORM=offscreen:configfile=.ci/screen.json
PYTEST_ARGS ?=
WORKERS ?= 2
REPEATS ?= 5

.PHONY: run setup test test-slow test-extras check torture torture-sweep fuzz soak format same-logs bench bench-many-runs bench-pixels bench-ray bench-learning learning driving \
    evidence evidence-quick evidence-report evidence-beside without-preset scale scoreboard senses coverage probe-verdicts meter-verdicts \
    shots comparison-figure first-minutes demo zoo clean

run: setup
	@.ci/show-window $(ARGS)

setup: $(VENV)/.installed

$(VENV)/.made: | .ci/find-python
	@.ci/system-libraries
	@python=$$(.ci/find-python) && { [ -x $(BIN)/pip ] && $(BIN)/python -c "" 2>/dev/null \
	    || { echo "Making $(VENV) with $$python"; "$$python" -m venv --clear $(VENV); }; }
	@touch $@

$(VENV)/.installed: $(VENV)/.made pyproject.toml constraints.txt
	@echo "Installing dqngui and what it needs (the first time takes a few minutes)"
	@$(PIP) --editable ".[box2d,minigrid]"
	@touch $@

$(VENV)/.developing: $(VENV)/.installed
	@echo "Installing the development tools"
	@$(PIP) --editable ".[box2d,minigrid,dev]"
	@touch $@

# Formatting, lint, types, import rules, circles of imports.
check: $(VENV)/.developing
	$(BIN)/ruff format --check dqngui tests
	$(BIN)/ruff check dqngui tests
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.import_circles

test: check
	$(OFFSCREEN) OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal $(PYTEST_ARGS)

test-slow: $(VENV)/.developing
	$(OFFSCREEN) OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m slow --timeout 1800 $(PYTEST_ARGS)

# Look at exported drawings in librsvg and in Inkscape's PDF, read exported runs with TensorBoard, W&B, MLflow and pyarrow,
# open a report in Chromium, and train the queue on a local Ray cluster of several nodes that loses one (six minutes);
# installs them with apt-get and pip.
test-extras: $(VENV)/.developing
	@for program in rsvg-convert inkscape pdftoppm chromium-headless-shell; do \
	    command -v $$program >/dev/null || missing=1; done; \
	    [ -z "$$missing" ] || { apt-get update -qq; apt-get install -y --no-install-recommends librsvg2-bin inkscape \
	    poppler-utils chromium-headless-shell; }
	@$(BIN)/python -c "import tensorboard, wandb, mlflow, pyarrow, playwright" 2>/dev/null || \
	    $(PIP) --editable ".[export]" tensorboard playwright
	@$(BIN)/python -c "import ray, optuna" 2>/dev/null || $(PIP) --editable ".[ray,sweeps]"
	$(OFFSCREEN) OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m extras -n 0 $(PYTEST_ARGS)

# Check that this version trains exactly like revision BASE: logs, episodes and weights of twelve runs (some minutes).
BASE ?= HEAD~1
same-logs: $(VENV)/.developing
	rm -rf build/same-logs && mkdir -p build/same-logs/tree
	git archive $(BASE) | tar -x -C build/same-logs/tree
	PYTHONPATH=$(CURDIR)/build/same-logs/tree $(BIN)/python -P tests/evidence/same_logs.py record build/same-logs/base
	PYTHONPATH=$(CURDIR) $(BIN)/python -P tests/evidence/same_logs.py record build/same-logs/now
	$(BIN)/python -P tests/evidence/same_logs.py compare build/same-logs/base build/same-logs/now

# Kill training 200 times with SIGKILL, resume it and compare it bit for bit with runs that never stopped (about an hour;
# ARGS="--kills 10" takes five minutes). Fails if anything was lost, differs or was left behind.
torture: $(VENV)/.developing
	@$(OFFSCREEN) OMP_NUM_THREADS=1 $(BIN)/python -m tests.torture.run $(ARGS)

# Kill the worker of a sweep ten times and compare its 15 runs with runs trained alone, then the same with successive
# halving over 16 settings (about a quarter of an hour).
torture-sweep: $(VENV)/.developing
	@$(OFFSCREEN) OMP_NUM_THREADS=1 $(BIN)/python -m tests.torture.sweep $(ARGS)
	@$(OFFSCREEN) OMP_NUM_THREADS=1 $(BIN)/python -m tests.torture.sweep --pruning $(ARGS)

format: $(VENV)/.developing
	$(BIN)/ruff format dqngui tests
	$(BIN)/ruff check --fix dqngui tests

# Speed compared with stable-baselines3 and a bare loop, cost of the window and of scrubbing, lateness of the window while a
# user inspects an agent, times of every memory and attention; medians of interleaved repeats (about two hours;
# ARGS=--quick takes 15 minutes).
bench: $(VENV)/.developing
	$(OFFSCREEN) $(BIN)/python -m tests.benchmarks.run speed --repeats $(REPEATS) $(ARGS)
	$(OFFSCREEN) $(BIN)/python -m tests.benchmarks.window --repeats $(REPEATS) $(ARGS)
	$(OFFSCREEN) OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.scrubbing --repeats $(REPEATS) $(ARGS)
	$(OFFSCREEN) OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.inside $(ARGS)
	$(OFFSCREEN) OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.memories --repeats $(REPEATS) $(ARGS)

# Time and memory of the list of runs and of the window, with ten runs and with ten thousand.
bench-many-runs: $(VENV)/.developing
	$(OFFSCREEN) OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.many_runs $(ARGS)

# Memory, saving and loading of a replay of a million stacks of pictures (8 GB of memory and of disk), and the speed of
# training on pictures compared with a bare loop and stable-baselines3 (about half an hour; ARGS="--game" plays Pong).
bench-pixels: $(VENV)/.developing
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.pixels --repeats $(REPEATS) $(ARGS)

# Speed of two runs at once in processes and on a local Ray cluster (about ten minutes; needs ray).
bench-ray: $(VENV)/.developing
	@$(PIP) --editable ".[ray]"
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.ray_hosts --repeats $(REPEATS) $(ARGS)

# Wall time until CartPole is solved, compared with stable-baselines3 (about half an hour).
bench-learning: $(VENV)/.developing
	$(OFFSCREEN) $(BIN)/python -m tests.benchmarks.run learning $(ARGS)

# Check that agents with memory learn what the same agents without memory cannot, on seeds that are used nowhere else
# (about six minutes): positions-only CartPole with its control, then the strict T-maze.
SEEDS := --seeds 20-24 --jobs 2 --test-episodes 20 --runs runs/learning
learning: $(VENV)/.developing
	for preset in cartpole-positions cartpole-positions-transformer; do \
	    $(BIN)/dqngui train $$preset $(SEEDS) --stop-at 475 && \
	    $(BIN)/dqngui train $$preset $(SEEDS) --set net.memory=none || exit 1; done
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m slow -s -n 0 --timeout 1800 tests/test_remembering.py

# Train every agent of the evidence and write one JSON file per run to assets/evidence (hours; a stopped call continues
# where it was; ARGS="--jobs 4 --only tmaze-50/ --seeds 20"). `evidence-report` makes the tables and pictures of
# assets/evidence/README.md and the short table of README.md from these files.
EVIDENCE := $(OFFSCREEN) OMP_NUM_THREADS=1 $(BIN)/python -m tests.evidence
evidence: $(VENV)/.developing
	@$(EVIDENCE).run $(ARGS)

evidence-report: $(VENV)/.developing
	@$(EVIDENCE).report $(ARGS)

# Print the evidence of revision BASE beside the present one; fails if a seed that passed does not pass now.
evidence-beside: $(VENV)/.developing
	rm -rf build/evidence-base && mkdir -p build/evidence-base
	git archive $(BASE) assets/evidence | tar -x -C build/evidence-base
	@$(EVIDENCE).beside build/evidence-base/assets/evidence

# Train the default agent without a preset on fifteen tasks, five seeds each, into assets/evidence/without-preset (hours; a
# stopped call continues where it was; ARGS="--only acrobot --jobs 4"). Needs popgym, minatar, gymnasium[mujoco,box2d].
without-preset: $(VENV)/.developing
	@$(EVIDENCE).without_preset $(ARGS)

# Train four tasks in other units of rewards and observations, five seeds each, into assets/evidence/scale (hours; a stopped
# call continues where it was; ARGS="--only cartpole --jobs 1"). Needs popgym and minigrid.
scale: $(VENV)/.developing
	@$(EVIDENCE).scale $(ARGS)

# Train POPGym's Easy tasks with every memory as a sweep in build/scoreboard, and write the table task by memory to
# assets/evidence/scoreboard (many hours; a stopped call continues where it was; ARGS="--tasks RepeatPreviousEasy
# HigherLowerEasy --memories none gru --seeds 0-1"; ARGS=--report only writes the table). Needs popgym.
scoreboard: $(VENV)/.developing
	@$(EVIDENCE).scoreboard $(ARGS)

# Use the real window at random for ten minutes with each host while it trains: fails on an error, memory that grows, and
# what is left behind (ARGS="--host thread --seconds 200").
soak: $(VENV)/.developing
	$(OFFSCREEN) OMP_NUM_THREADS=1 $(BIN)/python -m tests.soak.run $(ARGS)

# Measure by simulation how often the confidence intervals contain the true value: dqngui/statistics/COVERAGE.md
# (two minutes).
coverage: $(VENV)/.developing
	@$(EVIDENCE).coverage

# What the probe says of 60 untrained agents, of trained ones and of one that never saw the cue (about a quarter of an
# hour); the table is written to assets/evidence/probe-verdicts.md.
probe-verdicts: $(VENV)/.developing
	@$(EVIDENCE).probe_verdicts assets/evidence/probe-verdicts.md

# What the faithfulness meter says of 120 untrained and seven trained agents (about ten minutes): fails if it calls more
# than one map in 60 of untrained agents an explanation, or if it misses one of a trained agent; the table is written to
# assets/evidence/meter-verdicts.md.
meter-verdicts: $(VENV)/.developing
	@$(EVIDENCE).meter_verdicts assets/evidence/meter-verdicts.md

# Drivers of the highway: the simplest ones, and three seeds each with ego attention and without (four hours on one core; a
# stopped call goes on with the next driver). Needs highway-env: pip install highway-env.
driving: $(VENV)/.developing
	@$(EVIDENCE).driving --into build/driving $(ARGS)

# Thousands of damaged and hostile runs, given to the readers and to the command line (10 minutes): a table of tracebacks,
# hangs, code that ran and writes outside the run's folder; fails if one of them is not 0.
fuzz: $(VENV)/.developing
	OMP_NUM_THREADS=1 PYTHONPATH=$(CURDIR) $(BIN)/python -P -m tests.fuzz.run $(ARGS)

# A ten-minute part of the evidence, trained into build/evidence and printed as a table.
evidence-quick: $(VENV)/.developing
	@$(EVIDENCE).run --quick --again --into build/evidence $(ARGS)
	@$(EVIDENCE).report --from build/evidence --print

# Pictures of every state of the window in every size and theme, with contact sheets, into build/shots (about three
# minutes), and of every view of every attention and memory (about four); then the README's pictures, from one run of
# about a minute, and those of the tour, from four runs (about five minutes).
shots: setup
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.gui.gallery build/shots
	@$(OFFSCREEN) OMP_NUM_THREADS=1 $(BIN)/python -m tests.gui.gallery_modules build/shots/modules
	@echo "Training for about a minute, for the README's pictures"
	@$(OFFSCREEN) OMP_NUM_THREADS=1 $(BIN)/python -m tests.gui.readme_pictures assets/screenshots
	@$(OFFSCREEN) OMP_NUM_THREADS=1 $(BIN)/python -m tests.gui.tour_pictures assets/screenshots

# The README's comparison of memories, drawn by the Compare card; 20 runs are trained first where they are missing in
# build/comparison (about a quarter of an hour on two cores; it goes on where it was stopped).
comparison-figure: setup
	@$(OFFSCREEN) OMP_NUM_THREADS=1 $(BIN)/python -m tests.gui.comparison_figure build/comparison assets/screenshots

# The README's first five minutes in the real program, with real key and mouse events on a virtual display
# (half a minute; needs Xvfb and xdotool).
first-minutes: $(VENV)/.developing
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.gui.first_minutes

# Train the demo run that the window plays at its first launch (about half a minute).
demo: setup
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.demo assets/demo

# Train the agents of the zoo, which the window plays when their preset is chosen, into assets/zoo (about an hour; those that
# belong to the present settings of their preset are passed over; ARGS="--only cartpole tmaze", ARGS=--again).
zoo: $(VENV)/.developing
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.zoo assets/zoo $(ARGS)

# Train the preset `senses` with all senses and without each, three seeds each, into assets/evidence/senses, and print the
# table (about half an hour; a stopped call goes on; ARGS="--seeds 20").
senses: $(VENV)/.developing
	@$(EVIDENCE).senses assets/evidence/senses $(ARGS)

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
