#include "server/archival/history_file.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "server/archival/files.h"
#include "server/archival/fingerprint.h"
#include "server/archival/message_json.h"
#include "server/base/errors.h"

namespace chimera::server::archival {
namespace {

constexpr char kSuffix[] = ".history";
constexpr char kVersion[] = "CloseFailoverVersion", kBatch[] = "NextBatchIdx";

std::string prefix_of(const RunKey& key) {
  return absl::StrCat(fingerprint64(key.namespace_id), fingerprint64(key.workflow_id),
                      fingerprint64(key.run_id), "_");
}

absl::Status no_history() { return not_found("requested workflow history does not exist"); }

// A page's token is the genuine server's.
struct Token {
  std::int64_t version = 0;
  std::size_t batch = 0;

  std::string encode() const { return text_of({{kVersion, version}, {kBatch, batch}}); }
  static absl::StatusOr<Token> decode(const std::string& text) {
    const Json json = parse_json(text);
    const auto number = [&json](const char* name) {
      return json.is_object() && json.contains(name) && json[name].is_number_integer()
                 ? json[name].get<std::int64_t>()
                 : -1;
    };
    if (number(kBatch) < 0 || number(kVersion) < 0) return invalid("next page token is corrupted");
    return Token{number(kVersion), static_cast<std::size_t>(number(kBatch))};
  }
};

// The highest version that is there.
absl::StatusOr<std::int64_t> find_version(const std::string& folder, const RunKey& key) {
  const auto names = names_in(folder);
  if (!names.ok()) return names.status();
  const std::string prefix = prefix_of(key);
  std::optional<std::int64_t> highest;
  for (absl::string_view name : names->value_or(std::vector<std::string>())) {
    std::int64_t version = 0;
    if (absl::ConsumePrefix(&name, prefix) && absl::ConsumeSuffix(&name, kSuffix) &&
        absl::SimpleAtoi(name, &version)) {
      highest = std::max(highest.value_or(version), version);
    }
  }
  if (!highest) return no_history();
  return *highest;
}

}  // namespace

std::string history_name(const RunKey& key, std::int64_t version) {
  return absl::StrCat(prefix_of(key), version, kSuffix);
}

std::string encode_history(const history::History& events,
                           const std::vector<std::int64_t>& begins) {
  std::string all = "[";
  for (std::size_t i = 0; i < begins.size(); ++i) {
    const std::int64_t end = i + 1 < begins.size() ? begins[i + 1] : events.events_size() + 1;
    history::History batch;
    for (std::int64_t id = begins[i]; id < end; ++id)
      *batch.add_events() = events.events(static_cast<int>(id - 1));
    absl::StrAppend(&all, i > 0 ? "," : "", text_of(to_json(batch)));
  }
  return all + "]";
}

absl::StatusOr<std::vector<history::History>> decode_history(const std::string& json) {
  const Json parsed = parse_json(json);
  if (!parsed.is_array()) return absl::DataLossError("no list of JSON");
  std::vector<history::History> batches;
  for (const Json& each : parsed) {
    if (absl::Status status = from_json(each, batches.emplace_back()); !status.ok()) return status;
  }
  return batches;
}

absl::Status write_history(const std::string& folder, const RunKey& key,
                           const history::History& events,
                           const std::vector<std::int64_t>& begins) {
  const std::int64_t version = events.events(events.events_size() - 1).version();
  return write_file(folder, history_name(key, version), folder, encode_history(events, begins));
}

absl::Status HistoryReader::open(const std::string& folder, const std::string& name) {
  if (folder == folder_ && name == name_) return absl::OkStatus();
  const auto json = read_file(folder, name);
  if (!json.ok()) return json.status();
  if (!json->has_value()) return no_history();
  absl::StatusOr<std::vector<history::History>> batches = decode_history(**json);
  if (!batches.ok()) {
    return absl::DataLossError(absl::StrCat("the archive's file ", folder, "/", name,
                                            " is damaged: ", batches.status().message()));
  }
  folder_ = folder;
  name_ = name;
  batches_ = *std::move(batches);
  return absl::OkStatus();
}

absl::StatusOr<HistoryPage> HistoryReader::read(const std::string& folder, const RunKey& key,
                                                const std::string& token, int page_size) {
  absl::StatusOr<Token> at = Token{};
  if (!token.empty()) {
    at = Token::decode(token);
    if (!at.ok()) return at.status();
  } else {
    const absl::StatusOr<std::int64_t> version = find_version(folder, key);
    if (!version.ok()) return version.status();
    at->version = *version;
  }
  if (absl::Status status = open(folder, history_name(key, at->version)); !status.ok())
    return status;
  if (at->batch > batches_.size()) return invalid("next page token is corrupted");
  HistoryPage page;
  while (at->batch < batches_.size() && page.events.events_size() < page_size)
    page.events.MergeFrom(batches_[at->batch++]);
  if (at->batch < batches_.size()) {
    page.next_token = at->encode();
  } else {
    *this = HistoryReader();
  }
  return page;
}

}  // namespace chimera::server::archival
