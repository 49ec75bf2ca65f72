#include "server/visibility/lexer.h"

#include <cctype>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace chimera::server::visibility {
namespace {

using Kind = Token::Kind;

bool is_letter(int c) { return std::isalpha(c) != 0 || c == '_' || c == '@'; }
bool is_space(int c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// What a backslash and this character stand for in a string.
char unescaped(char c) {
  switch (c) {
    case '0':
      return '\0';
    case 'b':
      return '\b';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'Z':
      return '\x1a';
    default:
      return c;
  }
}

class Lexer {
 public:
  Lexer(std::string_view text, std::size_t offset) : text_(text), offset_(offset) {}

  std::vector<Token> run() {
    do {
      tokens_.push_back(next());
      tokens_.back().position = offset_ + at_ + 1;
    } while (tokens_.back().kind != Kind::kEnd && tokens_.back().kind != Kind::kBroken);
    return std::move(tokens_);
  }

 private:
  static constexpr int kNone = -1;

  int peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? static_cast<unsigned char>(text_[at_ + ahead]) : kNone;
  }
  static Token token(Kind kind, std::string text, bool written = true) {
    return {kind, std::move(text), 0, written};
  }
  Token since(std::size_t begin, Kind kind) const {
    return token(kind, std::string(text_.substr(begin, at_ - begin)));
  }

  Token next() {
    for (;;) {
      while (is_space(peek())) ++at_;
      const std::size_t begin = at_;
      if (!skip_comment()) break;
      if (broken_comment_) return since(begin, Kind::kBroken);
    }
    const int c = peek();
    if (c == kNone) return token(Kind::kEnd, "");
    if ((c == 'x' || c == 'X' || c == 'b' || c == 'B') && peek(1) == '\'') return bits(c);
    if (is_letter(c)) return word();
    if (std::isdigit(c) != 0 || (c == '.' && std::isdigit(peek(1)) != 0)) return number();
    if (c == '\'' || c == '"') return string(static_cast<char>(c));
    if (c == '`') return quoted_name();
    if (c == ':') return argument();
    if (c == '?') {
      ++at_;
      return token(Kind::kArgument, absl::StrCat(":v", ++marks_));
    }
    return symbol();
  }

  // A comment of one line, or of any number.
  bool skip_comment() {
    const int c = peek(), d = peek(1);
    if (c == '#' || (c == '-' && d == '-') || (c == '/' && d == '/')) {
      while (peek() != kNone && text_[at_++] != '\n') {
      }
      return true;
    }
    if (c != '/' || d != '*') return false;
    const std::size_t end = text_.find("*/", at_ + 2);
    broken_comment_ = end == std::string_view::npos;
    at_ = broken_comment_ ? text_.size() : end + 2;
    return true;
  }

  Token word() {
    const std::size_t begin = at_;
    if (peek() == '@' && peek(1) == '@') at_ += 2;  // A variable of the system's.
    while (is_letter(peek()) || std::isdigit(peek()) != 0) ++at_;
    Token word = since(begin, Kind::kName);
    const std::string lower = absl::AsciiStrToLower(word.text);
    const WordClass found = class_of(lower);
    if (found != WordClass::kFree) word.text = lower;
    if (found == WordClass::kReserved) word.kind = Kind::kKeyword;
    return word;
  }

  Token number() {
    const std::size_t begin = at_;
    Kind kind = Kind::kInteger;
    const auto digits = [this] {
      while (std::isdigit(peek()) != 0) ++at_;
    };
    if (peek() == '0' && (peek(1) == 'x' || peek(1) == 'X')) {
      kind = Kind::kBits;
      at_ += 2;
      while (std::isxdigit(peek()) != 0) ++at_;
    } else {
      digits();
      if (peek() == '.') {
        kind = Kind::kFloat;
        ++at_;
        digits();
      }
      if (peek() == 'e' || peek() == 'E') {
        kind = Kind::kFloat;
        ++at_;
        if (peek() == '+' || peek() == '-') ++at_;
        digits();
      }
    }
    return since(begin, is_letter(peek()) ? Kind::kBroken : kind);
  }

  // x'4D' or b'01'.
  Token bits(int letter) {
    at_ += 2;
    const std::size_t begin = at_;
    const bool hex = letter == 'x' || letter == 'X';
    while (hex ? std::isxdigit(peek()) != 0 : peek() == '0' || peek() == '1') ++at_;
    if (peek() != '\'') return since(begin, Kind::kBroken);
    Token bits = since(begin, Kind::kBits);
    ++at_;
    if (hex && bits.text.size() % 2 != 0) bits.kind = Kind::kBroken;
    return bits;
  }

  // The quote is doubled or escaped with a backslash to stand inside.
  Token string(char quote) {
    ++at_;
    std::string content;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '\\') {
        if (at_ == text_.size()) break;
        content += unescaped(text_[at_++]);
      } else if (c != quote) {
        content += c;
      } else if (peek() == quote) {
        content += text_[at_++];
      } else {
        return token(Kind::kString, std::move(content));
      }
    }
    return token(Kind::kBroken, std::move(content));
  }

  Token quoted_name() {
    ++at_;
    std::string content;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c != '`') {
        content += c;
      } else if (peek() == '`') {
        content += text_[at_++];
      } else {
        const Kind kind = content.empty() ? Kind::kBroken : Kind::kName;
        return token(kind, std::move(content));
      }
    }
    return token(Kind::kBroken, std::move(content));
  }

  Token argument() {
    const std::size_t begin = at_++;
    const bool list = peek() == ':';
    if (list) ++at_;
    if (!is_letter(peek())) return since(begin, Kind::kBroken);
    while (is_letter(peek()) || std::isdigit(peek()) != 0 || peek() == '.') ++at_;
    return since(begin, list ? Kind::kListArgument : Kind::kArgument);
  }

  Token symbol() {
    static constexpr std::string_view kLong[] = {"<=>", "->>", "<=", ">=", "!=", "<>",
                                                 "<<",  ">>",  "->", "&&", "||"};
    static constexpr std::string_view kShort = "=,;()+*%^~&|.!/-<>";
    for (std::string_view symbol : kLong) {
      if (text_.substr(at_, symbol.size()) != symbol) continue;
      at_ += symbol.size();
      if (symbol == "&&") return token(Kind::kKeyword, "and", false);
      if (symbol == "||") return token(Kind::kKeyword, "or", false);
      return token(Kind::kSymbol, symbol == "<>" ? "!=" : std::string(symbol), false);
    }
    const char c = text_[at_++];
    if (kShort.find(c) != std::string_view::npos) {
      return token(Kind::kSymbol, std::string(1, c), false);
    }
    // Refusals are UTF-8: the first byte of a longer character is shown as one that is unknown.
    const bool ascii = static_cast<unsigned char>(c) < 0x80;
    return token(Kind::kBroken, ascii ? std::string(1, c) : "\xEF\xBF\xBD");
  }

  std::string_view text_;
  std::size_t offset_;
  std::size_t at_ = 0;
  int marks_ = 0;
  bool broken_comment_ = false;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view text, std::size_t offset) {
  return Lexer(text, offset).run();
}

}  // namespace chimera::server::visibility
