// Says where a process under the address sanitizer reports; linked into what `make check-memory` builds.
//
// Here and not in ASAN_OPTIONS: the tests give programs an environment of their own.
const char *__asan_default_options(void) { return "log_path=" REPORTS ":detect_leaks=0"; }
