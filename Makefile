# Thin: every target is a script in tools/, which sets up what it needs first. PYTHON=/path/to/python3 chooses another one.
.PHONY: help site test unit lint sanity generate molecule bench faults undo clean
.DEFAULT_GOAL := help
export PYTHON

help: ## show this list
	@sed -n 's/^\([a-z]*\): ## /\1 /p' Makefile | while read -r name text; do printf '  make %-8s %s\n' "$$name" "$$text"; done

site: ## the main job on this machine: site.yml on inventories/local (ARGS='--check --diff' and the like)
	@tools/site.sh $(ARGS)

test: ## everything that CI runs: lint, sanity, unit tests, a cluster in containers, whole runs
	@tools/test.sh

unit: ## the unit tests alone (ARGS='-k name' and the like)
	@tools/unit.sh $(ARGS)

lint: ## ansible-lint, yamllint, the changelog
	@tools/lint.sh

sanity: ## ansible-test sanity (ARGS='--test pep8' and the like)
	@tools/sanity.sh $(ARGS)

generate: ## write the texts that are made from tables (ARGS='--check' only tells which are out of date)
	@tools/generate.sh $(ARGS)

molecule: ## a cluster in containers (ARGS='user' for one scenario, ARGS='converge -s user' and the like for one step)
	@tools/molecule.sh $(ARGS)

bench: ## paired timings, printed (ARGS='NAME...' chooses some)
	@tools/bench.sh $(ARGS)

faults: ## faults done to conda_env, what it survived is written to docs/faults.md (ARGS='NAME...' chooses some)
	@tools/faults.sh $(ARGS)

undo: ## undo make site: remove the folder .site
	@tools/undo.sh

clean: ## remove what the tools left in the checkout, and this project's cache; .site stays
	@tools/clean.sh
