// Names of the API's enums as the genuine server writes them, in error texts and links. Pure.
#ifndef CHIMERA_SERVER_ENGINE_RULES_ENUM_NAMES_H_
#define CHIMERA_SERVER_ENGINE_RULES_ENUM_NAMES_H_

#include <string>

#include "absl/strings/string_view.h"

namespace chimera::server {

// "FooBar" for PREFIX_FOO_BAR; the number of a value that this build does not know, whose `full`
// name is empty (the API's enums are open).
std::string short_enum_name(absl::string_view full, absl::string_view prefix, int value);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_RULES_ENUM_NAMES_H_
