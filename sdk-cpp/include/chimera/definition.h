// Definitions: what a worker needs to know of a workflow class or an activity function, erased to
// plain function pointers. Users meet define_workflow() and Registry; everything in namespace
// detail is theirs to ignore.
#ifndef CHIMERA_DEFINITION_H_
#define CHIMERA_DEFINITION_H_

#include <array>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "chimera/converter.h"

namespace chimera {
namespace detail {

// Parameter and result types of functions, methods and (const) methods.
template <class F>
struct Signature;
template <class R, class... A>
struct Signature<R (*)(A...)> {
  using Class = void;
  using Result = R;
  using Arguments = std::tuple<std::decay_t<A>...>;
};
template <class R, class... A>
struct Signature<R (*)(A...) noexcept> : Signature<R (*)(A...)> {};
template <class C, class R, class... A>
struct Signature<R (C::*)(A...)> {
  using Class = C;
  using Result = R;
  using Arguments = std::tuple<std::decay_t<A>...>;
};
template <class C, class R, class... A>
struct Signature<R (C::*)(A...) const> : Signature<R (C::*)(A...)> {};
template <class C, class R, class... A>
struct Signature<R (C::*)(A...) noexcept> : Signature<R (C::*)(A...)> {};
template <class C, class R, class... A>
struct Signature<R (C::*)(A...) const noexcept> : Signature<R (C::*)(A...)> {};

template <auto F>
using ResultOf = std::decay_t<typename Signature<decltype(F)>::Result>;
template <auto F>
using ArgumentsOf = typename Signature<decltype(F)>::Arguments;
template <auto F>
using ClassOf = typename Signature<decltype(F)>::Class;

// The name on the wire: the one that the function was last defined or registered under, else its
// own. Functions, since definitions at namespace scope run before variables of templates are
// initialised.
template <auto F>
std::string& wire_name() {
  static std::string name{reflect::kFunctionName<F>};
  return name;
}
// A workflow's is the class's, since run methods are all called alike.
template <class C>
consteval std::string_view class_name() {
  std::string_view text = __PRETTY_FUNCTION__;
  text.remove_prefix(text.find("C = ") + 4);
  text = text.substr(0, text.find_first_of(";]"));
  const std::size_t colon = text.rfind(':');
  return colon == std::string_view::npos ? text : text.substr(colon + 1);
}
template <auto F>
std::string& workflow_name() {
  static std::string name{class_name<ClassOf<F>>()};
  return name;
}

// An argument on its way out: borrowed, and encoded when the call knows where to.
struct Argument {
  const void* value;
  void (*encode)(const void* value, PayloadSink& out);
};
template <class T>
Argument argument(const T& value) {
  return {&value,
          [](const void* from, PayloadSink& out) { encode(out, *static_cast<const T*>(from)); }};
}
using Arguments = std::span<const Argument>;

// Calls use(arguments) with the values converted to the parameter types of F, so that the compiler
// checks them.
template <class Parameters>
struct Passing;
template <class... P>
struct Passing<std::tuple<P...>> {
  template <class Use>
  static decltype(auto) pass(Use&& use, const P&... values) {
    const std::array<Argument, sizeof...(P)> arguments{argument(values)...};
    return use(Arguments(arguments));
  }
};
template <class Use, class... T>
decltype(auto) pass_any(Use&& use, const T&... values) {
  const std::array<Argument, sizeof...(T)> arguments{argument(values)...};
  return use(Arguments(arguments));
}

// Throws ConversionError: too few arguments (an optional one may be missing), too many, or one that
// does not fit.
void check_argument_count(const PayloadList& arguments, std::size_t least, std::size_t most);
[[noreturn]] void argument_failed(std::size_t index, const ConversionError& error);

template <class T>
void decode_argument(const PayloadList& arguments, std::size_t index, T& value) {
  if (index >= arguments.size()) return;
  try {
    decode(arguments[index], value);
  } catch (const ConversionError& error) {
    argument_failed(index, error);
  }
}

template <class Tuple>
inline constexpr std::size_t kRequired = 0;
template <class... A>
inline constexpr std::size_t kRequired<std::tuple<A...>> = [] {
  std::size_t least = 0, index = 0;
  ((++index, is_a<A, std::optional> ? void() : void(least = index)), ...);
  return least;
}();

template <class Tuple>
Tuple decode_arguments(const PayloadList& arguments) {
  check_argument_count(arguments, kRequired<Tuple>, std::tuple_size_v<Tuple>);
  Tuple values{};
  std::size_t index = 0;
  std::apply([&](auto&... value) { (decode_argument(arguments, index++, value), ...); }, values);
  return values;
}

template <class R, class Call>
void call_into(PayloadSink* result, Call&& call) {
  if constexpr (std::is_void_v<R>) {
    call();
    if (result != nullptr) result->set_null();
  } else {
    decltype(auto) value = call();
    if (result != nullptr) encode(*result, value);
  }
}

using Thunk = void (*)(void* object, const PayloadList& arguments, PayloadSink* result);

template <auto F>
void call_method(void* object, const PayloadList& arguments, PayloadSink* result) {
  auto values = decode_arguments<ArgumentsOf<F>>(arguments);
  auto& self = *static_cast<ClassOf<F>*>(object);
  call_into<typename Signature<decltype(F)>::Result>(result, [&]() -> decltype(auto) {
    return std::apply(
        [&](auto&... value) -> decltype(auto) { return (self.*F)(std::move(value)...); }, values);
  });
}

template <auto F>
void call_function(const PayloadList& arguments, PayloadSink* result) {
  auto values = decode_arguments<ArgumentsOf<F>>(arguments);
  call_into<typename Signature<decltype(F)>::Result>(result, [&]() -> decltype(auto) {
    return std::apply([](auto&... value) -> decltype(auto) { return F(std::move(value)...); },
                      values);
  });
}

template <auto F>
void check_arguments(const PayloadList& arguments) {
  decode_arguments<ArgumentsOf<F>>(arguments);
}

struct HandlerType {
  std::string name;
  void (*check)(const PayloadList& arguments) =
      nullptr;  // Throws ConversionError if they do not fit.
  Thunk call = nullptr;
  Thunk validate = nullptr;  // Updates only; may be null.
};

struct WorkflowType {
  std::string name;
  // Default construction, or from run()'s arguments where the class takes those.
  std::shared_ptr<void> (*create)(const PayloadList& arguments) = nullptr;
  Thunk run = nullptr;
  std::vector<HandlerType> signals, queries, updates;
};

struct ActivityType {
  std::string name;
  std::function<void(const PayloadList& arguments, PayloadSink* result)> call;
};

template <class C, class Parameters>
std::shared_ptr<void> create_workflow(const PayloadList& arguments) {
  if constexpr (std::is_default_constructible_v<C>) {
    return std::make_shared<C>();
  } else {
    return std::apply([](auto&... value) { return std::make_shared<C>(std::move(value)...); },
                      *std::make_unique<Parameters>(decode_arguments<Parameters>(arguments)));
  }
}

}  // namespace detail

// A workflow class with its name and handlers; made by define_workflow().
template <class C>
class WorkflowDefinition {
 public:
  explicit WorkflowDefinition(detail::WorkflowType type) : type_(std::move(type)) {}

  template <auto Handler>
  WorkflowDefinition signal(std::string name = std::string(reflect::kFunctionName<Handler>)) && {
    check<Handler>();
    type_.signals.push_back({named<Handler>(std::move(name)), &detail::check_arguments<Handler>,
                             &detail::call_method<Handler>});
    return std::move(*this);
  }
  template <auto Handler>
  WorkflowDefinition query(std::string name = std::string(reflect::kFunctionName<Handler>)) && {
    check<Handler>();
    type_.queries.push_back({named<Handler>(std::move(name)), &detail::check_arguments<Handler>,
                             &detail::call_method<Handler>});
    return std::move(*this);
  }
  // The validator takes what the handler takes; an exception of it rejects the update.
  template <auto Handler, auto Validator = nullptr>
  WorkflowDefinition update(std::string name = std::string(reflect::kFunctionName<Handler>)) && {
    check<Handler>();
    detail::Thunk validate = nullptr;
    if constexpr (!std::is_same_v<decltype(Validator), std::nullptr_t>) {
      check<Validator>();
      static_assert(std::is_same_v<detail::ArgumentsOf<Validator>, detail::ArgumentsOf<Handler>>,
                    "the validator must take the same arguments as the update handler");
      validate = &detail::call_method<Validator>;
    }
    type_.updates.push_back({named<Handler>(std::move(name)), &detail::check_arguments<Handler>,
                             &detail::call_method<Handler>, validate});
    return std::move(*this);
  }

  const std::string& name() const { return type_.name; }
  const detail::WorkflowType& type() const { return type_; }

 private:
  template <auto Handler>
  static void check() {
    static_assert(std::is_base_of_v<detail::ClassOf<Handler>, C>,
                  "a handler must be a method of the workflow class");
  }
  template <auto Handler>
  static std::string named(std::string name) {
    detail::wire_name<Handler>() = name;
    return name;
  }

  detail::WorkflowType type_;
};

// inline const auto kOrder =
// chimera::define_workflow<&Order::run>("Order").signal<&Order::approve>("approve");
template <auto Run>
WorkflowDefinition<detail::ClassOf<Run>> define_workflow(
    std::string name = detail::workflow_name<Run>()) {
  using C = detail::ClassOf<Run>;
  static_assert(std::is_class_v<C>, "define_workflow takes a method: define_workflow<&Order::run>");
  detail::workflow_name<Run>() = name;
  return WorkflowDefinition<C>({.name = std::move(name),
                                .create = &detail::create_workflow<C, detail::ArgumentsOf<Run>>,
                                .run = &detail::call_method<Run>});
}

// Workflows and activities of a program or library, in one list.
class Registry {
 public:
  template <class C>
  Registry& add(const WorkflowDefinition<C>& definition) {
    return add_workflow_type(definition.type());
  }
  // A function: add_activity<&charge_card>("charge_card").
  template <auto F>
  Registry& add_activity(std::string name = std::string(reflect::kFunctionName<F>)) {
    static_assert(std::is_void_v<detail::ClassOf<F>>,
                  "a method needs its object: add_activity<&Bank::charge>(bank, \"charge\")");
    detail::wire_name<F>() = name;
    return add_activity_type({std::move(name), &detail::call_function<F>});
  }
  // A method of an object, which must outlive the worker.
  template <auto F, class C>
    requires std::is_base_of_v<detail::ClassOf<F>, C>
  Registry& add_activity(C& object, std::string name = std::string(reflect::kFunctionName<F>)) {
    detail::wire_name<F>() = name;
    return add_activity_type(
        {std::move(name), [&object](const PayloadList& arguments, PayloadSink* result) {
           detail::call_method<F>(&object, arguments, result);
         }});
  }

  Registry& add_workflow_type(detail::WorkflowType type);
  Registry& add_activity_type(detail::ActivityType type);
  const std::vector<detail::WorkflowType>& workflows() const { return workflows_; }
  const std::vector<detail::ActivityType>& activities() const { return activities_; }

 private:
  std::vector<detail::WorkflowType> workflows_;
  std::vector<detail::ActivityType> activities_;
};

}  // namespace chimera

#endif  // CHIMERA_DEFINITION_H_
