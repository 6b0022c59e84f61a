#ifndef NNJOBS_ALLOCATION_METER_H
#define NNJOBS_ALLOCATION_METER_H

#include <stddef.h>

/// Starts to count what is allocated, beginning at 0; the first call installs the sanitizer's hooks.
void allocation_meter_start(void);

/// The most bytes that were allocated at once since the last start.
size_t allocation_meter_peak(void);

#endif
