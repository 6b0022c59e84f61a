// Counts allocations through the hooks of the address sanitizer's allocator. One thread allocates at a time.
#include "AllocationMeter.h"

#include <sanitizer/allocator_interface.h>
#include <stdbool.h>

static bool installed;
static long long live;
static long long peak;

static void allocated(const volatile void *block, size_t size) {
  (void)block;
  live += (long long)size;
  if (live > peak) peak = live;
}

static void freed(const volatile void *block) {
  if (block) live -= (long long)__sanitizer_get_allocated_size((const void *)block);
}

void allocation_meter_start(void) {
  if (!installed) installed = __sanitizer_install_malloc_and_free_hooks(allocated, freed) > 0;
  live = 0;
  peak = 0;
}

size_t allocation_meter_peak(void) { return installed ? (size_t)peak : (size_t)-1; }
