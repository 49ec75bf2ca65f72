#include "core/telemetry/health.h"

#include "absl/strings/str_cat.h"

namespace chimera::core {

int Health::add(std::string who, Check alive, Check ready) {
  absl::MutexLock lock(&mutex_);
  parts_.emplace(++last_id_, Part{std::move(who), std::move(alive), std::move(ready)});
  return last_id_;
}

void Health::remove(int id) {
  absl::MutexLock lock(&mutex_);
  parts_.erase(id);
}

Health::Report Health::ask(Check Part::* check) const {
  Report report{.ok = true, .text = ""};
  absl::MutexLock lock(&mutex_);
  for (const auto& [id, part] : parts_) {
    std::string wrong = (part.*check)();
    if (!wrong.empty()) report.ok = false;
    absl::StrAppend(&report.text, part.who, ": ", wrong.empty() ? "ok" : wrong, "\n");
  }
  return report;
}

Health::Report Health::alive() const {
  Report report = ask(&Part::alive);
  if (report.text.empty()) report.text = "ok\n";
  return report;
}

Health::Report Health::ready() const {
  Report report = ask(&Part::ready);
  if (report.text.empty()) report = {.ok = false, .text = "no worker has started\n"};
  return report;
}

Health& process_health() {
  static Health& health = *new Health;
  return health;
}

}  // namespace chimera::core
