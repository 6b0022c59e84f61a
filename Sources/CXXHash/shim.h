#pragma once
#include <xxhash.h>
#if defined(__x86_64__)
#include <xxh_x86dispatch.h>
#endif

// XXH3_128bits is a macro where the library chooses among vector instructions at run time, which Swift does not import.
static inline XXH128_hash_t nnjobs_xxh3_128(const void *bytes, size_t count) {
  return XXH3_128bits(bytes, count);
}

// The same of bytes that come in parts.
static inline void nnjobs_xxh3_128_add(XXH3_state_t *state, const void *bytes, size_t count) {
  (void)XXH3_128bits_update(state, bytes, count);
}
