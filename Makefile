# tidelock: `make` builds build/tidelock, `make help` lists the rest.
#
# Variables: SANITIZE=1 (AddressSanitizer and UBSan, in a folder of its own), CC=clang, V=1 (print commands),
# T=pattern (run only the tests that match), BINARY=path (test that binary), SUITES="tests/integration …" (only those),
# PREFIX and DESTDIR (install), ARCH=arm64 (static, image: for that machine), COMMIT and DATE (where there is no git).

ROOMS := base http sql dialect config credentials postgres history tenants lock schema report traffic execution repair backfill apply shadow deploy gate fleet
VERSION := 0.2.0
# Where releases lie: image and chart in a registry, source and files on the project's pages. When one of these or the version has
# changed, `tests/lint/release.py --write` brings it to README, chart and examples.
REGISTRY := registry.example.com/tidelock
PROJECT := https://git.example.com/tidelock/tidelock
DOWNLOAD := $(PROJECT)/releases/download/v$(VERSION)
# "+" marks what no commit holds.
COMMIT ?= $(or $(shell git describe --always --exclude='*' --abbrev=12 --dirty=+ 2>/dev/null),unknown)
DATE ?= $(or $(shell git log -1 --format=%cs 2>/dev/null),unknown)

HOST_ARCH := $(shell dpkg --print-architecture 2>/dev/null || echo unknown)
ARCH ?= $(HOST_ARCH)
STATIC_OUT := build/static$(if $(filter-out $(HOST_ARCH),$(ARCH)),-$(ARCH))
# The stripped static binary may have this many bytes.
SIZE_BUDGET := 5500000

FLAVOUR := $(if $(SANITIZE),sanitize,dynamic)
OUT := $(if $(STATIC),$(STATIC_OUT),build/$(FLAVOUR))
SUITES ?= tests/integration tests/rig tests/image tests/sql tests/chart tests/release
BINARY ?= $(if $(SANITIZE),$(OUT)/tidelock,build/tidelock)

# Before anything is added to them: then they would count as given.
ifndef STATIC
CFLAGS ?= $(if $(SANITIZE),-O0,-O2) -g
endif
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
override CFLAGS += -std=c11 -D_GNU_SOURCE $(WARNINGS) -fstack-protector-strong -fPIE -pthread -Ientrypoint -I$(OUT) -MMD -MP

ifdef STATIC
# Set by the target "static": the compiler and the libraries are those that docker/deps/build has made. Segments of code
# alone would cost 97 kB of padding where pages may have 64 kB.
SEPARATE := $(if $(filter arm64,$(ARCH)),noseparate-code,separate-code)
DEPS := $(abspath build/deps/$(ARCH)/root)
GRAMMAR := $(DEPS)
CC := $(DEPS)/bin/cc
override CFLAGS += -Oz -g0 -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables \
	-fstack-clash-protection -ftrivial-auto-var-init=zero $(if $(filter arm64,$(ARCH)),-mbranch-protection=standard)
override LDFLAGS += -static-pie -nostdlib -B$(DEPS)/bin -fuse-ld=lld -L$(DEPS)/lib $(DEPS)/lib/rcrt1.o $(DEPS)/lib/crti.o \
	-Wl,-z,text,-z,relro,-z,now,-z,noexecstack,-z,$(SEPARATE),--pack-dyn-relocs=relr,--gc-sections,--icf=safe,-O2,--build-id=none
LIBS := -lpg_query -lcurl -lpq -lssl -lcrypto -lyaml -ljansson -lc $(DEPS)/lib/libcompiler_rt.a $(DEPS)/lib/crtn.o
COMPONENTS = awk -v libraries=' $(LIBS) ' '!/^\#/ && index(libraries, " -l" $$2 " ") { print $$1, $$3 }' docker/deps/lock
else
PACKAGES := libpq libcurl yaml-0.1 jansson libcrypto
# PostgreSQL's parser is in no distribution as it is needed here: built once, by the recipe of the static build.
GRAMMAR := build/deps/here/root
CC ?= cc
override CFLAGS += $(if $(SANITIZE),,-D_FORTIFY_SOURCE=2) $(shell pkg-config --cflags $(PACKAGES))
override LDFLAGS += -pie -Wl,-z,relro,-z,now -Wl,--as-needed
LIBS := $(GRAMMAR)/lib/libpg_query.a $(shell pkg-config --libs $(PACKAGES))
COMPONENTS = { for name in $(PACKAGES); do echo $$name $$(pkg-config --modversion $$name); done; \
	awk '$$1 == "libpg_query" { print $$1, $$3 }' docker/deps/lock; }
endif
ifdef SANITIZE
override CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
override LDFLAGS += -fsanitize=address,undefined
endif

ENGINE := $(wildcard $(ROOMS:%=entrypoint/%/*.c))
COMMAND := $(wildcard cmd/tidelock/*.c)
ENGINE_OBJECTS := $(ENGINE:%.c=$(OUT)/%.o)
COMMAND_OBJECTS := $(COMMAND:%.c=$(OUT)/%.o)
UNIT_TESTS := $(patsubst tests/unit/%.c,$(OUT)/unit/%,$(wildcard tests/unit/test_*.c))
C_FILES := $(ENGINE) $(COMMAND) $(wildcard entrypoint/*/*.h cmd/tidelock/*.h tests/*/*.[ch])

Q := $(if $(V),,@)
.DELETE_ON_ERROR:
.SECONDARY: $(UNIT_TESTS:$(OUT)/unit/%=$(OUT)/tests/unit/%.o)
.DEFAULT_GOAL := all
.PHONY: all help about deps static image release test unit integration rig test-kubernetes valgrind coverage demo trial fuzz model bench bench-check lint format install clean

all: $(BINARY) ## build build/tidelock with the system's libraries

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

LINKED := $(OUT)/tidelock$(if $(STATIC),.unstripped)
$(LINKED): $(COMMAND_OBJECTS) $(ENGINE_OBJECTS)
	@echo "  link    $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

ifdef STATIC
$(LINKED): override LDFLAGS += -Wl,-Map=$(LINKED).map

# Without symbols, weighed, and with its bill of materials beside it.
$(OUT)/tidelock: $(LINKED) docker/deps/lock docker/size docker/sbom
	@echo "  link    $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -s -o $@ $(COMMAND_OBJECTS) $(ENGINE_OBJECTS) $(LIBS)
	$(Q)docker/size $@ $<.map $(SIZE_BUDGET)
	$(Q)docker/sbom $@ $(ARCH) '$(VERSION)'
else
# So that BINARY can name it.
$(STATIC_OUT)/tidelock: FORCE
	$(Q)$(MAKE) --no-print-directory static
endif

build/tidelock: build/dynamic/tidelock
	$(Q)cp -f $< $@.new && mv -f $@.new $@

$(OUT)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  cc      $<"
	$(Q)$(CC) $(CFLAGS) -c -o $@ $<

# Only these files know the parser's trees.
GRAMMAR_OBJECTS := $(patsubst %.c,$(OUT)/%.o,$(wildcard entrypoint/sql/grammar*.c))
$(GRAMMAR_OBJECTS): override CFLAGS += -isystem $(GRAMMAR)/include/pg_query
ifndef STATIC
$(GRAMMAR_OBJECTS): $(GRAMMAR)/lib/libpg_query.a
$(GRAMMAR)/lib/libpg_query.a: docker/deps/lock docker/deps/common docker/deps/recipes/libpg_query
	$(Q)docker/deps/build here && touch $@
endif

# What the binary says of itself: its version, commit and date, and what it is made from. The file that holds it is rebuilt when that changes.
$(OUT)/made_from.h: FORCE
	@mkdir -p $(@D)
	@{ printf '#define MADE_%s "%s"\n' VERSION '$(VERSION)' COMMIT '$(COMMIT)' DATE '$(DATE)'; $(COMPONENTS) | awk ' \
		BEGIN { printf "#define MADE_FROM" } { printf " { \"%s\", \"%s\" },", $$1, $$2 } END { print "" }'; } > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
$(OUT)/cmd/tidelock/version.o: $(OUT)/made_from.h
.PHONY: FORCE

# A text as the lines of an array of C.
$(OUT)/%.json.h: cmd/tidelock/%.json
	@mkdir -p $(@D)
	$(Q)sed 's/[\\"]/\\&/g; s/.*/"&",/' $< > $@
$(OUT)/cmd/tidelock/status_json.o: $(OUT)/status.schema.json.h
$(OUT)/cmd/tidelock/plan_json.o: $(OUT)/plan.schema.json.h

$(OUT)/unit/%: $(OUT)/tests/unit/%.o $(filter-out %/main.o,$(COMMAND_OBJECTS)) $(ENGINE_OBJECTS)
	@mkdir -p $(@D)
	@echo "  link    $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka

deps: ## install what building and testing need (Debian packages; root or sudo)
	$(Q)tests/deps

static: ## build the release binary, build/static/tidelock, and the libraries in it (ARCH=arm64: cross-built)
	$(Q)tests/deps static
	$(Q)docker/deps/build $(ARCH)
	$(Q)$(MAKE) --no-print-directory STATIC=1 $(STATIC_OUT)/tidelock

image: ## build the image REGISTRY/tidelock:VERSION, which chart and examples name, also tagged tidelock:VERSION (ARCH=arm64; BUILD=words for docker build)
	$(Q)DOCKER_BUILDKIT=1 docker build -f docker/Dockerfile --platform linux/$(ARCH) --build-arg VERSION='$(VERSION)' \
		--build-arg COMMIT='$(COMMIT)' --build-arg DATE='$(DATE)' -t $(REGISTRY)/tidelock:$(VERSION) -t tidelock:$(VERSION) $(BUILD) .

release: ## everything that a release consists of, for both machines, into build/release; offline once sources and tools are there
	$(Q)tests/deps build static release
	$(Q)$(MAKE) --no-print-directory static ARCH=amd64
	$(Q)$(MAKE) --no-print-directory static ARCH=arm64
	$(Q)VERSION='$(VERSION)' COMMIT='$(COMMIT)' DATE='$(DATE)' PROJECT='$(PROJECT)' docker/release build/release

about: ## the version and where releases lie, as NAME=VALUE
	@printf '%s\n' version='$(VERSION)' commit='$(COMMIT)' date='$(DATE)' registry='$(REGISTRY)' project='$(PROJECT)' download='$(DOWNLOAD)'

unit: $(UNIT_TESTS) ## the unit tests alone
	$(Q)tests/run_unit $(UNIT_TESTS)

integration: all ## the tests against real servers alone
	$(Q)tests/run_integration $(abspath $(BINARY)) tests/integration $(if $(T),-k '$(T)')

test: ## install what is needed and run every test
	$(Q)tests/deps
	$(Q)$(MAKE) --no-print-directory test-all

.PHONY: test-all
test-all: all $(UNIT_TESTS)
	$(Q)tests/run_all $(abspath $(BINARY)) '$(T)' '$(SUITES)' $(UNIT_TESTS)

rig: all ## every fault at every message of every command, and a table of the cases (EVERY=7: at every 7th; ROUNDS=10000 random backfills; MAJORS=13,18; T=pattern)
	$(Q)tests/deps build server test
	$(Q)tests/run_integration $(abspath $(BINARY)) tests/rig --every $(or $(EVERY),1) --rounds $(or $(ROUNDS),40) $(if $(MAJORS),--majors $(MAJORS)) $(if $(T),-k '$(T)')

valgrind: all ## the engine's main tests under valgrind's memcheck (T=pattern)
	$(Q)tests/deps build server test valgrind
	$(Q)MEMCHECK_BINARY=$(abspath $(BINARY)) tests/run_integration $(abspath tests/under_valgrind) tests/integration \
		-k '$(or $(T),test_deploy or test_modes or test_resolve or test_status or test_wait or test_pooler)'

coverage: ## which lines of entrypoint/ the tests reach; at least 90 %
	$(Q)tests/deps build server test coverage
	$(Q)$(MAKE) --no-print-directory FLAVOUR=coverage CFLAGS='-O1 -g --coverage -fprofile-update=atomic' BINARY=build/coverage/tidelock \
		SUITES='tests/integration tests/rig' test-all
	$(Q)build/python/bin/gcovr --root . --filter entrypoint/ --object-directory build/coverage --sort uncovered-percent \
		--fail-under-line 90 --txt build/coverage.txt --print-summary && tail -n +6 build/coverage.txt

test-kubernetes: all ## build a Kubernetes cluster and try the chart on it (root; T=pattern)
	$(Q)tests/deps build server static chart kubernetes
	$(Q)tests/run_integration $(abspath $(BINARY)) tests/kubernetes $(if $(T),-k '$(T)')

demo: ## install what is needed and show a deployment on a throw-away PostgreSQL
	$(Q)tests/deps build server
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tests/demo/run $(abspath $(BINARY))

trial: all ## deploy real folders (FOLDERS="dir dir") and compare what comes of it with psql
	$(Q)tests/trial/run $(abspath $(BINARY)) $(FOLDERS)

fuzz: ## run each fuzzer of tests/fuzz for SECONDS (60)
	$(Q)tests/deps build fuzz
	$(Q)tests/fuzz/run $(or $(SECONDS),60)

model: ## check the model of the leader protocol with spin (FAULTS: how many crashes, 3)
	$(Q)tests/deps build model
	$(Q)tests/model/run $(FAULTS)

bench: all static ## the measurements of tests/bench, as ratios
	$(Q)tests/bench/run $(abspath $(BINARY)) $(abspath $(STATIC_OUT)/tidelock)

bench-check: all ## fail if a deployment is more work beside bare libpq than tests/bench has recorded; a minute
	$(Q)tests/bench/check $(abspath $(BINARY))

lint: all ## formatting, clang-tidy, cppcheck, layers, headers, shell and Python
	$(Q)tests/lint/run

format: ## clang-format over every C file
	$(Q)clang-format -i $(C_FILES)

INTO := $(DESTDIR)$(or $(PREFIX),/usr/local)
BASH := $(INTO)/share/bash-completion/completions
ZSH := $(INTO)/share/zsh/site-functions
FISH := $(INTO)/share/fish/vendor_completions.d
MAN := $(INTO)/share/man/man1

install: all ## the binary, and the manual page and shell completions that it prints, to DESTDIR/PREFIX
	install -D -m 0755 $(BINARY) $(INTO)/bin/tidelock
	install -d $(MAN) $(BASH) $(ZSH) $(FISH)
	umask 022 && $(BINARY) manual >$(MAN)/tidelock.1
	umask 022 && $(BINARY) completion bash >$(BASH)/tidelock
	umask 022 && $(BINARY) completion zsh >$(ZSH)/_tidelock
	umask 022 && $(BINARY) completion fish >$(FISH)/tidelock.fish

clean: ## remove everything built
	rm -rf build

-include $(ENGINE_OBJECTS:.o=.d) $(COMMAND_OBJECTS:.o=.d) $(patsubst tests/unit/%.c,$(OUT)/tests/unit/%.d,$(wildcard tests/unit/*.c))
