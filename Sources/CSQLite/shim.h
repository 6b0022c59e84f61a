#pragma once
#include <sqlite3.h>

// SQLITE_TRANSIENT is a cast, which Swift does not import: "copy the value before returning".
static inline sqlite3_destructor_type nnjobs_sqlite_transient(void) { return SQLITE_TRANSIENT; }
