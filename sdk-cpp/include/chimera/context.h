// Context, values that go along with code, by name: whose request it is, what it is part of. Code
// below finds them without their being passed to it, and a propagator carries them in headers to
// whatever the code starts or signals, in either language.
//
//   const chimera::ContextScope scope(chimera::Context::current().with("tenant", tenant));
//   client.start_workflow<kOrder>(...);  // Its code, and its activities', see "tenant", too, if
//                  // the client has .interceptors = {chimera::context_propagator({"tenant"})}.
//   const auto tenant = chimera::Context::current().get<std::string>("tenant");
#ifndef CHIMERA_CONTEXT_H_
#define CHIMERA_CONTEXT_H_

#include <any>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include "chimera/converter.h"

namespace chimera {

class Interceptor;  // interceptor.h

namespace detail {
struct ContextValue {
  std::any value;  // A Payload where it came in a header.
  // Null: of a type without a conversion, which no header carries.
  Payload (*to_payload)(const std::any& value) = nullptr;
};
[[noreturn]] void throw_other_type(std::string_view key, const std::type_info& held);
}  // namespace detail

// Immutable, and cheap to copy. Each task of a workflow has one, and each thread elsewhere.
class Context {
 public:
  Context() = default;  // Without values.
  // Of the code that calls.
  static Context current();

  // This one and the value, in place of what it had under the key. Values are copied when they are
  // read; a std::shared_ptr shares what it points to.
  template <class T>
  [[nodiscard]] Context with(std::string key, T value) const {
    if constexpr (std::is_convertible_v<T, std::string_view> && !std::is_same_v<T, std::string>) {
      return with(std::move(key), std::string(std::string_view(value)));
    } else {
      detail::ContextValue kept{std::any(std::move(value))};
      if constexpr (detail::misfit<T>() == detail::Misfit::kNone) {
        kept.to_payload = [](const std::any& any) {
          return make_payload(std::any_cast<const T&>(any));
        };
      }
      return with_value(std::move(key), std::move(kept));
    }
  }
  [[nodiscard]] Context without(const std::string& key) const;

  // Nothing if there is no such value; ConversionError if it is of another type.
  template <class T>
  std::optional<T> get(std::string_view key) const {
    const detail::ContextValue* const found = find(key);
    if (found == nullptr) return std::nullopt;
    if (const T* const same = std::any_cast<T>(&found->value)) return *same;
    if constexpr (detail::misfit<T>() == detail::Misfit::kNone) {
      if (const auto* const came = std::any_cast<Payload>(&found->value))
        return from_payload<T>(*came);
    }
    detail::throw_other_type(key, found->value.type());
  }
  bool has(std::string_view key) const { return find(key) != nullptr; }
  // As a header carries it; nothing if there is none. Throws ConversionError for a type that has no
  // conversion.
  std::optional<Payload> payload(std::string_view key) const;

 private:
  using Values = std::map<std::string, detail::ContextValue, std::less<>>;
  Context with_value(std::string key, detail::ContextValue value) const;
  const detail::ContextValue* find(std::string_view key) const;

  std::shared_ptr<const Values> values_;  // Shared by copies. Null: none.
};

// Until its end the code of this block, on this task or thread, has the context; tasks that it
// spawns have it for good. Handlers and runs begin with what their headers brought, activities
// likewise.
class ContextScope {
 public:
  explicit ContextScope(Context context);
  ~ContextScope();
  ContextScope(const ContextScope&) = delete;
  ContextScope& operator=(const ContextScope&) = delete;

 private:
  Context before_;
};

// Carries these values in headers of their names: from clients to workflows (starts, signals,
// queries, updates, schedules), and from those to activities, children, what they signal, and the
// runs that they continue as. Of the code that is called, and only there, they are in the context.
std::shared_ptr<Interceptor> context_propagator(std::vector<std::string> keys);

}  // namespace chimera

#endif  // CHIMERA_CONTEXT_H_
