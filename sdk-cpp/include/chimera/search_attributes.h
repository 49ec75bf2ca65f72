// SearchAttributeKey, a search attribute's name with its type, so that values are written and read
// as what they are:
//
//   const auto kCustomer = SearchAttributeKey<std::string>::keyword("Customer");
//   const SearchAttributeKey<std::int64_t> kCents("Cents");
//   workflow::upsert_search_attributes({kCustomer.value("ann"), kCents.unset()});
//   std::optional<std::string> customer = kCustomer.get(handle.describe().search_attributes);
#ifndef CHIMERA_SEARCH_ATTRIBUTES_H_
#define CHIMERA_SEARCH_ATTRIBUTES_H_

#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "chimera/converter.h"
#include "chimera/options.h"

namespace chimera {

// T is std::string (keyword() or text()), std::int64_t, double, bool, Time or
// std::vector<std::string> (a KeywordList). Immutable.
template <class T>
class SearchAttributeKey {
  static_assert(std::same_as<T, std::string> || std::same_as<T, std::int64_t> ||
                    std::same_as<T, double> || std::same_as<T, bool> || std::same_as<T, Time> ||
                    std::same_as<T, std::vector<std::string>>,
                "a search attribute is a std::string, std::int64_t, double, bool, chimera::Time or "
                "std::vector<std::string>");

 public:
  using Entry = SearchAttributes::value_type;

  explicit SearchAttributeKey(std::string name)
    requires(!std::same_as<T, std::string>)
      : name_(std::move(name)) {}
  static SearchAttributeKey keyword(std::string name)
    requires std::same_as<T, std::string>
  {
    return {std::move(name), false};
  }
  // Found by its words.
  static SearchAttributeKey text(std::string name)
    requires std::same_as<T, std::string>
  {
    return {std::move(name), true};
  }
  const std::string& name() const { return name_; }

  // For SearchAttributes: {kCustomer.value("ann"), kCents.value(500)}.
  Entry value(T value) const {
    if constexpr (std::same_as<T, std::string>) {
      if (is_text_) return {name_, SearchAttributeText{std::move(value)}};
    }
    return {name_, std::move(value)};
  }
  Entry unset() const { return {name_, std::monostate()}; }

  // Of an execution, schedule or workflow::info(); nothing if it has none. Throws ConversionError
  // where the server has it as another type.
  std::optional<T> get(const std::map<std::string, Payload>& attributes) const {
    const auto found = attributes.find(name_);
    if (found == attributes.end()) return std::nullopt;
    return from_payload<std::optional<T>>(found->second);
  }
  // Of attributes that are to be sent. Throws std::bad_variant_access, likewise.
  std::optional<T> get(const SearchAttributes& attributes) const {
    const auto found = attributes.find(name_);
    if (found == attributes.end() || std::holds_alternative<std::monostate>(found->second))
      return std::nullopt;
    if constexpr (std::same_as<T, std::string>) {
      if (is_text_) return std::get<SearchAttributeText>(found->second).text;
    }
    return std::get<T>(found->second);
  }

 private:
  SearchAttributeKey(std::string name, bool is_text) : name_(std::move(name)), is_text_(is_text) {}

  std::string name_;
  bool is_text_ = false;
};

}  // namespace chimera

#endif  // CHIMERA_SEARCH_ATTRIBUTES_H_
