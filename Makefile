# `make demo` and `make test` do all the set-up themselves. Everything they make lies under .venv/ and build/.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

# The first interpreter of a supported version that really runs.
PYTHON ?= $(shell for p in python3.11 python3.12 python3 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null && echo $$p && break; done)
# faiss-cpu or faiss-gpu; never both.
FAISS ?= cpu
PY := .venv/bin/python
READY := .venv/ready-$(FAISS)
export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: help install demo test lint fashion grocery bench ablation lock docs clean

help:
	@echo "make demo      generate a marketplace, train, index, evaluate (build/demo)"
	@echo "make test      lint, type-check, test"
	@echo "make fashion DATA=DIR WEIGHTS=FILE [PRIOR=MODEL] [LEXICON=DIR] [LANGUAGES=FILE]   the same chain over the fashion catalogue (build/fashion)"
	@echo "make grocery DATA=DIR WEIGHTS=FILE   the photo classifier over the grocery shelves (build/grocery)"
	@echo "make bench     benchmarks over the demo (build/demo)"
	@echo "make ablation  what each ingredient of the towers brings, over the demo (build/demo/ablation); goes on where it was stopped"
	@echo "make docs      API documentation (build/docs)"
	@echo "make lock      pin the dependencies anew (requirements.lock)"

install: $(READY)

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "error: needs Python 3.11 or 3.12 with venv; set PYTHON=/path/to/python3.11" >&2; exit 2; }
	@test -x $(PY) || $(PYTHON) -m venv .venv
ifeq ($(FAISS),gpu)
	-$(PY) -m pip uninstall --quiet --yes faiss-cpu
	sed '/^faiss-cpu/,/[^\\]$$/d' requirements.lock > .venv/requirements.lock
else
	-$(PY) -m pip uninstall --quiet --yes faiss-gpu
	cp requirements.lock .venv/requirements.lock
endif
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/requirements.lock
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
ifeq ($(FAISS),gpu)
	$(PY) -m pip install --quiet --disable-pip-version-check --no-build-isolation -e '.[gpu]'
endif
	@rm -f .venv/ready-*; touch $@

# The chain. Each stage reads artifacts and writes one; a stage runs again when its inputs or its own code changed.

NAME ?= demo
LISTINGS ?= 6000
SESSIONS ?= 40000
SEED ?= 0
OUT := build/$(NAME)
# For the towers a Model2Vec folder or hub id, and a WordNet database; a vocabulary of other languages for the simulated
# searchers.
PRIOR ?=
LEXICON ?=
LANGUAGES ?=
REPORT ?= --query "gaming keyboard" --query "gamming keybord" --query "quantum flux capacitor"
CONTRACTS := relevance/ontology.py relevance/dataset.py relevance/events.py

demo: $(OUT)/report/summary.json
	@cat $(OUT)/report/summary.txt

ifdef DATA
$(OUT)/dataset/events.parquet: $(CONTRACTS) relevance/lexical.py $(wildcard index/dataset.py eval/simulate/*) | $(READY)
	$(PY) -m index dataset $(DATA)/styles.csv --out $(OUT)/catalogue --id id --title productDisplayName \
		--category masterCategory,subCategory,articleType --image "images/{id}.jpg" \
		--attributes gender,baseColour,season,usage
	$(PY) -m eval simulate --catalogue $(OUT)/catalogue --vocabulary $(DATA)/vocabulary.csv --out $(OUT)/dataset \
		--sessions $(SESSIONS) --seed $(SEED) $(if $(LANGUAGES),--vocabulary $(LANGUAGES))
else
$(OUT)/dataset/events.parquet: $(CONTRACTS) relevance/lexical.py $(wildcard eval/simulate/* eval/simulate/*/*) | $(READY)
	$(PY) -m eval simulate --out $(OUT)/dataset --listings $(LISTINGS) --sessions $(SESSIONS) --seed $(SEED)
endif

$(OUT)/classifier/manifest.json: $(OUT)/dataset/events.parquet relevance/images.py relevance/classifier.py relevance/classification.py \
		$(wildcard training/classifier/*.py)
	$(PY) -m training classifier $(OUT)/dataset --out $(OUT)/classifier $(CLASSIFIER)

$(OUT)/listings/manifest.json: $(OUT)/classifier/manifest.json index/listings.py relevance/classifier.py
	$(PY) -m index listings $(OUT)/dataset --classifier $(OUT)/classifier --out $(OUT)/listings

$(OUT)/towers/manifest.json: $(OUT)/listings/manifest.json relevance/text.py relevance/scripts.py relevance/featuriser.py \
		relevance/word_pieces.py relevance/towers.py relevance/interactions.py relevance/click_rates.py relevance/near_words.py relevance/spelling.py relevance/absent.py relevance/mistyping.py $(wildcard training/towers/*.py)
	$(PY) -m training towers $(OUT)/dataset --listings $(OUT)/listings --out $(OUT)/towers \
		$(if $(PRIOR),--text-prior $(PRIOR)) $(if $(LEXICON),--lexicon $(LEXICON))

$(OUT)/bundle/manifest.json: $(OUT)/towers/manifest.json $(wildcard index/*.py) \
		$(wildcard relevance/*.py)
	$(PY) -m index build $(OUT)/dataset --listings $(OUT)/listings --towers $(OUT)/towers --out $(OUT)/bundle

$(OUT)/report/summary.json: $(OUT)/bundle/manifest.json $(wildcard eval/*.py)
	$(PY) -m eval report --dataset $(OUT)/dataset --classifier $(OUT)/classifier --listings $(OUT)/listings \
		--towers $(OUT)/towers --bundle $(OUT)/bundle --out $(OUT)/report $(REPORT) > /dev/null

# With other languages half of all wishes are said in one of them: as many are left to the site's own.
# About an hour of processor time, most of it the classifier's.
fashion: | $(READY)
	@test -f "$(DATA)/styles.csv" || { echo "error: make fashion DATA=DIR: no styles.csv in '$(DATA)'" >&2; exit 2; }
	@test -f "$(DATA)/vocabulary.csv" || { echo "error: make fashion DATA=DIR: no vocabulary.csv in '$(DATA)'" >&2; exit 2; }
	@test -f "$(DATA)/queries_dev.tsv" || { echo "error: make fashion DATA=DIR: no queries_dev.tsv in '$(DATA)'" >&2; exit 2; }
	@test -f "$(WEIGHTS)" || { echo "error: make fashion WEIGHTS=FILE: no such file '$(WEIGHTS)'" >&2; exit 2; }
	$(MAKE) demo NAME=fashion SESSIONS=$(if $(LANGUAGES),264000,120000) REPORT= \
		CLASSIFIER="--backbone MobileNetV2 --weights $(WEIGHTS) --epochs 14 --views 2"
	$(PY) -m eval judgments --dataset build/fashion/dataset --queries $(DATA)/queries_dev.tsv --out build/fashion/judgments
	$(PY) -m eval search --bundle build/fashion/bundle --queries build/fashion/judgments/queries.csv \
		--judgments build/fashion/judgments/judgments.csv

# Twice: on the training photos, to measure on the validation photos (other shops) and to calibrate; then on all of them.
# About 40 minutes of processor time.
GROCERY := --backbone MobileNetV2 --image-size 224 --epochs 20 --batch 32 --learning-rate 4e-4 --smoothing 0.1 \
	--variation 2.4 --views 4
grocery: | $(READY)
	@test -f "$(DATA)/train.csv" || { echo "error: make grocery DATA=DIR: no train.csv in '$(DATA)'" >&2; exit 2; }
	@test -f "$(WEIGHTS)" || { echo "error: make grocery WEIGHTS=FILE: no such file '$(WEIGHTS)'" >&2; exit 2; }
	mkdir -p build/grocery/source
	ln -sfn "$(abspath $(DATA))/train" "$(abspath $(DATA))/val" build/grocery/source
	{ echo image,category,part; for part in train val; do \
		tail -n +2 "$(DATA)/$$part.csv" | sed "s/$$/,$$part/"; done; } > build/grocery/source/photos.csv
	$(PY) -m index dataset build/grocery/source/photos.csv --out build/grocery/dataset --id image --title image \
		--category category --separator / --image image --attributes part
	$(PY) -m training classifier build/grocery/dataset --out build/grocery/measured --weights "$(WEIGHTS)" $(GROCERY) \
		--test-share 0 --validation part=val
	$(PY) -m training classifier build/grocery/dataset --out build/grocery/classifier --weights "$(WEIGHTS)" $(GROCERY) \
		--test-share 0 --calibration build/grocery/measured

bench: demo
	$(PY) -m eval bench encoder --dataset $(OUT)/dataset --classifier $(OUT)/classifier
	printf '%s\n' "query,kind" "gaming keyboard," "gamming keybord," "sofa," "red dress for my daughter," \
		"quantum flux capacitor,none" > $(OUT)/bench-queries.csv
	$(PY) -m eval bench search --bundle $(OUT)/bundle --queries $(OUT)/bench-queries.csv
	$(PY) -m eval bench service --dataset $(OUT)/dataset --bundle $(OUT)/bundle
	$(PY) -m eval bench towers --dataset $(OUT)/dataset --listings $(OUT)/listings $(if $(PRIOR),--text-prior $(PRIOR))
	$(PY) -m eval bench vectors --bundle $(OUT)/bundle

# With --queries and --judgments also by judged queries.
ABLATION ?= --epochs 3 --sessions 20000
ablation: demo
	$(PY) -m eval ablation --dataset $(OUT)/dataset --listings $(OUT)/listings --out $(OUT)/ablation $(ABLATION) \
		$(if $(PRIOR),--text-prior $(PRIOR)) $(if $(LEXICON),--lexicon $(LEXICON))

test: lint
	$(PY) -m pytest --numprocesses 2 --dist loadfile

lint: $(READY)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports

docs: $(READY)
	$(PY) -m pdoc -o build/docs relevance

lock: | $(READY)
	$(PY) -m uv pip compile pyproject.toml --extra cpu --extra serve --group offline --group test --group docs \
		--universal --python-version 3.11 --generate-hashes --no-header --no-annotate -o requirements.lock

clean:
	rm -rf build .venv
