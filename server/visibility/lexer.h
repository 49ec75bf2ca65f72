// Splits a list filter into tokens. Pure; used by the parser only.
#ifndef CHIMERA_SERVER_VISIBILITY_LEXER_H_
#define CHIMERA_SERVER_VISIBILITY_LEXER_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace chimera::server::visibility {

struct Token {
  enum class Kind { kWord, kName, kString, kNumber, kSymbol, kEnd };
  Kind kind = Kind::kEnd;
  std::string text;      // A string without its quotes; a symbol as written.
  std::size_t position;  // In the filter, for messages.
};

// kWord is an unquoted word (keyword or name), kName a back-quoted name.
absl::StatusOr<std::vector<Token>> tokenize(std::string_view text);

}  // namespace chimera::server::visibility

#endif  // CHIMERA_SERVER_VISIBILITY_LEXER_H_
