// Steps for pipelines: ordinary activities, with types of their own.
#ifndef CHIMERA_SAMPLES_CPP_PIPELINE_STEPS_H_
#define CHIMERA_SAMPLES_CPP_PIPELINE_STEPS_H_

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "chimera/activity.h"

namespace pipeline {

using Settings = std::map<std::string, std::string>;

inline std::string replace(const std::string& text, const Settings& settings) {
  const std::string& from = settings.at("from");
  std::string out = text;
  for (std::size_t at = 0; (at = out.find(from, at)) != std::string::npos;) {
    out.replace(at, from.size(), settings.at("to"));
    at += settings.at("to").size();
  }
  return out;
}

inline std::vector<std::string> split(const std::string& text) {
  std::istringstream words(text);
  return {std::istream_iterator<std::string>(words), {}};
}

inline int count(const std::vector<std::string>& words) { return static_cast<int>(words.size()); }

inline std::string longest(const std::vector<std::string>& words) {
  if (words.empty()) throw chimera::ApplicationError("there are no words", {.type = "Empty"});
  return std::ranges::max(words, {}, [](const std::string& word) { return word.size(); });
}

inline std::string report(const std::tuple<int, std::string>& facts) {
  return std::to_string(std::get<0>(facts)) + " words, the longest is " + std::get<1>(facts);
}

inline constexpr auto kReplace = chimera::define_activity<&replace>();
inline constexpr auto kSplit = chimera::define_activity<&split>();
inline constexpr auto kCount = chimera::define_activity<&count>();
inline constexpr auto kLongest = chimera::define_activity<&longest>();
inline constexpr auto kReport = chimera::define_activity<&report>();
inline constexpr std::array kStepNames{kReplace.name(), kSplit.name(), kCount.name(),
                                       kLongest.name(), kReport.name()};

inline void add_steps(chimera::Registry& registry) {
  registry.add(kReplace).add(kSplit).add(kCount).add(kLongest).add(kReport);
}

}  // namespace pipeline

#endif  // CHIMERA_SAMPLES_CPP_PIPELINE_STEPS_H_
