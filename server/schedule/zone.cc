#include "server/schedule/zone.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/time/civil_time.h"

#include "server/schedule/calendar.h"
#include "server/schedule/zone_rule.h"

namespace chimera::server::schedule {
namespace {

using Change = Zone::Change;

// Of the data of a zone, in order. What is not there reads as nothing, and `ok` is false then.
class Data {
 public:
  explicit Data(absl::string_view text) : rest_(text) {}

  Data take(std::uint64_t bytes) {
    if (bytes > rest_.size()) {
      ok = false;
      return Data({});
    }
    Data taken(rest_.substr(0, bytes));
    rest_.remove_prefix(bytes);
    return taken;
  }
  std::uint8_t byte() {
    const Data one = take(1);
    return one.rest_.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(one.rest_[0]);
  }
  // Big-endian and signed.
  std::int64_t number(int bytes) {
    std::uint64_t value = 0;
    for (int i = 0; i < bytes; ++i) value = value << 8 | byte();
    return bytes == 4 ? static_cast<std::int32_t>(value) : static_cast<std::int64_t>(value);
  }
  absl::string_view rest() const { return rest_; }

  bool ok = true;

 private:
  absl::string_view rest_;
};

struct LocalType {
  std::int64_t offset;
  bool summer;
};

struct Contents {
  std::vector<LocalType> types;
  std::vector<std::pair<std::int64_t, std::size_t>> changes;  // Time, type.
  absl::string_view rule;
};

// How many there are: of UTC and standard indicators, leap seconds, changes, types, characters.
struct Counts {
  explicit Counts(Data& data) {
    for (std::uint64_t* count : {&utc, &standard, &leaps, &changes, &types, &characters})
      *count = static_cast<std::uint32_t>(data.number(4));
  }
  std::uint64_t bytes(std::uint64_t time) const {
    constexpr std::uint64_t kTypeBytes = 6, kCorrection = 4;
    return changes * (time + 1) + types * kTypeBytes + characters + leaps * (time + kCorrection) +
           standard + utc;
  }
  std::uint64_t utc = 0, standard = 0, leaps = 0, changes = 0, types = 0, characters = 0;
};

constexpr std::uint64_t kMagicBytes = 4, kHeaderBytes = 20;  // Without the counts.

bool read_types(Data types, std::uint64_t count, std::uint64_t characters, Contents& out) {
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::int64_t offset = types.number(4);
    const bool summer = types.byte() != 0;
    out.types.push_back({offset, summer});
    if (types.byte() >= characters) return false;  // Where its name is.
  }
  return types.ok && count > 0;
}

bool read_contents(absl::string_view text, Contents& out) {
  Data data(text);
  if (data.take(kMagicBytes).rest() != "TZif") return false;
  Data header = data.take(kHeaderBytes - kMagicBytes);
  const std::uint8_t version = header.byte();
  if (!data.ok || (version != 0 && version != '2' && version != '3')) return false;
  Counts counts(data);
  int time_bytes = 4;
  if (version != 0) {  // Once more, with longer times.
    data.take(counts.bytes(4) + kHeaderBytes);
    counts = Counts(data);
    time_bytes = 8;
  }
  Data body = data.take(counts.bytes(static_cast<std::uint64_t>(time_bytes)));
  if (!data.ok) return false;
  Data times = body.take(counts.changes * static_cast<std::uint64_t>(time_bytes));
  Data indices = body.take(counts.changes);
  constexpr std::uint64_t kTypeBytes = 6;
  if (!read_types(body.take(counts.types * kTypeBytes), counts.types, counts.characters, out))
    return false;
  for (std::uint64_t i = 0; i < counts.changes; ++i) {
    out.changes.emplace_back(times.number(time_bytes), indices.byte());
    if (out.changes.back().second >= out.types.size()) return false;
  }
  const absl::string_view rest = data.rest();
  if (rest.size() > 2 && rest.front() == '\n' && rest.back() == '\n')
    out.rule = rest.substr(1, rest.size() - 2);
  return true;
}

// That holds before the first change, as Go guesses it.
std::size_t first_type(const Contents& contents) {
  const auto& [types, changes, rule] = contents;
  const bool first_is_used = std::any_of(changes.begin(), changes.end(),
                                         [](const auto& each) { return each.second == 0; });
  if (!first_is_used) return 0;
  if (types[changes[0].second].summer) {
    for (std::size_t i = changes[0].second; i-- > 0;)
      if (!types[i].summer) return i;
  }
  for (std::size_t i = 0; i < types.size(); ++i)
    if (!types[i].summer) return i;
  return 0;
}

std::int64_t begin_of(int year) {
  return absl::ToUnixSeconds(absl::FromCivil(absl::CivilYear(year), absl::UTCTimeZone()));
}

// The rule holds from the last change on, which is `from`.
void add_rule(const ZoneRule& rule, std::int64_t from, std::vector<Change>& out) {
  constexpr int kFirst = 1969;  // No schedule is due before 1970.
  for (int year = kFirst; year <= kLastYear + 1; ++year) {
    const std::int64_t begin = begin_of(year), end = begin_of(year + 1);
    if (end <= from) continue;
    const ZoneRule::Year parts = rule.year(year);
    const auto offset_at = [&parts](std::int64_t second) {
      return second < parts.begin || second >= parts.end ? parts.outside : parts.inside;
    };
    const std::int64_t first = std::max(from, begin);
    out.push_back({first, offset_at(first - begin)});
    for (const std::int64_t at : {parts.begin, parts.end})
      if (begin + at > first && begin + at < end) out.push_back({begin + at, offset_at(at)});
  }
}

}  // namespace

absl::StatusOr<Zone> Zone::of_data(absl::string_view data) {
  Contents contents;
  if (!read_contents(data, contents))
    return absl::InvalidArgumentError("malformed time zone information");
  constexpr std::int64_t kAlways = std::numeric_limits<std::int64_t>::min();
  if (contents.changes.empty()) contents.changes.emplace_back(kAlways, 0);
  std::vector<Change> all = {{kAlways, contents.types[first_type(contents)].offset}};
  for (const auto& [time, type] : contents.changes)
    all.push_back({time, contents.types[type].offset});
  if (const auto rule = ZoneRule::parse(contents.rule))
    add_rule(*rule, contents.changes.back().first, all);
  std::stable_sort(all.begin(), all.end(),
                   [](const Change& a, const Change& b) { return a.time < b.time; });
  auto changes = std::make_shared<std::vector<Change>>();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool overruled = i + 1 < all.size() && all[i + 1].time == all[i].time;
    if (!overruled && (changes->empty() || changes->back().offset != all[i].offset))
      changes->push_back(all[i]);
  }
  Zone zone(absl::UTCTimeZone());
  zone.changes_ = std::move(changes);
  return zone;
}

std::int64_t Zone::offset_at(std::int64_t time) const {
  if (changes_ == nullptr) return zone_.At(absl::FromUnixSeconds(time)).offset;
  const auto after =
      std::upper_bound(changes_->begin(), changes_->end(), time,
                       [](std::int64_t at, const Change& change) { return at < change.time; });
  return after == changes_->begin() ? after->offset : std::prev(after)->offset;
}

std::optional<std::int64_t> Zone::change_after(std::int64_t time) const {
  if (changes_ != nullptr) {
    const auto after =
        std::upper_bound(changes_->begin(), changes_->end(), time,
                         [](std::int64_t at, const Change& change) { return at < change.time; });
    return after == changes_->end() ? std::nullopt : std::optional(after->time);
  }
  absl::TimeZone::CivilTransition change;
  if (!zone_.NextTransition(absl::FromUnixSeconds(time), &change)) return std::nullopt;
  // Of a local time that comes twice the second, which is the one behind the change.
  const std::int64_t at = absl::ToUnixSeconds(zone_.At(change.to).post);
  return at > time ? std::optional(at) : std::nullopt;
}

}  // namespace chimera::server::schedule
