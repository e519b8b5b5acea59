#!/usr/bin/env bash
# Runs tests under ThreadSanitizer, with the stable toolchain (which ships its runtime, but no instrumented standard
# library; thread.c makes up for that). Needs gcc and nm. Arguments are those of `cargo test`:
#
#   tests/sanitize/thread.sh -p upshift-engine --tests
#   UPSHIFT_SOAK=60 tests/sanitize/thread.sh -p upshift-tests soak
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
target=$(rustc -vV | sed -n 's/^host: //p')
libraries=$(rustc --print sysroot)/lib/rustlib/$target/lib
names=$(nm -D --defined-only "$libraries"/libstd-*.so | awk '{print $3}')
flags="-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer -Zshare-generics=off"
# By the C library, so that the sanitizer sees what is mapped anew at an address that was used before.
flags+=" --cfg=rustix_use_libc"

# wrap MACRO PATTERN: leads calls of the one function of the standard library that matches to thread.c.
macros=()
wrap() {
    local name
    name=$(grep -E "$2\$" <<<"$names")
    macros+=("-D$1=$name")
    flags+=" -Clink-arg=-Wl,--wrap=$name"
}
wrap MUTEX_LOCK '3sys4sync5mutex5futex.*14lock_contended'
wrap RWLOCK_READ '3sys4sync6rwlock5futex.*14read_contended'
wrap RWLOCK_WRITE '3sys4sync6rwlock5futex.*15write_contended'
wrap CONDVAR_WAIT '3sys4sync7condvar5futex.*4wait'
wrap CONDVAR_WAIT_TIMEOUT '3sys4sync7condvar5futex.*12wait_timeout'
wrap ONCE_CALL '3sys4sync4once5futex.*4Once4call'
flags+=" -Clink-arg=-Wl,--wrap=__tsan_atomic64_fetch_sub"

object=${CARGO_TARGET_DIR:-/tmp}/thread.o
gcc -O1 -c "${macros[@]}" "$here/thread.c" -o "$object"
export RUSTC_BOOTSTRAP=1 RUSTFLAGS="$flags -Clink-arg=$object"
export TSAN_OPTIONS="suppressions=$here/thread.supp ${TSAN_OPTIONS:-}"
exec ${CARGO:-cargo} test --target "$target" "$@"
