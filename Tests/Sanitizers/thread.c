// Tells the thread sanitizer what a contended Synchronization.Mutex orders; linked into what `make check-threads` builds.
//
// On Linux a Mutex is a PI futex. Its uncontended way, an atomic exchange, is compiled into the caller, where the sanitizer sees it. Once
// contended it is handed from thread to thread by the kernel, out of _lockSlow and _unlockSlow in libswiftSynchronization.so, where the
// sanitizer sees nothing, so that what the mutex protects looks like a race. These two stand before Swift's, call them, and say so.
//
// Swift: stdlib/public/Synchronization/Mutex/LinuxImpl.swift. Sanitizer: sanitizer/tsan_interface.h.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);

// Where each process reports: the daemon's tests give it an environment without TSAN_OPTIONS.
const char *__tsan_default_options(void) { return "log_path=" REPORTS; }

// The one empty array that all arrays without capacity share: Array(unsafeUninitializedCapacity: 0) of the standard library
// writes into it the count 0 that it always has.
const char *__tsan_default_suppressions(void) { return "race:_swiftEmptyArrayStorage\n"; }

#define swift __attribute__((swiftcall))
#define self __attribute__((swift_context))

typedef void swift Lock(uint32_t thread, self void *mutex);
typedef void swift Unlock(self void *mutex);

#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

swift void lock_slowly(uint32_t thread, self void *mutex) __asm__(LOCK);
swift void unlock_slowly(self void *mutex) __asm__(UNLOCK);

swift void lock_slowly(uint32_t thread, self void *mutex) {
  ((Lock *)dlsym(RTLD_NEXT, LOCK))(thread, mutex);
  __tsan_acquire(mutex);
}

swift void unlock_slowly(self void *mutex) {
  __tsan_release(mutex);
  ((Unlock *)dlsym(RTLD_NEXT, UNLOCK))(mutex);
}
