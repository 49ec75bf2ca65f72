#include "server/visibility/lexer.h"

#include <cctype>

#include "absl/strings/str_cat.h"

namespace chimera::server::visibility {
namespace {

bool starts_word(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool in_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '-';
}

// Reads a quoted text; the quote is doubled or escaped with a backslash to stand inside.
absl::StatusOr<std::string> quoted(std::string_view text, std::size_t& at) {
  char quote = text[at];
  std::size_t begin = at++;
  std::string result;
  while (at < text.size()) {
    char c = text[at++];
    if (c == '\\' && at < text.size() && quote != '`') {
      result += text[at++];
    } else if (c != quote) {
      result += c;
    } else if (at < text.size() && text[at] == quote) {
      result += text[at++];
    } else {
      return result;
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("invalid query: unterminated quote at position ", begin + 1));
}

std::string symbol(std::string_view text, std::size_t& at) {
  static constexpr std::string_view kTwo[] = {"<=", ">=", "!=", "<>"};
  for (std::string_view two : kTwo) {
    if (text.substr(at, 2) == two) {
      at += 2;
      return two == "<>" ? "!=" : std::string(two);
    }
  }
  const std::size_t begin = at++;
  // A character of several bytes stays whole: it is shown in the refusal.
  while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
  return std::string(text.substr(begin, at - begin));
}

std::string number(std::string_view text, std::size_t& at) {
  std::size_t begin = at++;
  while (at < text.size() &&
         (std::isalnum(static_cast<unsigned char>(text[at])) || text[at] == '.'))
    ++at;
  return std::string(text.substr(begin, at - begin));
}

}  // namespace

absl::StatusOr<std::vector<Token>> tokenize(std::string_view text) {
  std::vector<Token> tokens;
  std::size_t at = 0;
  while (at < text.size()) {
    char c = text[at];
    std::size_t begin = at;
    if (std::isspace(static_cast<unsigned char>(c))) {
      ++at;
    } else if (c == '\'' || c == '"' || c == '`') {
      absl::StatusOr<std::string> content = quoted(text, at);
      if (!content.ok()) return content.status();
      tokens.push_back({c == '`' ? Token::Kind::kName : Token::Kind::kString, *content, begin});
    } else if (starts_word(c)) {
      while (at < text.size() && in_word(text[at])) ++at;
      tokens.push_back({Token::Kind::kWord, std::string(text.substr(begin, at - begin)), begin});
    } else if (std::isdigit(static_cast<unsigned char>(c)) || c == '-' || c == '+') {
      tokens.push_back({Token::Kind::kNumber, number(text, at), begin});
    } else {
      tokens.push_back({Token::Kind::kSymbol, symbol(text, at), begin});
    }
  }
  tokens.push_back({Token::Kind::kEnd, "", text.size()});
  return tokens;
}

}  // namespace chimera::server::visibility
