# The C library. `make`, `make install`, `make uninstall`, with PREFIX, LIBDIR and DESTDIR as everywhere.
# Needs the Rust toolchain and cargo-c: `make cargo-c` fetches that one and builds it, which takes minutes.
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
CARGO ?= cargo
# Newer ones ask for a newer compiler than ours.
CARGO_C = 0.10.24+cargo-0.98.0

FLAGS = --locked --package rialto --profile c --no-default-features --features panic_handler \
	--prefix='$(PREFIX)' --libdir='$(LIBDIR)' --target-dir=target/c

all:
	$(CARGO) cbuild $(FLAGS)

install:
	$(CARGO) cinstall $(FLAGS) $(if $(DESTDIR),--destdir='$(DESTDIR)')

uninstall:
	rm -f '$(DESTDIR)$(PREFIX)/include/rialto.h' '$(DESTDIR)$(PREFIX)/include/rialto.hpp' \
		'$(DESTDIR)$(LIBDIR)'/librialto.* '$(DESTDIR)$(LIBDIR)/pkgconfig/rialto.pc'
	rm -rf '$(DESTDIR)$(PREFIX)/include/rialto' '$(DESTDIR)$(PREFIX)/share/rialto'

# Not optimised: it is used for seconds.
cargo-c:
	command -v cargo-cinstall || CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off \
		$(CARGO) install --locked cargo-c --version $(CARGO_C)

.PHONY: all install uninstall cargo-c
