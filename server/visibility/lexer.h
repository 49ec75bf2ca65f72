// Splits a list filter into tokens, as the genuine server's does: SQL with MySQL's quotes, comments
// and reserved words. Pure; used by the grammar only.
#ifndef CHIMERA_SERVER_VISIBILITY_LEXER_H_
#define CHIMERA_SERVER_VISIBILITY_LEXER_H_

#include <string>
#include <string_view>
#include <vector>

namespace chimera::server::visibility {

struct Token {
  enum class Kind {
    kEnd,
    kBroken,   // No token begins like this, or the text ends inside one.
    kName,     // A name, perhaps in back quotes.
    kKeyword,  // A reserved word, in lower case.
    kString,
    kInteger,
    kFloat,
    kBits,          // b'01', x'4D' and 0x4D: numbers that no attribute is compared with.
    kArgument,      // :name and ?
    kListArgument,  // ::name
    kSymbol,
  };
  Kind kind = Kind::kEnd;
  std::string text;          // A string without its quotes; a symbol as written.
  std::size_t position = 0;  // Where refusals say it is: just behind its last character, from 1.
  bool written = true;       // False for && and ||, which refusals do not repeat.
};

// `offset` is added to positions. The last token is kEnd or kBroken.
std::vector<Token> tokenize(std::string_view text, std::size_t offset);

enum class WordClass { kFree, kUnreserved, kReserved };
// `word` in lower case. An unreserved word may be a name, which then is in lower case.
WordClass class_of(std::string_view word);

}  // namespace chimera::server::visibility

#endif  // CHIMERA_SERVER_VISIBILITY_LEXER_H_
