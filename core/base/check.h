// CHIMERA_CHECK: a broken invariant of ours ends the process, in release builds too. Never for bad
// input.
#ifndef CHIMERA_CORE_BASE_CHECK_H_
#define CHIMERA_CORE_BASE_CHECK_H_

#include <string_view>

namespace chimera::base {

// Prints what was expected, where and the detail, then aborts.
[[noreturn]] void check_failed(const char* file, int line, const char* condition,
                               std::string_view detail);

}  // namespace chimera::base

// The detail is built only on failure: CHIMERA_CHECK(id > last, absl::StrCat(id, " after ", last)).
#define CHIMERA_CHECK(condition, detail)                                       \
  do {                                                                         \
    if (!(condition)) [[unlikely]]                                             \
      ::chimera::base::check_failed(__FILE__, __LINE__, #condition, (detail)); \
  } while (false)

#endif  // CHIMERA_CORE_BASE_CHECK_H_
