#include "core/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace chimera::base {

void check_failed(const char* file, int line, const char* condition, std::string_view detail) {
  std::fprintf(stderr, "chimera: broken invariant at %s:%d: %s: %.*s\n", file, line, condition,
               static_cast<int>(detail.size()), detail.data());
  std::abort();
}

}  // namespace chimera::base
