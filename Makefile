# `make help` lists the targets. Variables: T, GUEST, PREFIX, DESTDIR, GO, GOARCH,
# CC, FUZZTIME, FUZZTOTAL, BENCH.

.DEFAULT_GOAL := all
SHELL := /bin/bash
GO ?= go

VERSION := $(shell cat VERSION)
COMMIT := $(shell git describe --always --abbrev=40 --dirty --exclude='*' 2>/dev/null)

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/sbin
MANDIR ?= $(PREFIX)/share/man

# What a release is built with. Static, as shared libraries would be opened
# inside the container, where the seal on the executable does not cover them;
# not PIE, as relocation costs a millisecond at each start.
TAGS := netgo,osusergo,urfave_cli_no_docs
LDFLAGS := -buildid= -linkmode=external \
	-extldflags "-static -no-pie -Wl,--build-id=none" \
	-X main.version=$(VERSION) -X main.commit=$(COMMIT)
# What of Go's own this Go still calls an experiment: its new JSON decoder looks
# only at the types that a document has, and the former garbage collector marks
# nothing at the end of each page. Together a quarter of a start's page faults.
experiment = $(shell GOEXPERIMENT=$(1) $(GO) version >/dev/null 2>&1 && echo $(1))
comma := ,
export GOEXPERIMENT := $(call experiment,jsonv2)$(addprefix $(comma),$(call experiment,nogreenteagc))
BUILD = CGO_ENABLED=1 $(GO) build -trimpath -buildvcs=false -buildmode=exe -ldflags '$(LDFLAGS)'

GOLANGCI_VERSION := v2.15.0
T ?=
export T

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

# Always asks Go whether anything changed; it knows better than make.
.PHONY: all rung
rung: all
all: deps-build ## build ./rung, a static binary
	$(BUILD) -tags $(TAGS) -o rung .

rung-test: deps-build
	$(BUILD) -tags $(TAGS),faultinject -o rung-test .
.PHONY: rung-test

.PHONY: static
static: deps-build ## build a release into dist/ and check that it is static
	@mkdir -p dist
	$(BUILD) -tags $(TAGS) -o dist/rung-$(VERSION)-linux-$$($(GO) env GOARCH) .
	@cd dist && f=rung-$(VERSION)-linux-$$($(GO) env GOARCH) && \
		if readelf -lW $$f | grep -qE 'INTERP|DYNAMIC'; then echo "$$f is not static" >&2; exit 1; fi && \
		sha256sum $$f | tee $$f.sha256

.PHONY: cross
cross: ## build for arm64 with its C part into dist/
	@GO='$(GO)' tests/cross.sh dist/rung-$(VERSION)-linux-arm64 '$(TAGS)' '$(LDFLAGS)'

.PHONY: install
install: all ## install the binary, and man pages where there are any (PREFIX, DESTDIR)
	install -D -m 0755 rung $(DESTDIR)$(BINDIR)/rung
	@for page in man/*.8; do \
		[ -e "$$page" ] || continue; \
		install -D -m 0644 "$$page" "$(DESTDIR)$(MANDIR)/man8/$${page##*/}"; \
	done

.PHONY: demo
demo: deps-demo ## build rung and show a container's life, as root or rootless
	@$(MAKE) --no-print-directory -s all
	@RUNG=$(CURDIR)/rung tests/demo.sh

.PHONY: test
test: ## everything: deps, lint, unit with fuzz seeds, cross build, integration
	@MAKE='$(MAKE)' tests/all.sh

.PHONY: unit
unit: deps-build ## Go tests with the race detector, no root needed (T=package)
	@GO='$(GO)' tests/unit.sh

.PHONY: integration
integration: deps-test all rung-test ## bats tests, as root (T=mask for tests/integration/mask.bats)
	@RUNG=$(CURDIR)/rung RUNG_TEST=$(CURDIR)/rung-test tests/integration/run.sh

# Machines with systemd, which this one may not have (tests/guest/README.md).
GUEST ?= debian13 debian12-v1

.PHONY: test-guest
test-guest: deps-guest all rung-test ## tests in virtual machines with systemd (GUEST=debian13, T=mask or all)
	@GO='$(GO)' tests/guest/run.sh $(GUEST)

.PHONY: guest-shell
guest-shell: deps-guest all rung-test ## root's console in such a machine (GUEST=debian12-v1)
	@GO='$(GO)' tests/guest/shell.sh $(firstword $(GUEST))

.PHONY: lint
lint: deps-test ## go vet, golangci-lint, shellcheck, gcc -fanalyzer
	@GO='$(GO)' GOLANGCI_VERSION=$(GOLANGCI_VERSION) tests/lint.sh

.PHONY: fmt
fmt: deps-test ## format the Go code
	@GO='$(GO)' GOLANGCI_VERSION=$(GOLANGCI_VERSION) tests/lint.sh --fix

.PHONY: fuzz
fuzz: deps-build ## every fuzz target, Go and C (FUZZTIME=30s each, FUZZTOTAL seconds in all)
	@GO='$(GO)' tests/fuzz/run.sh

.PHONY: bench
bench: deps-demo all ## start times and memory beside the runc and crun installed here (BENCH='-rounds 50 -json')
	@mkdir -p .cache
	@$(GO) build -o .cache/bench ./tests/bench && .cache/bench -runtime rung=$(CURDIR)/rung $(BENCH)

.PHONY: man
man: ## man pages from man/*.md
	@for page in man/*.8.md; do \
		[ -e "$$page" ] || { echo 'no man/*.8.md'; exit 0; }; \
		$(GO) run github.com/cpuguy83/go-md2man/v2 -in "$$page" -out "$${page%.md}" || exit 1; \
	done

.PHONY: deps-build deps-demo deps-test deps-guest
deps-build:
	@tests/deps.sh build
deps-demo:
	@tests/deps.sh demo
deps-test:
	@tests/deps.sh test
deps-guest:
	@tests/deps.sh guest

.PHONY: clean
clean: ## remove what was built
	rm -rf rung rung-test dist .cache
