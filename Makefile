# Every target runs a script in tools/, which first sets up what it needs. PYTHON=/path/to/python3 chooses a Python.
.PHONY: help site test unit fuzz lint sanity cores generate docs dist release tools molecule bench faults undo clean
.DEFAULT_GOAL := help
export PYTHON

help: ## show this list
	@sed -n 's/^\([a-z]*\): ## /\1 /p' Makefile | while read -r name text; do printf '  make %-8s %s\n' "$$name" "$$text"; done

site: ## the main job on this machine: site.yml on inventories/local (ARGS='--check --diff' and the like)
	@tools/site.sh $(ARGS)

test: ## everything that CI runs: lint, unit tests, sanity, whole runs, a cluster in containers
	@tools/test.sh

unit: ## the unit tests alone, on every core (ARGS='-k name' and the like)
	@tools/unit.sh $(ARGS)

fuzz: ## directives through real Slurms, odd texts through the linter (ARGS='5000 7': how many, and the seed)
	@tools/fuzz.sh $(ARGS)

lint: ## generated texts, ruff, mypy, ansible-lint, yamllint, the changelog
	@tools/lint.sh

sanity: ## ansible-test sanity (ARGS='--test pep8' and the like)
	@tools/sanity.sh $(ARGS)

cores: ## sanity and site.yml on every supported ansible-core (ARGS='2.20 2.22' chooses some)
	@tools/cores.sh $(ARGS)

generate: ## write the generated texts (ARGS='--check' only lists those that are out of date)
	@tools/generate.sh $(ARGS)

docs: ## build the docs site in out/docs (ARGS=FOLDER)
	@tools/docs.sh $(ARGS)

dist: ## build and check what can be published, in out/dist (ARGS=FOLDER)
	@tools/dist.sh $(ARGS)

release: ## write the changelog, do what dist does in out/VERSION, commit and tag (VERSION=1.0.0); nothing is pushed
	@tools/release.sh $(VERSION)

tools: ## write sbatch-lint, torch-verdict and guide-lint, as the role user_tools installs them (ARGS=FOLDER)
	@tools/user_tools.sh $(ARGS)

molecule: ## a cluster in containers (ARGS='user' for one scenario, ARGS='converge -s user' and the like for one step)
	@tools/molecule.sh $(ARGS)

bench: ## paired timings, printed (ARGS='NAME...' chooses some)
	@tools/bench.sh $(ARGS)

faults: ## cause faults while conda_env or site.yml runs, write the results to docs/faults.md (ARGS='NAME...' chooses some)
	@tools/faults.sh $(ARGS)

undo: ## undo make site: remove the folder .site
	@tools/undo.sh

clean: ## remove what the tools left in the checkout, and this project's cache; .site stays
	@tools/clean.sh
