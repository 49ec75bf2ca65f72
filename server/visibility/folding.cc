#include "server/visibility/folding.h"

#include <utility>

namespace chimera::server::visibility {
namespace {

// The connection's full-text search; null if it has none.
fts5_api* full_text_of(sqlite3* database) {
  fts5_api* api = nullptr;
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database, "SELECT fts5(?1)", -1, &statement, nullptr) == SQLITE_OK) {
    sqlite3_bind_pointer(statement, 1, &api, "fts5_api_ptr", nullptr);
    sqlite3_step(statement);
  }
  sqlite3_finalize(statement);
  return api;
}

using Words = std::vector<std::string>;

int add_word(void* words, int, const char* text, int size, int, int) {
  static_cast<Words*>(words)->emplace_back(text, size);
  return SQLITE_OK;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Folding>> Folding::open(sqlite3* database) {
  // Whole items: everything is part of a word but a sign that no one uses.
  const char* word_rules[] = {"remove_diacritics", "2"};
  const char* item_rules[] = {"remove_diacritics",    "0",          "categories",
                              "C* L* M* N* P* S* Z*", "separators", "\xE2\x99\xA1"};
  std::unique_ptr<Folding> folding(new Folding);
  fts5_tokenizer& tokenizer = folding->tokenizer_;
  fts5_api* api = full_text_of(database);
  void* user = nullptr;
  if (api == nullptr || api->xFindTokenizer(api, "unicode61", &user, &tokenizer) != SQLITE_OK ||
      tokenizer.xCreate(user, word_rules, std::size(word_rules), &folding->words_) != SQLITE_OK ||
      tokenizer.xCreate(user, item_rules, std::size(item_rules), &folding->items_) != SQLITE_OK) {
    return absl::FailedPreconditionError(
        "this build of SQLite has no full-text search (FTS5), which lists of executions need");
  }
  return folding;
}

Folding::~Folding() {
  if (words_ != nullptr) tokenizer_.xDelete(words_);
  if (items_ != nullptr) tokenizer_.xDelete(items_);
}

Words Folding::words(absl::string_view text) const {
  Words words;
  tokenizer_.xTokenize(words_, &words, FTS5_TOKENIZE_DOCUMENT, text.data(),
                       static_cast<int>(text.size()), add_word);
  return words;
}

std::string Folding::item(absl::string_view text) const {
  Words parts;
  tokenizer_.xTokenize(items_, &parts, FTS5_TOKENIZE_DOCUMENT, text.data(),
                       static_cast<int>(text.size()), add_word);
  std::string all;
  for (const std::string& part : parts) all += part;
  return all;
}

}  // namespace chimera::server::visibility
