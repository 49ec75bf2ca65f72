// Registry, which language runs which type in one worker. Filled before the worker starts, read
// only after that: no lock.
#ifndef CHIMERA_CORE_WORKER_REGISTRY_H_
#define CHIMERA_CORE_WORKER_REGISTRY_H_

#include <map>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace chimera::core {

template <class Language>
class Registry {
 public:
  // `kind` is "workflow" or "activity", for messages.
  explicit Registry(const char* kind) : kind_(kind) {}

  absl::Status add(std::string type, Language& language) {
    if (type.empty())
      return absl::InvalidArgumentError(absl::StrCat("a ", kind_, " type has an empty name"));
    auto [it, added] = by_type_.emplace(std::move(type), &language);
    if (added) return absl::OkStatus();
    return absl::AlreadyExistsError(absl::StrCat(
        kind_, " ", it->first, " is registered twice in this worker: in ", it->second->name(),
        " and in ", language.name(), "; rename one, or register only one of them"));
  }

  absl::Status add_dynamic(Language& language) {
    if (dynamic_ != nullptr)
      return absl::AlreadyExistsError(absl::StrCat("a dynamic ", kind_, " is registered twice: in ",
                                                   dynamic_->name(), " and in ", language.name()));
    dynamic_ = &language;
    return absl::OkStatus();
  }

  Language* find(const std::string& type) const {
    auto it = by_type_.find(type);
    return it == by_type_.end() ? dynamic_ : it->second;
  }

  bool empty() const { return by_type_.empty() && dynamic_ == nullptr; }

  // Each once.
  std::set<Language*> languages() const {
    std::set<Language*> all;
    if (dynamic_ != nullptr) all.insert(dynamic_);
    for (const auto& [type, language] : by_type_) all.insert(language);
    return all;
  }

  std::string types() const {  // "Order, Shipping"
    std::string text;
    for (const auto& [type, language] : by_type_)
      absl::StrAppend(&text, text.empty() ? "" : ", ", type);
    return text;
  }

 private:
  const char* const kind_;
  std::map<std::string, Language*> by_type_;
  Language* dynamic_ = nullptr;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKER_REGISTRY_H_
