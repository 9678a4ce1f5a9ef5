# tidelock: `make` builds build/tidelock, `make help` lists the rest.
#
# Variables: SANITIZE=1 (AddressSanitizer and UBSan, in a folder of its own), CC=clang, V=1 (print commands),
# T=pattern (run only the tests that match), BINARY=path (test that binary), PREFIX and DESTDIR (install).

ROOMS := base http sql config postgres history lock schema report apply gate fleet
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

FLAVOUR := $(if $(SANITIZE),sanitize,dynamic)
OUT := build/$(FLAVOUR)
BINARY ?= $(if $(SANITIZE),$(OUT)/tidelock,build/tidelock)

CC ?= cc
CFLAGS ?= -O2 -g
PACKAGES := libpq yaml-0.1 jansson libcrypto
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
HARDENING := -fstack-protector-strong -fPIE $(if $(SANITIZE),,-D_FORTIFY_SOURCE=2)
override CFLAGS += -std=c11 -D_GNU_SOURCE $(WARNINGS) $(HARDENING) -Ientrypoint -I$(OUT) -MMD -MP \
	$(shell pkg-config --cflags $(PACKAGES))
override LDFLAGS += -pie -Wl,-z,relro,-z,now -Wl,--as-needed
LIBS := $(shell pkg-config --libs $(PACKAGES))
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
.PHONY: all help deps test unit integration demo trial fuzz bench lint format install clean

all: $(BINARY) ## build build/tidelock with the system's libraries

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

$(OUT)/tidelock: $(COMMAND_OBJECTS) $(ENGINE_OBJECTS)
	@echo "  link    $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

build/tidelock: build/dynamic/tidelock
	$(Q)cp -f $< $@.new && mv -f $@.new $@

$(OUT)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  cc      $<"
	$(Q)$(CC) $(CFLAGS) -c -o $@ $<

# The version is compiled into one file, which is rebuilt when the version changes.
$(OUT)/version.stamp: FORCE
	@mkdir -p $(@D)
	@echo '$(VERSION)' | cmp -s - $@ || echo '$(VERSION)' > $@
$(OUT)/cmd/tidelock/version.o: override CFLAGS += -DTIDELOCK_VERSION='"$(VERSION)"'
$(OUT)/cmd/tidelock/version.o: $(OUT)/version.stamp
.PHONY: FORCE

$(OUT)/unit/%: $(OUT)/tests/unit/%.o $(ENGINE_OBJECTS)
	@mkdir -p $(@D)
	@echo "  link    $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka

deps: ## install what building and testing need (Debian packages; root or sudo)
	$(Q)tests/deps

unit: $(UNIT_TESTS) ## the unit tests alone
	$(Q)tests/run_unit $(UNIT_TESTS)

integration: all ## the tests against real servers alone
	$(Q)tests/run_integration $(abspath $(BINARY)) tests/integration tests/sql $(if $(T),-k '$(T)')

test: ## install what is needed and run every test
	$(Q)tests/deps
	$(Q)$(MAKE) --no-print-directory test-all

.PHONY: test-all
test-all: all $(UNIT_TESTS)
	$(Q)tests/run_all $(abspath $(BINARY)) '$(T)' $(UNIT_TESTS)

demo: ## install what is needed and show a deployment on a throw-away PostgreSQL
	$(Q)tests/deps build server
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tests/demo/run $(abspath $(BINARY))

trial: all ## deploy real folders (FOLDERS="dir dir") and compare what comes of it with psql
	$(Q)tests/trial/run $(abspath $(BINARY)) $(FOLDERS)

fuzz: ## run each fuzzer of tests/fuzz for SECONDS (60)
	$(Q)tests/deps build fuzz
	$(Q)tests/fuzz/run $(or $(SECONDS),60)

bench: all ## the measurements of tests/bench, as ratios
	$(Q)tests/bench/run $(abspath $(BINARY))

lint: all ## formatting, clang-tidy, cppcheck, layers, headers, shell and Python
	$(Q)tests/lint/run

format: ## clang-format over every C file
	$(Q)clang-format -i $(C_FILES)

install: all ## copy the binary to DESTDIR/PREFIX/bin
	install -D -m 0755 $(BINARY) $(DESTDIR)$(or $(PREFIX),/usr/local)/bin/tidelock

clean: ## remove everything built
	rm -rf build

-include $(ENGINE_OBJECTS:.o=.d) $(COMMAND_OBJECTS:.o=.d) $(patsubst tests/unit/%.c,$(OUT)/tests/unit/%.d,$(wildcard tests/unit/*.c))
