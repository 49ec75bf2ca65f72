// Recursive descent: OR < AND < NOT < comparison < | < & < shifts < sums < products < ^ < signs.
#include "server/visibility/grammar.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "server/visibility/lexer.h"

namespace chimera::server::visibility {
namespace {

using Kind = Expr::Kind;
using ExprOr = absl::StatusOr<ExprPtr>;

// So that a hostile filter cannot exhaust the stack.
constexpr int kDeepest = 200;

constexpr std::string_view kBegin = "select * from ", kWhere = " where ";

absl::Status malformed(const Token& token, const char* what) {
  return absl::InvalidArgumentError(absl::StrCat(
      kMalformed, what, " at position ", token.position,
      token.written && !token.text.empty() ? absl::StrCat(" near '", token.text, "'") : ""));
}

template <class... Children>
ExprPtr make(Kind kind, std::string text, Children... children) {
  auto expr = std::make_unique<Expr>(Expr{kind, std::move(text), {}});
  (expr->of.push_back(std::move(children)), ...);
  return expr;
}

class Grammar {
 public:
  explicit Grammar(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  absl::StatusOr<Clauses> parse(bool has_where) {
    Clauses clauses;
    absl::Status status = has_where ? read(clauses.where) : absl::OkStatus();
    if (status.ok()) status = rest(clauses);
    if (!status.ok()) return status;
    return clauses;
  }

 private:
  const Token& token() const { return tokens_[at_]; }
  const Token& ahead() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  bool at(Token::Kind kind) const { return token().kind == kind; }
  bool at_word(std::string_view word) const {
    return at(Token::Kind::kKeyword) && token().text == word;
  }
  bool at_symbol(std::string_view symbol) const {
    return at(Token::Kind::kSymbol) && token().text == symbol;
  }
  // An unreserved word that means something where a name cannot stand.
  bool take_name(std::string_view word) {
    const bool there = at(Token::Kind::kName) && token().text == word;
    if (there) ++at_;
    return there;
  }
  bool take_word(std::string_view word) {
    const bool there = at_word(word);
    if (there) ++at_;
    return there;
  }
  bool take_symbol(std::string_view symbol) {
    const bool there = at_symbol(symbol);
    if (there) ++at_;
    return there;
  }
  std::string take_text() { return tokens_[at_++].text; }
  absl::Status unexpected() const { return malformed(token(), "syntax error"); }
  absl::Status want_word(std::string_view word) {
    return take_word(word) ? absl::OkStatus() : unexpected();
  }
  absl::Status want_symbol(std::string_view symbol) {
    return take_symbol(symbol) ? absl::OkStatus() : unexpected();
  }
  // Takes the token that goes one deeper.
  absl::Status deeper() {
    if (++depth_ == kDeepest) return malformed(token(), "max nesting level reached");
    ++at_;
    return absl::OkStatus();
  }
  absl::Status open() { return at_symbol("(") ? deeper() : unexpected(); }
  absl::Status close() {
    --depth_;
    return want_symbol(")");
  }

  absl::Status read(ExprPtr& into) {
    ExprOr expr = expression();
    if (!expr.ok()) return expr.status();
    into = *std::move(expr);
    return absl::OkStatus();
  }
  absl::Status read_list(std::vector<ExprPtr>& into) {
    do {
      ExprPtr next;
      if (absl::Status status = read(next); !status.ok()) return status;
      into.push_back(std::move(next));
    } while (take_symbol(","));
    return absl::OkStatus();
  }

  absl::Status rest(Clauses& clauses);
  absl::Status order_and_limit(Clauses& clauses);

  ExprOr expression() { return chain(Kind::kOr, "or", &Grammar::conjunction); }
  ExprOr conjunction() { return chain(Kind::kAnd, "and", &Grammar::negation); }
  ExprOr chain(Kind kind, std::string_view word, ExprOr (Grammar::*inner)());
  ExprOr negation();
  ExprOr predicate();
  ExprOr comparison(ExprPtr left, bool negated);
  ExprOr is_suffix(ExprPtr left);
  ExprOr tuple();

  ExprOr value(std::size_t level = 0);
  ExprOr sign();
  ExprOr operand();
  ExprOr parenthesis();
  ExprOr literal();
  ExprOr keyword();
  ExprOr call(Kind kind, std::string name);
  ExprOr special_call(Kind kind);
  ExprOr case_expression();
  ExprOr name();
  absl::Status skip_to_close();
  absl::Status skip_parenthesis();
  absl::Status select_list(Expr& into);

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

absl::Status Grammar::rest(Clauses& clauses) {
  absl::Status status;
  if (take_word("group")) {
    if (status = want_word("by"); !status.ok()) return status;
    if (status = read_list(clauses.group_by); !status.ok()) return status;
  }
  ExprPtr ignored;
  clauses.having = take_word("having");
  if (clauses.having && !(status = read(ignored)).ok()) return status;
  clauses.set_operation = at_word("union");
  if (clauses.set_operation) return absl::OkStatus();  // Refused, whatever follows.
  if (status = order_and_limit(clauses); !status.ok()) return status;
  take_symbol(";");
  return at(Token::Kind::kEnd) ? absl::OkStatus() : unexpected();
}

absl::Status Grammar::order_and_limit(Clauses& clauses) {
  absl::Status status;
  ExprPtr ignored;
  clauses.order_by = take_word("order");
  if (clauses.order_by) {
    if (status = want_word("by"); !status.ok()) return status;
    do {
      if (status = read(ignored); !status.ok()) return status;
      if (!take_word("asc")) take_word("desc");
    } while (take_symbol(","));
  }
  clauses.limit = take_word("limit");
  if (clauses.limit) {
    if (status = read(ignored); !status.ok()) return status;
    if ((take_symbol(",") || take_name("offset")) && !(status = read(ignored)).ok()) return status;
  }
  clauses.lock = at_word("for") || at_word("lock");
  if (take_word("for")) return want_word("update");
  if (!take_word("lock")) return absl::OkStatus();
  if (status = want_word("in"); !status.ok()) return status;
  return take_name("share") && take_name("mode") ? absl::OkStatus() : unexpected();
}

ExprOr Grammar::chain(Kind kind, std::string_view word, ExprOr (Grammar::*inner)()) {
  ExprOr first = (this->*inner)();
  if (!first.ok() || !at_word(word)) return first;
  ExprPtr all = make(kind, "", *std::move(first));
  while (take_word(word)) {
    ExprOr next = (this->*inner)();
    if (!next.ok()) return next;
    all->of.push_back(*std::move(next));
  }
  return all;
}

ExprOr Grammar::negation() {
  if (!at_word("not")) return predicate();
  if (absl::Status status = deeper(); !status.ok()) return status;
  ExprOr inner = negation();
  --depth_;
  if (!inner.ok()) return inner;
  return make(Kind::kNot, "", *std::move(inner));
}

ExprOr Grammar::predicate() {
  ExprOr left;
  if (take_word("exists")) {
    if (at_symbol("(") && !(ahead().kind == Token::Kind::kKeyword && ahead().text == "select"))
      ++at_;
    left = at_symbol("(") ? parenthesis() : unexpected();
    if (left.ok()) left = make(Kind::kExists, "", *std::move(left));
  } else if (take_word("default")) {
    left = make(Kind::kDefault, "default");
  } else {
    left = value();
    if (left.ok()) left = comparison(*std::move(left), /*negated=*/false);
  }
  while (left.ok() && take_word("is")) left = is_suffix(*std::move(left));
  return left;
}

ExprOr Grammar::comparison(ExprPtr left, bool negated) {
  static constexpr std::string_view kSymbols[] = {"=", "!=", "<", "<=", ">", ">=", "<=>"};
  const std::string prefix = negated ? "not " : "";
  for (std::string_view symbol : kSymbols) {
    if (negated || !take_symbol(symbol)) continue;
    ExprOr right = value();
    if (!right.ok()) return right;
    return make(Kind::kComparison, std::string(symbol), std::move(left), *std::move(right));
  }
  if (take_word("in")) {
    ExprOr right = tuple();
    if (!right.ok()) return right;
    return make(Kind::kComparison, prefix + "in", std::move(left), *std::move(right));
  }
  if (take_word("between")) {
    ExprOr from = value();
    if (!from.ok()) return from;
    if (absl::Status status = want_word("and"); !status.ok()) return status;
    ExprOr to = value();
    if (!to.ok()) return to;
    return make(Kind::kRange, prefix + "between", std::move(left), *std::move(from),
                *std::move(to));
  }
  for (std::string_view word : {"like", "regexp", "rlike", "starts_with"}) {
    if (!take_word(word)) continue;
    ExprOr right = value();
    if (!right.ok()) return right;
    ExprPtr all = make(Kind::kComparison, prefix + std::string(word == "rlike" ? "regexp" : word),
                       std::move(left), *std::move(right));
    if (word != "like" || !take_word("escape")) return all;
    ExprOr escape = value();
    if (!escape.ok()) return escape;
    all->of.push_back(*std::move(escape));
    return all;
  }
  if (negated) return unexpected();
  return take_word("not") ? comparison(std::move(left), /*negated=*/true) : ExprOr(std::move(left));
}

ExprOr Grammar::is_suffix(ExprPtr left) {
  std::string what = take_word("not") ? "not " : "";
  for (const char* word : {"null", "true", "false"}) {
    if (!take_word(word)) continue;
    return make(Kind::kIs, absl::StrCat(what, word), std::move(left));
  }
  return unexpected();
}

// What follows IN.
ExprOr Grammar::tuple() {
  if (at(Token::Kind::kListArgument)) return make(Kind::kListArgument, take_text());
  if (!at_symbol("(")) return unexpected();
  ExprOr all = parenthesis();
  if (all.ok() && (*all)->kind == Kind::kParen) (*all)->kind = Kind::kTuple;
  return all;
}

ExprOr Grammar::value(std::size_t level) {
  static const std::vector<std::vector<std::string_view>> kLevels = {
      {"|"}, {"&"}, {"<<", ">>"}, {"+", "-"}, {"*", "/", "%"}, {"^"}};
  constexpr std::size_t kProducts = 4;
  if (level == kLevels.size()) return sign();
  ExprOr left = value(level + 1);
  while (left.ok()) {
    const auto& symbols = kLevels[level];
    const bool symbol = at(Token::Kind::kSymbol) &&
                        std::find(symbols.begin(), symbols.end(), token().text) != symbols.end();
    if (!symbol && !(level == kProducts && (at_word("div") || at_word("mod")))) break;
    std::string text = take_text();
    ExprOr right = value(level + 1);
    if (!right.ok()) return right;
    left = make(Kind::kBinary, text == "mod" ? "%" : std::move(text), *std::move(left),
                *std::move(right));
  }
  return left;
}

ExprOr Grammar::sign() {
  const bool word = at_word("binary") || at_word("_binary");
  if (!word && !at_symbol("-") && !at_symbol("+") && !at_symbol("~") && !at_symbol("!"))
    return operand();
  const std::string text = token().text;
  if (absl::Status status = deeper(); !status.ok()) return status;
  ExprOr inner = sign();
  --depth_;
  if (!inner.ok()) return inner;
  std::string& number = (*inner)->text;
  if ((*inner)->kind == Kind::kInteger && (text == "+" || text == "-")) {
    if (text == "-") number = number[0] == '-' ? number.substr(1) : "-" + number;
    return inner;
  }
  return make(Kind::kUnary, word ? text + " " : text, *std::move(inner));
}

ExprOr Grammar::operand() {
  ExprOr result = at_symbol("(")              ? parenthesis()
                  : at(Token::Kind::kName)    ? name()
                  : at(Token::Kind::kKeyword) ? keyword()
                                              : literal();
  while (result.ok() && take_word("collate")) {
    if (!at(Token::Kind::kName) && !at(Token::Kind::kString)) return unexpected();
    result = make(Kind::kCollate, take_text(), *std::move(result));
  }
  return result;
}

ExprOr Grammar::parenthesis() {
  if (absl::Status status = open(); !status.ok()) return status;
  ExprPtr all = make(Kind::kParen, "");
  if (at_word("select")) {
    all->kind = Kind::kSubquery;
    if (absl::Status status = skip_to_close(); !status.ok()) return status;
  } else if (absl::Status status = read_list(all->of); !status.ok()) {
    return status;
  }
  if (all->of.size() > 1) all->kind = Kind::kTuple;
  if (absl::Status status = close(); !status.ok()) return status;
  return all;
}

ExprOr Grammar::literal() {
  static constexpr std::pair<Token::Kind, Kind> kKinds[] = {
      {Token::Kind::kString, Kind::kString},
      {Token::Kind::kInteger, Kind::kInteger},
      {Token::Kind::kFloat, Kind::kFloat},
      {Token::Kind::kBits, Kind::kBits},
      {Token::Kind::kArgument, Kind::kArgument}};
  for (const auto& [token_kind, kind] : kKinds) {
    if (at(token_kind)) return make(kind, take_text());
  }
  return unexpected();
}

ExprOr Grammar::keyword() {
  static constexpr std::string_view kCalls[] = {"left",     "right", "if",
                                                "database", "mod",   "replace"};
  static constexpr std::string_view kTimes[] = {
      "current_timestamp", "utc_timestamp",  "utc_time",     "utc_date",
      "localtime",         "localtimestamp", "current_date", "current_time"};
  static constexpr std::pair<std::string_view, Kind> kSpecial[] = {
      {"convert", Kind::kConvert},         {"cast", Kind::kConvert},
      {"substr", Kind::kSubstring},        {"substring", Kind::kSubstring},
      {"values", Kind::kValuesOf},         {"match", Kind::kMatch},
      {"group_concat", Kind::kGroupConcat}};
  const std::string word = token().text;
  if (word == "null") return make(Kind::kNull, take_text());
  if (word == "true" || word == "false") return make(Kind::kBool, take_text());
  if (word == "case") return case_expression();
  if (word == "interval") {
    if (absl::Status status = deeper(); !status.ok()) return status;
    ExprOr amount = value();
    --depth_;
    if (!amount.ok()) return amount;
    if (!at(Token::Kind::kName)) return unexpected();
    return make(Kind::kInterval, take_text(), *std::move(amount));
  }
  for (std::string_view time : kTimes) {
    if (!take_word(time)) continue;
    if (!at_symbol("(")) return make(Kind::kFunction, word);
    ++at_;
    if (absl::Status status = want_symbol(")"); !status.ok()) return status;
    return make(Kind::kFunction, word);
  }
  for (std::string_view name : kCalls) {
    if (take_word(name)) return call(Kind::kFunction, word);
  }
  for (const auto& [name, kind] : kSpecial) {
    if (take_word(name)) return special_call(kind);
  }
  return unexpected();
}

// A call with words of its own inside, which no filter may use: only its end is looked for.
ExprOr Grammar::special_call(Kind kind) {
  if (absl::Status status = skip_parenthesis(); !status.ok()) return status;
  if (kind == Kind::kMatch) {
    if (!take_name("against")) return unexpected();
    if (absl::Status status = skip_parenthesis(); !status.ok()) return status;
  }
  return make(kind, "");
}

absl::Status Grammar::skip_parenthesis() {
  if (absl::Status status = open(); !status.ok()) return status;
  if (absl::Status status = skip_to_close(); !status.ok()) return status;
  return close();
}

absl::Status Grammar::skip_to_close() {
  for (int inner = 0; inner > 0 || !at_symbol(")"); ++at_) {
    if (at(Token::Kind::kEnd) || at(Token::Kind::kBroken)) return unexpected();
    if (at_symbol("(")) ++inner;
    if (at_symbol(")")) --inner;
  }
  return absl::OkStatus();
}

ExprOr Grammar::case_expression() {
  ++at_;
  ExprPtr all = make(Kind::kCase, "");
  ExprPtr part;
  if (!at_word("when") && !read(part).ok()) return unexpected();
  do {
    if (absl::Status status = want_word("when"); !status.ok()) return status;
    if (absl::Status status = read(part); !status.ok()) return status;
    if (absl::Status status = want_word("then"); !status.ok()) return status;
    if (absl::Status status = read(part); !status.ok()) return status;
  } while (at_word("when"));
  if (take_word("else")) {
    if (absl::Status status = read(part); !status.ok()) return status;
  }
  if (absl::Status status = want_word("end"); !status.ok()) return status;
  return all;
}

// A column, or a call of what it names.
ExprOr Grammar::name() {
  std::string text = take_text();
  for (int dots = 0; dots < 2 && take_symbol("."); ++dots) {
    if (!at(Token::Kind::kName) && !at(Token::Kind::kKeyword)) return unexpected();
    text += "." + take_text();
  }
  if (at_symbol("(")) return call(Kind::kFunction, std::move(text));
  ExprPtr column = make(Kind::kColumn, std::move(text));
  if (!at_symbol("->") && !at_symbol("->>")) return column;
  std::string arrow = take_text();
  ExprOr path = literal();
  if (!path.ok()) return path;
  return make(Kind::kBinary, std::move(arrow), std::move(column), *std::move(path));
}

ExprOr Grammar::call(Kind kind, std::string name) {
  if (absl::Status status = open(); !status.ok()) return status;
  ExprPtr all = make(kind, std::move(name));
  const bool distinct = take_word("distinct");
  if (distinct || !at_symbol(")")) {
    if (absl::Status status = select_list(*all); !status.ok()) return status;
  }
  if (absl::Status status = close(); !status.ok()) return status;
  return all;
}

absl::Status Grammar::select_list(Expr& into) {
  do {
    if (at_symbol("*")) {
      into.of.push_back(make(Kind::kColumn, take_text()));
      continue;
    }
    ExprPtr next;
    if (absl::Status status = read(next); !status.ok()) return status;
    into.of.push_back(std::move(next));
    const bool as = take_word("as");
    if (at(Token::Kind::kName) || at(Token::Kind::kString)) {
      ++at_;
    } else if (as) {
      return unexpected();
    }
  } while (take_symbol(","));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Clauses> parse_clauses(std::string_view text, std::string_view table) {
  const absl::string_view trimmed = absl::StripAsciiWhitespace({text.data(), text.size()});
  const bool has_where = !trimmed.empty() && !absl::StartsWithIgnoreCase(trimmed, "order by") &&
                         !absl::StartsWithIgnoreCase(trimmed, "group by");
  const std::size_t offset = kBegin.size() + table.size() + (has_where ? kWhere.size() : 1);
  return Grammar(tokenize({trimmed.data(), trimmed.size()}, offset)).parse(has_where);
}

absl::Status check_where(std::string_view text, std::string_view table) {
  const std::size_t offset = kBegin.size() + table.size() + kWhere.size();
  return Grammar(tokenize(text, offset)).parse(/*has_where=*/true).status();
}

}  // namespace chimera::server::visibility
