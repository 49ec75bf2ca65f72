#include "server/engine/rules/enum_names.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace chimera::server {

std::string short_enum_name(absl::string_view full, absl::string_view prefix, int value) {
  if (!absl::ConsumePrefix(&full, prefix)) return absl::StrCat(value);
  std::string name;
  for (absl::string_view word : absl::StrSplit(full, '_')) {
    name += absl::AsciiStrToUpper(word.substr(0, 1));
    name += absl::AsciiStrToLower(word.substr(1));
  }
  return name;
}

}  // namespace chimera::server
