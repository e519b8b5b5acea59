/* What ThreadSanitizer must be told of the standard library's locks.
 *
 * The standard library comes compiled without ThreadSanitizer. Of its locks, what is inlined into our code is seen (the
 * fast paths, and every unlocking); what is not inlined is not, so that the sanitizer would miss that a contended lock,
 * a wait or an initialisation happens after what other threads did before. The linker leads calls of those functions
 * here (`--wrap`); thread.sh gives their names. `Arc` ends in a fence, which the sanitizer does not know at all, so
 * its decrement is made to acquire as well; that hides a decrement that should have acquired and does not.
 *
 * Known false reports: a thread that waits for another's initialisation (`OnceLock::get_or_init`) may be told that it is
 * done before the other one has come back here and said so. Such reports name two threads in the same `get_or_init`.
 */
#include <stdbool.h>
#include <stdint.h>

void __tsan_acquire(void *);
void __tsan_release(void *);

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define REAL(name) JOIN(__real_, name)
#define WRAP(name) JOIN(__wrap_, name)

void REAL(MUTEX_LOCK)(void *);
void WRAP(MUTEX_LOCK)(void *mutex) {
    REAL(MUTEX_LOCK)(mutex);
    __tsan_acquire(mutex);
}

void REAL(RWLOCK_READ)(void *);
void WRAP(RWLOCK_READ)(void *lock) {
    REAL(RWLOCK_READ)(lock);
    __tsan_acquire(lock);
}

void REAL(RWLOCK_WRITE)(void *);
void WRAP(RWLOCK_WRITE)(void *lock) {
    REAL(RWLOCK_WRITE)(lock);
    __tsan_acquire(lock);
}

void REAL(CONDVAR_WAIT)(void *, void *);
void WRAP(CONDVAR_WAIT)(void *condvar, void *mutex) {
    __tsan_release(mutex);
    REAL(CONDVAR_WAIT)(condvar, mutex);
    __tsan_acquire(mutex);
}

bool REAL(CONDVAR_WAIT_TIMEOUT)(void *, void *, uint64_t, uint32_t);
bool WRAP(CONDVAR_WAIT_TIMEOUT)(void *condvar, void *mutex, uint64_t seconds, uint32_t nanoseconds) {
    __tsan_release(mutex);
    bool result = REAL(CONDVAR_WAIT_TIMEOUT)(condvar, mutex, seconds, nanoseconds);
    __tsan_acquire(mutex);
    return result;
}

void REAL(ONCE_CALL)(void *, bool, void *, const void *, const void *);
void WRAP(ONCE_CALL)(void *once, bool ignore, void *data, const void *table, const void *caller) {
    REAL(ONCE_CALL)(once, ignore, data, table, caller);
    __tsan_acquire(once);
    __tsan_release(once);
}

enum { RELEASE = 3, ACQUIRE_RELEASE = 4 };
uint64_t __real___tsan_atomic64_fetch_sub(volatile uint64_t *, uint64_t, int);
uint64_t __wrap___tsan_atomic64_fetch_sub(volatile uint64_t *place, uint64_t by, int order) {
    return __real___tsan_atomic64_fetch_sub(place, by, order == RELEASE ? ACQUIRE_RELEASE : order);
}
