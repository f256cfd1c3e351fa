# Teamline compliance monitor. One Makefile, no recursion; `make help` explains the targets.

# The Debian packages, here and nowhere else. None of them starts a server.
PACKAGES_BUILD := gcc libc6-dev pkg-config libpcap-dev libndpi-dev libsqlite3-dev libfyaml-dev \
                  libsmartcols-dev libxxhash-dev libmd-dev
PACKAGES_CHECK := libcmocka-dev clang libclang-rt-14-dev sqlite3 iproute2 ethtool tcpreplay

PKGS     := libpcap libndpi sqlite3 libfyaml smartcols libxxhash libmd
PKGS_CHK := cmocka

CC := gcc
V  := 0
Q  := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' '$(1)' '$(2)')

B       := build/$(notdir $(CC))$(if $(SAN),-san)$(if $(COV),-cov)
VERSION := $(shell cat schema/version 2>/dev/null)

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
        -Wwrite-strings -Wundef -Wvla -Wformat=2 -Wno-unused-parameter -Werror
OPT  := -O2 -g
ifdef SAN
VARIANT := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OPT     := -O1 -g
endif
ifdef COV
VARIANT += --coverage
endif
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -fvisibility=hidden -fno-common -I. -isystem /usr/include/ndpi \
             $(WARN) $(OPT) $(filter-out -I/usr/include/ndpi,$(shell pkg-config --cflags $(PKGS))) \
             -DTLMON_VERSION='"$(VERSION)"' $(CFLAGS) $(VARIANT)
LIBS      := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lm
LIBS_CHK  := $(shell pkg-config --libs $(PKGS_CHK) 2>/dev/null)

SRC       := $(wildcard schema/*.c dissectors/*.c rules/*.c monitor/*.c monitor/*/*.c)
HDR       := $(wildcard schema/*.h dissectors/*.h rules/*.h monitor/*.h monitor/*/*.h tests/lib/*.h)
MAIN      := monitor/main.c
OBJ       := $(patsubst %.c,$(B)/%.o,$(filter-out $(MAIN),$(SRC)))
GENERATED := $(B)/rules/builtin.o
TESTLIB   := $(patsubst %.c,$(B)/%.o,$(wildcard tests/lib/*.c))
UNITS     := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))
FUZZERS   := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
TOOLS     := $(patsubst tests/tools/%.c,$(B)/tools/%,$(wildcard tests/tools/*.c))

all: $(B)/tlmon ## build ./tlmon (CC=clang, SAN=1, COV=1 choose the variant)
	$Qln -sf $(B)/tlmon tlmon

$(B)/libtlmon.a: $(OBJ) $(GENERATED)
	$(call say,AR,$@)
	$Qrm -f $@ && ar rcs $@ $^

$(B)/tlmon: $(B)/monitor/main.o $(B)/libtlmon.a
	$(call say,LD,$@)
	$Q$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(B)/%.o: %.c Makefile
	$(call say,CC,$<)
	$Qmkdir -p $(@D)
	$Q$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

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
$(B)/schema/flowdb.o: schema/flowdb.sql

$(B)/unit/%: tests/unit/%.c $(TESTLIB) $(B)/libtlmon.a
	$(call say,TEST,$@)
	$Qmkdir -p $(@D)
	$Q$(CC) $(ALL_CFLAGS) -MMD -MP -MF $@.d -o $@ $< $(TESTLIB) $(B)/libtlmon.a $(LIBS) $(LIBS_CHK)

$(B)/fuzz/%: tests/fuzz/%.c $(TESTLIB) $(B)/libtlmon.a
	$(call say,FUZZ,$@)
	$Qmkdir -p $(@D)
	$Q$(CC) $(ALL_CFLAGS) -MMD -MP -MF $@.d -o $@ $< $(TESTLIB) $(B)/libtlmon.a $(LIBS)

$(B)/tools/%: tests/tools/%.c $(TESTLIB) $(B)/libtlmon.a
	$(call say,TOOL,$@)
	$Qmkdir -p $(@D)
	$Q$(CC) $(ALL_CFLAGS) -MMD -MP -MF $@.d -o $@ $< $(TESTLIB) $(B)/libtlmon.a $(LIBS)

units: $(UNITS) ## the unit tests alone
	$Qset -e; for t in $(sort $(UNITS)); do echo "== $${t##*/}"; $$t; done

clean: ## remove what was built
	$Qrm -rf build tlmon

.PHONY: all units clean
.SECONDARY:
-include $(OBJ:.o=.d) $(TESTLIB:.o=.d) $(B)/monitor/main.d $(wildcard $(B)/*/*.d)
