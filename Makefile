# Teamline compliance monitor. One Makefile, no recursion; `make help` explains the targets.

# The Debian packages, here and nowhere else. Those of the lab would start servers: see lab-deps.
PACKAGES_BUILD := gcc libc6-dev pkg-config libpcap-dev libndpi-dev libsqlite3-dev libfyaml-dev \
                  libsmartcols-dev libxxhash-dev libmd-dev libseccomp-dev libcap-ng-dev
PACKAGES_DEMO  := sqlite3
PACKAGES_CHECK := libcmocka-dev sqlite3 iproute2 ethtool tcpreplay openssl util-linux junitparser
PACKAGES_LAB   := nftables dnsmasq-base knot-dnsutils udhcpc nginx-light curl llmnrd krb5-kdc krb5-admin-server krb5-user \
                  coturn sip-tester ffmpeg openssh-server openssh-client inetutils-telnet inetutils-telnetd socat tinyproxy-bin \
                  chrony iputils-ping bsdutils
PACKAGES_BENCH := libndpi-bin netsniff-ng
PACKAGES_TOOLS := clang libclang-rt-14-dev clang-format clang-tidy

PKGS     := libpcap libndpi sqlite3 libfyaml smartcols libxxhash libmd libseccomp libcap-ng
PKGS_CHK := cmocka

CC := gcc
V  := 0
Q  := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' '$(1)' '$(2)')

B       := build/$(notdir $(CC))$(if $(SAN),-san)$(if $(COV),-cov)$(if $(FUZZ),-fuzz)
VERSION := $(shell cat schema/version 2>/dev/null)

PREFIX       ?= /usr/local
FUZZ_SECONDS ?= 60

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
        -Wwrite-strings -Wundef -Wvla -Wformat=2 -Wno-unused-parameter -Werror
OPT  := -O2 -g
ifdef SAN
VARIANT := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OPT     := -O1 -g
export ASAN_OPTIONS  := detect_leaks=1:abort_on_error=0:strict_string_checks=1
export LSAN_OPTIONS  := suppressions=$(CURDIR)/tests/lsan.supp:print_suppressions=0
export UBSAN_OPTIONS := print_stacktrace=1:halt_on_error=1
endif
ifdef COV
VARIANT += --coverage
endif
ifdef FUZZ
VARIANT += -fsanitize=fuzzer-no-link
endif
# The program is optimised as a whole, for a packet goes through forty small functions of as many files; what else is linked of
# its objects, tests above all, is not: an object holds both. LTO= leaves it out, and links in no time.
LTO ?= $(if $(SAN)$(COV)$(FUZZ)$(findstring clang,$(CC)),,1)
WHOLE     := $(if $(LTO),-flto=auto -w) # each file was warned of alone; here gcc guesses at lengths
NOT_WHOLE := $(if $(LTO),-fno-lto)
# Looked up once; before the packages are there both are empty, and `demo` and `check` begin anew.
PKG_CFLAGS := $(filter-out -I/usr/include/ndpi,$(shell pkg-config --cflags $(PKGS) 2>/dev/null))
LIBS       := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lm
LIBS_CHK   := $(shell pkg-config --libs $(PKGS_CHK) 2>/dev/null)
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -fvisibility=hidden -fno-common -I. -isystem /usr/include/ndpi \
             $(WARN) $(OPT) $(PKG_CFLAGS) -DTLMON_VERSION='"$(VERSION)"' $(CFLAGS) $(VARIANT)

SRC       := $(wildcard schema/*.c dissectors/*.c rules/*.c monitor/*.c monitor/*/*.c)
HDR       := $(wildcard schema/*.h dissectors/*.h rules/*.h monitor/*.h monitor/*/*.h tests/lib/*.h)
MAIN      := monitor/main.c
OBJ       := $(patsubst %.c,$(B)/%.o,$(filter-out $(MAIN),$(SRC)))
GENERATED := $(B)/rules/builtin.o
TESTOBJ   := $(patsubst %.c,$(B)/%.o,$(wildcard tests/lib/*.c))
TESTLIB   := $(B)/libtests.a
UNITS     := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))
FUZZERS   := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
TOOLS     := $(patsubst tests/tools/%.c,$(B)/tools/%,$(wildcard tests/tools/*.c))
BENCHES   := $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/*.c))
GOLDEN    := $(patsubst tests/golden/%/site.yaml,%,$(wildcard tests/golden/*/site.yaml))

all: $(B)/tlmon ## build ./tlmon (CC=clang, SAN=1, COV=1 choose the variant; LTO= links at once; V=1 shows commands)
	$Qln -sfn $(B)/tlmon tlmon

$(B)/libtlmon.a: $(OBJ) $(GENERATED)
	$(call say,AR,$@)
	$Qrm -f $@ && ar qcs $@ $^

# An archive: a fuzzer or a tool takes what it needs of it, and no test library with the rest.
$(TESTLIB): $(TESTOBJ)
	$(call say,AR,$@)
	$Qrm -f $@ && ar qcs $@ $^

$(B)/tlmon: $(B)/monitor/main.o $(B)/libtlmon.a
	$(call say,LD,$@)
	$Q$(CC) $(ALL_CFLAGS) $(WHOLE) $(LDFLAGS) -o $@ $^ $(LIBS)

$(B)/%.o: %.c Makefile
	$(call say,CC,$<)
	$Qmkdir -p $(@D)
	$Q$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

ifneq ($(LTO),)
$(OBJ) $(B)/monitor/main.o: VARIANT += -flto -ffat-lto-objects
# Names of its assembler text would be sought in another part.
$(B)/schema/flowdb_migrate.o: VARIANT += -fno-lto
endif
# Chosen while it runs (file_hash_wide.h).
ifneq ($(filter x86_64%,$(shell $(CC) -dumpmachine 2>/dev/null)),)
$(B)/monitor/capture/file_hash_wide.o: VARIANT += -mavx2
endif

# The documented rows and the endpoint snapshot, compiled in as they are.
BUILTIN := $(wildcard rules/teamline/*)
$(B)/rules/builtin.S: $(BUILTIN) Makefile
	$(call say,GEN,$@)
	$Qmkdir -p $(@D)
	$Q{ echo '	.section .rodata'; n=0; for f in $(BUILTIN); do \
	  echo "f$$n: .incbin \"$$f\""; echo "e$$n: .byte 0"; echo "n$$n: .asciz \"$${f##*/}\""; n=$$((n+1)); done; \
	  echo '	.section .data.rel.ro,"aw"'; echo '	.globl builtin_files'; echo '	.hidden builtin_files'; \
	  echo '	.balign 8'; echo 'builtin_files:'; i=0; while [ $$i -lt $$n ]; do \
	  echo "	.quad n$$i, f$$i, e$$i - f$$i"; i=$$((i+1)); done; echo '	.quad 0, 0, 0'; \
	  echo '	.section .note.GNU-stack,"",@progbits'; } > $@
$(B)/rules/builtin.o: $(B)/rules/builtin.S
	$Q$(CC) $(VARIANT) -c -o $@ $<

# The tables, compiled in as they are.
$(B)/schema/flowdb_migrate.o: schema/flowdb.sql $(wildcard schema/migrate/*.sql)

$(B)/unit/%: tests/unit/%.c $(TESTLIB) $(B)/libtlmon.a
	$(call say,TEST,$@)
	$Qmkdir -p $(@D)
	$Q$(CC) $(ALL_CFLAGS) $(NOT_WHOLE) -MMD -MP -MF $@.d -o $@ $< $(TESTLIB) $(B)/libtlmon.a $(LIBS) $(LIBS_CHK)

# A fuzz target defines LLVMFuzzerTestOneInput alone; driver.c feeds it the corpus. Under FUZZ=1
# (`make fuzz`) libFuzzer is the driver.
DRIVER := $(if $(FUZZ),-fsanitize=fuzzer,tests/fuzz/driver.c)
$(B)/fuzz/%: tests/fuzz/%.c tests/fuzz/driver.c $(TESTLIB) $(B)/libtlmon.a
	$(call say,FUZZ,$@)
	$Qmkdir -p $(@D)
	$Q$(CC) $(ALL_CFLAGS) $(NOT_WHOLE) -o $@ $< $(DRIVER) $(TESTLIB) $(B)/libtlmon.a $(LIBS)

$(B)/tools/%: tests/tools/%.c $(TESTLIB) $(B)/libtlmon.a
	$(call say,TOOL,$@)
	$Qmkdir -p $(@D)
	$Q$(CC) $(ALL_CFLAGS) $(NOT_WHOLE) -MMD -MP -MF $@.d -o $@ $< $(TESTLIB) $(B)/libtlmon.a $(LIBS)

$(B)/bench/%: tests/bench/%.c $(TESTLIB) $(B)/libtlmon.a
	$(call say,BENCH,$@)
	$Qmkdir -p $(@D)
	$Q$(CC) $(ALL_CFLAGS) $(NOT_WHOLE) -MMD -MP -MF $@.d -o $@ $< $(TESTLIB) $(B)/libtlmon.a $(LIBS)

# The program without one dissector, for the test that each of them decides something.
$(B)/without/%/tlmon: dissectors/dissect.c dissectors/list.h $(B)/monitor/main.o $(B)/libtlmon.a
	$(call say,LD,$@)
	$Qmkdir -p $(@D)/dissectors
	$Qsed '/^	X($*)/d' dissectors/list.h >$(@D)/dissectors/list.h
	$Q$(CC) -I$(@D) $(ALL_CFLAGS) -c -o $(@D)/dissect.o $<
	$Q$(CC) $(ALL_CFLAGS) $(NOT_WHOLE) $(LDFLAGS) -o $@ $(B)/monitor/main.o $(@D)/dissect.o $(B)/libtlmon.a $(LIBS)

RUN = B=$(B) TLMON=$(CURDIR)/$(B)/tlmon tests/run $(addprefix -j ,$(patsubst -j%,%,$(filter -j%,$(MAKEFLAGS))))

# What is missing of the packages. Asked for only by the targets that care, and only on Debian.
WANTED_demo  := $(PACKAGES_BUILD) $(PACKAGES_DEMO)
WANTED_check := $(PACKAGES_BUILD) $(PACKAGES_CHECK)
WANTED_deps  := $(if $(NEED),,$(PACKAGES_BUILD) $(PACKAGES_CHECK) $(PACKAGES_TOOLS))
WANTED_lab-deps := $(PACKAGES_BUILD) $(PACKAGES_CHECK) $(PACKAGES_LAB)
WANTED_bench-deps := $(PACKAGES_BUILD) $(PACKAGES_CHECK) $(PACKAGES_BENCH)
WANTED       := $(sort $(foreach goal,$(filter demo check deps lab-deps bench-deps,$(MAKECMDGOALS)),$(WANTED_$(goal))) $(NEED))
ifneq ($(WANTED),)
INSTALLED := $(shell if command -v dpkg-query >/dev/null; then dpkg-query -W -f \
               '$${Package}:$${db:Status-Status}\n' $(WANTED) 2>/dev/null; else echo all:installed; fi)
MISSING   := $(if $(filter all:installed,$(INSTALLED)),,$(filter-out \
               $(patsubst %:installed,%,$(filter %:installed,$(INSTALLED))),$(WANTED)))
endif

bench-deps: deps ## install what `make bench` and `make bench-live` need besides: the peer, the sender

deps: ## install the Debian packages that are missing (as root, or with CI set; else it asks)
ifeq ($(MISSING),)
	@echo 'All packages are installed.'
else
	@set -eu; run=; install='apt-get install -y --no-install-recommends $(MISSING)'; \
	if [ "$$(id -u)" != 0 ]; then \
	  run=sudo; \
	  if [ -z "$${CI:-}" ]; then \
	    printf 'Packages are missing. This installs them:\n  sudo %s\n' "$$install"; \
	    [ -t 0 ] || exit 1; \
	    printf 'Run it now? [y/N] '; read -r answer; [ "$$answer" = y ] || exit 1; \
	  fi; \
	fi; \
	$$run env DEBIAN_FRONTEND=noninteractive apt-get update -q </dev/null || true; \
	$$run env DEBIAN_FRONTEND=noninteractive $$install </dev/null
endif

# Their servers are not to run: while they are installed policy-rc.d refuses it (invoke-rc.d(8)).
lab-deps: ## install what `make lab` needs and runs (as root); no server of it is started
ifeq ($(MISSING),)
	@echo 'All packages of the lab are installed.'
else
	@set -eu; policy=/usr/sbin/policy-rc.d; \
	restore() { if [ -e $$policy.lab ]; then mv $$policy.lab $$policy; else rm -f $$policy; fi; }; \
	[ "$$(id -u)" = 0 ] || { echo 'This needs root: sudo make lab-deps'; exit 1; }; \
	trap restore EXIT; trap 'exit 1' INT TERM HUP; \
	[ ! -e $$policy ] || [ -e $$policy.lab ] || mv $$policy $$policy.lab; \
	printf '#!/bin/sh\nexit 101\n' >$$policy; chmod 755 $$policy; \
	DEBIAN_FRONTEND=noninteractive apt-get update -q </dev/null || true; \
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $(MISSING) </dev/null
endif

ifneq ($(if $(filter demo check,$(MAKECMDGOALS)),$(if $(AGAIN),,$(MISSING))),)
# Begin anew once they are there: the compiler's options are looked up while this file is read.
demo check:
	$Q$(MAKE) --no-print-directory deps NEED='$(WANTED)'
	$Q$(MAKE) --no-print-directory $@ AGAIN=1
else

demo: all $(B)/tools/mkdemo ## a room system's day in small: made, watched, judged, printed
	$Qmkdir -p build/demo && rm -rf build/demo/db
	$Q$(B)/tools/mkdemo build/demo/demo.pcap
	$Q./tlmon watch -r build/demo/demo.pcap -c tests/demo/site.yaml -l build/demo/db
	@echo
	$Q./tlmon findings -l build/demo/db
	@echo
	$Q./tlmon check -r build/demo/demo.pcap -c tests/demo/site.yaml || [ $$? = 1 ]
	@printf '\nTo go on, in the database:\n  %s\nand on a mirror port, with a site file of your own:\n  %s\n' \
	  "sqlite3 -box build/demo/db/flows.db 'SELECT * FROM v_finding'" \
	  'sudo ./tlmon watch -i eth1 -c site.yaml -l /var/lib/tlmon'

# Everything speaks TAP, one line a test; tests/run prints and counts it all, as many at once as `make -j` says.
check: all $(UNITS) $(FUZZERS) $(TOOLS) $(BENCHES) ## every test: units, golden cases, fuzz corpora, command line, lab (of ROUNDS); WITHOUT=script
	$Q$(RUN) $(sort $(UNITS)) \
	  $(foreach f,$(sort $(FUZZERS)),'$f tests/fuzz/corpus/$(patsubst fuzz_%,%,$(notdir $f))') \
	  $(foreach g,$(sort $(GOLDEN)),'tests/golden/run $g') \
	  $(patsubst %/lab.sh,'%/lab.sh $(ROUNDS)',$(filter-out $(WITHOUT),$(sort $(wildcard tests/cli/*.sh tests/lab/*.sh))))
endif

units: $(UNITS) ## the unit tests alone
	$Q$(RUN) $(sort $(UNITS))

build-tests: $(UNITS) $(FUZZERS) $(TOOLS) $(BENCHES) ## build every test without running it

test-processes: all $(TOOLS) ## kill, stop and starve the processes of live runs for minutes (root)
	$Q$(RUN) 'tests/lab/processes.sh long'

test-faults-db: all $(TOOLS) ## kill, fill, lock and damage for minutes: nothing committed is lost (SEED=n; disks and live: root)
	$Q$(RUN) 'tests/lab/faults.sh long'

golden: all $(TOOLS) ## replay every golden case and compare its report
	$Q$(RUN) $(foreach g,$(sort $(GOLDEN)),'tests/golden/run $g')

golden-accept: all $(TOOLS) ## write CASE=x's report anew; review the difference like code
	$QB=$(B) TLMON=$(CURDIR)/$(B)/tlmon tests/golden/run --accept $(or $(CASE),$(error say CASE=x: $(GOLDEN)))

bench-db: all $(BENCHES) ## speed and size of a database of FLOWS (10000000) flows, each figure beside its limit
	$QB=$(B) TLMON=$(CURDIR)/$(B)/tlmon tests/bench/db.sh $(or $(FLOWS),10000000)

BENCH := build/bench
PEER  := ndpiReader
bench: all $(BENCHES) ## CPU, time and memory beside PEER=ndpiReader's, each ratio beside its bar (bench-inputs, bench-deps)
	$QB=$(B) TLMON=$(CURDIR)/$(B)/tlmon DIR=$(BENCH) RESULT=$(RESULT) ROUNDS=$(ROUNDS) INPUTS='$(INPUTS)' tests/bench/bench.sh $(PEER)

bench-live: all ## 400,000 packets a second or more of trafgen on a veth pair: drops, what was shed, CPU a packet (root, bench-deps)
	$QB=$(B) TLMON=$(CURDIR)/$(B)/tlmon tests/bench/live.sh $(FOR)

bench-inputs: $(BENCHES) $(TOOLS) ## the four inputs of `make bench`, 2.6 GB under build/bench; PCAPS=folder of captures for the mix
	$QB=$(B) tests/bench/inputs.sh $(BENCH) $(PCAPS)

lab: all $(TOOLS) ## real programs in namespaces, watched live: every row, every violation (root, lab-deps)
	$Q$(RUN) 'tests/lab/lab.sh 13'

replay: all ## every capture in PCAPS=dir: no crash, every packet counted
	$Q$(RUN) 'tests/lab/replay $(or $(PCAPS),$(error say PCAPS=dir))'

fuzz: ## libFuzzer on every target, FUZZ_SECONDS (60) each
	$Q$(MAKE) --no-print-directory CC=clang SAN=1 FUZZ=1 fuzz-run

fuzz-run: $(FUZZERS)
	$Qset -e; for f in $(sort $(FUZZERS)); do n=$${f##*/fuzz_}; echo "== $$n"; \
	  mkdir -p $(B)/found/$$n tests/fuzz/corpus/$$n; \
	  $$f -max_total_time=$(FUZZ_SECONDS) -max_len=65536 -artifact_prefix=$(B)/found/ -print_final_stats=1 \
	    $(B)/found/$$n tests/fuzz/corpus/$$n; done

layers: ## includes point down the house only, and each library has one file
	$Qtests/layers

COMPILERS := $(CC) $(shell command -v clang >/dev/null && echo clang)
headers: ## each header compiles alone
	$Qset -e; for c in $(sort $(COMPILERS)); do for h in $(HDR); do \
	  echo "#include \"$$h\"" | $$c $(ALL_CFLAGS) -fsyntax-only -x c - || { echo "$$c: $$h"; exit 1; }; \
	done; echo "$(words $(HDR)) headers compile alone with $$c"; done

format: ## let clang-format decide; the tables of cases in tests/unit stay a line a case
	$Qclang-format -i $(SRC) $(HDR) $(wildcard tests/lib/*.c tests/tools/*.c tests/bench/*.c tests/fuzz/*.c)

tidy: ## clang-tidy, as .clang-tidy says
	$Qclang-tidy --quiet $(SRC) -- $(ALL_CFLAGS)

install: all ## install the program under PREFIX (/usr/local), below DESTDIR
	$Qinstall -D -m 755 $(B)/tlmon $(DESTDIR)$(PREFIX)/bin/tlmon

clean: ## remove what was built
	$Qrm -rf build tlmon

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' Makefile

.PHONY: all deps lab-deps bench-deps lab demo check units bench bench-db bench-inputs bench-live build-tests test-processes test-faults-db golden golden-accept replay fuzz fuzz-run layers headers format tidy \
        install clean help
.SECONDARY:
-include $(OBJ:.o=.d) $(TESTOBJ:.o=.d) $(B)/monitor/main.d $(wildcard $(B)/unit/*.d $(B)/tools/*.d $(B)/bench/*.d)
