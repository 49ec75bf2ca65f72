#include "server/engine/ended_schedules.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "server/engine/engine.h"

namespace chimera::server {

void EndedSchedules::add(const std::string& key, WallTime until) {
  until_[key] = until;
  order_.emplace_back(until, key);
}

void EndedSchedules::note(const std::string& key, WallTime until) {
  drop_expired();
  add(key, until);
  engine_.put_value(kTable, key, absl::StrCat(until.time_since_epoch().count()));
}

void EndedSchedules::forget(const std::string& key) {
  if (until_.erase(key) > 0) engine_.put_value(kTable, key, "", /*erase=*/true);
}

bool EndedSchedules::contains(const std::string& key) const {
  const auto found = until_.find(key);
  return found != until_.end() && found->second > engine_.now();
}

// Some at a time are enough: each that is noted takes some away.
void EndedSchedules::drop_expired() {
  constexpr int kAtOnce = 10;
  for (int i = 0; i < kAtOnce && !order_.empty() && order_.front().first <= engine_.now(); ++i) {
    const auto [until, key] = std::move(order_.front());
    order_.pop_front();
    const auto found = until_.find(key);
    if (found != until_.end() && found->second == until) forget(key);
  }
}

absl::Status EndedSchedules::restore(const std::string& key, const std::string& value) {
  std::int64_t nanos = 0;
  if (!absl::SimpleAtoi(value, &nanos)) {
    return absl::DataLossError(
        absl::StrCat("the database is damaged: the end of schedule ", key,
                     ". Restore a copy of the file, or start with another file name."));
  }
  add(key, WallTime(Nanos(nanos)));
  return absl::OkStatus();
}

}  // namespace chimera::server
