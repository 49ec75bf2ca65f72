#include "core/converter/redaction.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

#include "core/converter/json.h"
#include "core/converter/payload.h"

namespace chimera::core {
namespace {

using api::common::v1::Payload;
using api::common::v1::Payloads;
using Path = RedactionCodec::Path;

constexpr char kMark[] = "hidden-members", kForm[] = "aes-256-gcm";
constexpr std::string_view kHidden = "\"hidden:";  // How such a member begins.
constexpr std::string_view kAny = "*";

absl::Status not_json(const char* why, std::size_t at) {
  return absl::InvalidArgumentError(
      absl::StrCat("a value with hidden members is not valid JSON: ", why, " at byte ", at));
}

// Whether something is to stand in the place of a value, with which `rest` begins; and what, where
// nothing is the value itself.
using Asks = absl::FunctionRef<bool(const Path& path, bool in_object, std::string_view rest)>;
using Replacement = absl::StatusOr<std::optional<std::string>>;
using Replace = absl::FunctionRef<Replacement(const Path& path, std::string_view value)>;

// Goes through a text, and copies what it does not replace. Of JSON it knows where values begin and
// end, so that all else stays as it is; no recursion: it may nest as deep as it likes.
class Walk {
 public:
  Walk(std::string_view text, Asks asks, Replace replace)
      : text_(text), asks_(asks), replace_(replace) {}

  absl::StatusOr<std::string> run() {
    do {
      if (absl::Status status = value(); !status.ok()) return status;
      if (absl::Status status = after_value(); !status.ok()) return status;
    } while (!levels_.empty());
    skip_space();
    if (at_ != text_.size()) return not_json("something stands behind the value", at_);
    out_.append(text_.substr(copied_));
    return std::move(out_);
  }

 private:
  struct Level {
    bool array;
    std::size_t index = 0;
  };

  bool at(char c) const { return at_ < text_.size() && text_[at_] == c; }
  void skip_space() {
    while (at(' ') || at('\n') || at('\t') || at('\r')) ++at_;
  }

  // At a value, or at the end of a level that has just begun and is empty.
  absl::Status value() {
    for (;;) {
      skip_space();
      if (!levels_.empty() && asks_(path_, !levels_.back().array, text_.substr(at_)))
        return replace_value();
      if (!at('{') && !at('[')) {
        auto end = end_of_value(at_);
        if (!end.ok()) return end.status();
        at_ = *end;
        return absl::OkStatus();
      }
      levels_.push_back({.array = text_[at_++] == '['});
      path_.emplace_back(levels_.back().array ? "0" : "");
      skip_space();
      if (at(levels_.back().array ? ']' : '}')) return leave();
      if (absl::Status status = key(); !status.ok()) return status;
    }
  }

  absl::Status replace_value() {
    auto end = end_of_value(at_);
    if (!end.ok()) return end.status();
    auto instead = replace_(path_, text_.substr(at_, *end - at_));
    if (!instead.ok()) return instead.status();
    if (*instead) {
      out_.append(text_.substr(copied_, at_ - copied_)).append(**instead);
      copied_ = *end;
    }
    at_ = *end;
    return absl::OkStatus();
  }

  absl::Status leave() {
    ++at_;
    levels_.pop_back();
    path_.pop_back();
    return absl::OkStatus();
  }

  // To the next value of the level, or out of the levels that end here.
  absl::Status after_value() {
    while (!levels_.empty()) {
      skip_space();
      Level& level = levels_.back();
      if (at(',')) {
        ++at_;
        if (level.array) path_.back() = absl::StrCat(++level.index);
        return key();
      }
      if (!at(level.array ? ']' : '}'))
        return not_json(level.array ? "a ',' or ']' is missing" : "a ',' or '}' is missing", at_);
      if (absl::Status status = leave(); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status key() {
    if (levels_.back().array) return absl::OkStatus();
    skip_space();
    if (!at('"')) return not_json("a key is missing", at_);
    auto end = end_of_string(at_);
    if (!end.ok()) return end.status();
    auto name = JsonDocument::parse(text_.substr(at_, *end - at_));
    if (!name.ok()) return name.status();
    path_.back() = std::string(name->root().string());
    at_ = *end;
    skip_space();
    if (!at(':')) return not_json("a ':' is missing", at_);
    ++at_;
    return absl::OkStatus();
  }

  absl::StatusOr<std::size_t> end_of_string(std::size_t begin) const {
    for (std::size_t end = begin + 1; end < text_.size(); ++end) {
      if (text_[end] == '\\') {
        ++end;
      } else if (text_[end] == '"') {
        return end + 1;
      }
    }
    return not_json("a text does not end", begin);
  }

  absl::StatusOr<std::size_t> end_of_value(std::size_t begin) const {
    std::size_t depth = 0, end = begin;
    do {
      if (end >= text_.size()) return not_json("a value is missing or does not end", begin);
      const char c = text_[end];
      if (c == '"') {
        auto behind = end_of_string(end);
        if (!behind.ok()) return behind.status();
        end = *behind;
      } else if (c == '{' || c == '[') {
        ++depth;
        ++end;
      } else if (c == '}' || c == ']') {
        if (depth == 0) return not_json("a value is missing", end);
        --depth;
        ++end;
      } else if (depth > 0 && is_between(c)) {
        ++end;
      } else {
        const std::size_t scalar = end;
        while (end < text_.size() && !is_between(text_[end]) && text_[end] != '}' &&
               text_[end] != ']' && text_[end] != '"' && text_[end] != '{' && text_[end] != '[')
          ++end;
        if (end == scalar) return not_json("a value is missing", end);
      }
    } while (depth > 0);
    return end;
  }
  static bool is_between(char c) {
    return c == ',' || c == ':' || c == ' ' || c == '\n' || c == '\t' || c == '\r';
  }

  const std::string_view text_;
  const Asks asks_;
  const Replace replace_;
  std::size_t at_ = 0, copied_ = 0;
  std::string out_;
  std::vector<Level> levels_;
  Path path_;  // One part for each level.
};

// So that two paths never read alike.
std::string bound_to(const Path& path) {
  std::string out;
  for (const std::string& part : path) absl::StrAppend(&out, part.size(), ":", part);
  return out;
}

bool is_json(const Payload& payload) {
  return encoding_of(payload) == kEncodingJson || encoding_of(payload) == kEncodingProtoJson;
}

bool may_stand_in_text(const std::string& key_id) {
  return std::all_of(key_id.begin(), key_id.end(),
                     [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; });
}

absl::Status check_field(const std::string& field) {
  if (field.empty()) return absl::InvalidArgumentError("a field to hide is empty; name a member");
  for (const std::string& part : Path(absl::StrSplit(field, '.'))) {
    if (part.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the field to hide '", field, "' has an empty part; write a.b, or a.*.b for elements"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

RedactionCodec::RedactionCodec(std::string key_id, AesKeys keys)
    : key_id_(std::move(key_id)), keys_(std::move(keys)) {}

absl::StatusOr<std::shared_ptr<const RedactionCodec>> RedactionCodec::create(
    const std::vector<std::string>& fields, std::string key_id, AesKeys keys) {
  // Who hides nothing needs no id.
  if (fields.empty() && key_id.empty() && !keys.empty()) key_id = keys.begin()->first;
  if (!keys.empty() || !key_id.empty()) {
    if (absl::Status status = check_keys(key_id, keys); !status.ok()) return status;
  }
  for (const auto& [id, key] : keys) {
    if (!may_stand_in_text(id)) {
      return absl::InvalidArgumentError(
          absl::StrCat("the key id '", absl::CHexEscape(id),
                       "' stands in texts; it may have printable ASCII without \" and \\ only"));
    }
  }
  std::shared_ptr<RedactionCodec> codec(new RedactionCodec(std::move(key_id), std::move(keys)));
  for (const std::string& field : fields) {
    if (absl::Status status = check_field(field); !status.ok()) return status;
    Path path = absl::StrSplit(field, '.');
    if (path.size() == 1 && path[0] != kAny) {
      codec->names_.push_back(field);
    } else {
      codec->paths_.push_back(std::move(path));
    }
  }
  return codec;
}

bool RedactionCodec::is_marked(const Path& path, bool in_object) const {
  if (in_object && std::find(names_.begin(), names_.end(), path.back()) != names_.end())
    return true;
  return std::any_of(paths_.begin(), paths_.end(), [&](const Path& marked) {
    return std::equal(
        marked.begin(), marked.end(), path.begin(), path.end(),
        [](const std::string& part, const std::string& at) { return part == kAny || part == at; });
  });
}

absl::Status RedactionCodec::encode(Payloads& payloads) const {
  if (keys_.empty() || (names_.empty() && paths_.empty())) return absl::OkStatus();
  for (Payload& payload : *payloads.mutable_payloads()) {
    if (!is_json(payload)) continue;
    if (absl::Status status = hide(payload); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status RedactionCodec::hide(Payload& payload) const {
  // Handed on by someone who could not read all of it.
  const bool hides_already = payload.metadata().contains(kMark);
  bool any = false;
  const std::string& key = keys_.at(key_id_);
  const auto asks = [&](const Path& path, bool in_object, std::string_view rest) {
    const bool looks_hidden = rest.starts_with(kHidden);
    if (looks_hidden && hides_already) return false;
    const bool marked = is_marked(path, in_object);
    any = any || marked;
    return marked || looks_hidden;  // What only looks like it must not be taken for it.
  };
  const auto hidden = [&](const Path& path, std::string_view value) -> Replacement {
    auto sealed = seal(key, value, bound_to(path));
    if (!sealed.ok()) return sealed.status();
    return absl::StrCat(std::string(kHidden), key_id_, ":", absl::Base64Escape(*sealed), "\"");
  };
  auto text = Walk(payload.data(), asks, hidden).run();
  if (!text.ok()) return text.status();
  if (!any) return absl::OkStatus();
  payload.set_data(*std::move(text));
  (*payload.mutable_metadata())[kMark] = kForm;
  return absl::OkStatus();
}

absl::Status RedactionCodec::decode(Payloads& payloads) const {
  if (keys_.empty()) return absl::OkStatus();
  for (Payload& payload : *payloads.mutable_payloads()) {
    if (!payload.metadata().contains(kMark)) continue;
    if (absl::Status status = show(payload); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status RedactionCodec::show(Payload& payload) const {
  bool all = true;
  const auto damaged = [](const Path& path, const std::string& why) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot read the hidden member '", absl::StrJoin(path, "."), "': ", why));
  };
  const auto asks = [](const Path&, bool, std::string_view rest) {
    return rest.starts_with(kHidden);
  };
  const auto shown = [&](const Path& path, std::string_view value) -> Replacement {
    value.remove_prefix(kHidden.size());
    value.remove_suffix(1);
    const std::size_t colon = value.rfind(':');
    if (colon == std::string_view::npos) return damaged(path, "it does not say by which key");
    const auto key = keys_.find(std::string(value.substr(0, colon)));
    if (key == keys_.end()) {
      all = false;
      return std::nullopt;
    }
    std::string sealed;
    if (!absl::Base64Unescape(std::string(value.substr(colon + 1)), &sealed))
      return damaged(path, "its end is not base64");
    auto plain = open_sealed(key->second, sealed, bound_to(path));
    if (!plain.ok()) return damaged(path, std::string(plain.status().message()));
    return *std::move(plain);
  };
  auto text = Walk(payload.data(), asks, shown).run();
  if (!text.ok()) return text.status();
  payload.set_data(*std::move(text));
  if (all) payload.mutable_metadata()->erase(kMark);
  return absl::OkStatus();
}

}  // namespace chimera::core
