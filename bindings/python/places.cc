#include "bindings/python/places.h"

#include <algorithm>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

namespace chimera::bindings {
namespace {

class Places {
 public:
  std::uint64_t number(std::string_view text) {
    absl::MutexLock lock(&mutex_);
    const auto found = numbers_.find(absl::string_view(text.data(), text.size()));
    if (found != numbers_.end()) return found->second;
    texts_.emplace_back(text);
    return numbers_[texts_.back()] = texts_.size();
  }
  std::string text(std::uint64_t number) {
    absl::MutexLock lock(&mutex_);
    return number == 0 || number > texts_.size() ? "" : texts_[number - 1];
  }

 private:
  absl::Mutex mutex_;
  absl::flat_hash_map<std::string, std::uint64_t> numbers_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> texts_ ABSL_GUARDED_BY(mutex_);
};

Places& places_of_process() {
  static auto* const places = new Places;  // Lanes may ask until the end.
  return *places;
}

}  // namespace

void note_places(const py::list& places, std::vector<core::Command>& commands) {
  const std::size_t count = std::min<std::size_t>(places.size(), commands.size());
  for (std::size_t i = 0; i < count; ++i) {
    const auto text = py::reinterpret_borrow<py::object>(places[i]).cast<std::string_view>();
    if (!text.empty()) commands[i].place = places_of_process().number(text);
  }
}

std::string place_in_words(std::uint64_t place) { return places_of_process().text(place); }

}  // namespace chimera::bindings
