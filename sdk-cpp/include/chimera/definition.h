// Definitions: what a worker needs to know of a workflow class or an activity function, erased to
// plain function pointers. Users meet define_workflow() and Registry; everything in namespace
// detail is theirs to ignore.
#ifndef CHIMERA_DEFINITION_H_
#define CHIMERA_DEFINITION_H_

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "chimera/converter.h"
#include "chimera/failure_exceptions.h"
#include "chimera/nexus_contract.h"
#include "chimera/options.h"
#include "chimera/serialization_context.h"

namespace chimera {

// What to say of a signal's or update's handler that still runs when its workflow ends.
enum class HandlerUnfinishedPolicy { kWarnAndAbandon = 0, kAbandon = 1 };

struct HandlerOptions {
  HandlerUnfinishedPolicy unfinished_policy = HandlerUnfinishedPolicy::kWarnAndAbandon;
};

namespace detail {

class Waitable;

// Parameter and result types of functions, methods and (const) methods.
template <class F>
struct Signature;
template <class R, class... A>
struct Signature<R (*)(A...)> {
  using Class = void;
  using Result = R;
  using Arguments = std::tuple<std::decay_t<A>...>;
  using Parameters = Types<A...>;
};
template <class R, class... A>
struct Signature<R (*)(A...) noexcept> : Signature<R (*)(A...)> {};
template <class C, class R, class... A>
struct Signature<R (C::*)(A...)> {
  using Class = C;
  using Result = R;
  using Arguments = std::tuple<std::decay_t<A>...>;
  using Parameters = Types<A...>;
};
template <class C, class R, class... A>
struct Signature<R (C::*)(A...) const> : Signature<R (C::*)(A...)> {};
template <class C, class R, class... A>
struct Signature<R (C::*)(A...) noexcept> : Signature<R (C::*)(A...)> {};
template <class C, class R, class... A>
struct Signature<R (C::*)(A...) const noexcept> : Signature<R (C::*)(A...)> {};

// (g++ 12 takes a constant's type for its argument's.)
template <auto F>
using SignatureOf = Signature<std::remove_const_t<decltype(F)>>;
template <auto F>
using ResultOf = std::decay_t<typename SignatureOf<F>::Result>;
template <auto F>
using ArgumentsOf = typename SignatureOf<F>::Arguments;
template <auto F>
using ClassOf = typename SignatureOf<F>::Class;

// What the compiler says of functions that do not fit: each of these has a sentence, and whoever
// asks goes on without what would give more errors.

template <class T>
consteval bool fits_parameter() {
  using Value = std::decay_t<T>;
  constexpr Misfit kMisfit = misfit<Value>();
  if constexpr (std::is_lvalue_reference_v<T> && !std::is_const_v<std::remove_reference_t<T>>) {
    static_assert(never<T>,
                  "a parameter is a reference to what could be changed: take the value, or a "
                  "const reference");
  } else if constexpr (kMisfit == Misfit::kPointer) {
    static_assert(never<T>,
                  "a parameter is, or holds, a pointer, which means nothing in another process: "
                  "take the value; for text, std::string");
  } else if constexpr (kMisfit == Misfit::kView) {
    static_assert(never<T>,
                  "a parameter is, or holds, a view (std::string_view, std::span) of what nobody "
                  "would own: take std::string or std::vector");
  } else if constexpr (kMisfit == Misfit::kNoDefault) {
    static_assert(never<T>,
                  "a parameter is, or holds, a type without a default constructor, which values "
                  "are read into: give it one");
  } else if constexpr (kMisfit == Misfit::kNoConversion) {
    static_assert(never<T>,
                  "a parameter is, or holds, a type without a conversion: see the table in "
                  "chimera/converter.h, or give it to_payload() and from_payload(), or a "
                  "chimera::Converter");
  } else {
    return true;
  }
  return false;
}
template <class R>
consteval bool fits_result() {
  using Value = std::decay_t<R>;
  if constexpr (!std::is_void_v<R> && !Text<Value> && !Bytes<Value> &&
                misfit<Value>() == Misfit::kNoConversion) {
    static_assert(never<R>,
                  "the result is, or holds, a type without a conversion: see the table in "
                  "chimera/converter.h, or give it to_payload() and from_payload(), or a "
                  "chimera::Converter");
    return false;
  } else {
    return true;
  }
}
template <class R, class... A>
consteval bool fits_all(Types<A...>) {
  return (int{fits_result<R>()} & ... & int{fits_parameter<A>()}) != 0;
}
// A function or method: an activity, a run method, a handler.
template <auto F, class = decltype(F)>
consteval bool fits() {
  using Function = std::remove_const_t<decltype(F)>;
  if constexpr (requires { typename Signature<Function>::Parameters; }) {
    return fits_all<typename Signature<Function>::Result>(
        typename Signature<Function>::Parameters());
  } else {
    static_assert(never<Function>, "this is neither a function nor a method");
    return false;
  }
}

// Wherever a handler is a template argument its type is one too: g++ 12 gives templates over a
// member of a class in an unnamed namespace external linkage otherwise, so that two files' classes
// of the same name would share one instance.

// The names that definitions give a function, in this process. Any thread.
class DefinedNames {
 public:
  // `workflow_type`: of the definition that lists the handler; empty for a run method.
  void add(std::string_view workflow_type, std::string_view name);
  // What the definition of this workflow type says, else what all definitions agree on, else
  // `otherwise`. Throws std::logic_error where they do not agree, or where a definition that came
  // since would change what find() has said.
  std::string_view find(std::string_view workflow_type, std::string_view otherwise);

 private:
  struct Name;
  static void push(std::atomic<const Name*>& list, std::string_view workflow_type,
                   std::string_view name);
  // Of lists that only grow and are never freed: what definitions say, and what find() has said.
  std::atomic<const Name*> last_{nullptr}, last_said_{nullptr};
};
template <auto F, class = decltype(F)>
inline constinit DefinedNames defined_names;

// An activity's name, unless the call names a definition: the function's own.
template <auto F, class = decltype(F)>
constexpr std::string_view activity_name() {
  return reflect::kFunctionName<F>;
}
// A signal's, query's or update's, in this type of workflow (empty: in whichever).
template <auto F, class = decltype(F)>
std::string_view handler_name(std::string_view workflow_type) {
  return defined_names<F>.find(workflow_type, reflect::kFunctionName<F>);
}
// A workflow's is the class's without a definition, since run methods are all called alike.
template <class C>
consteval std::string_view class_name() {
  std::string_view text = __PRETTY_FUNCTION__;
  text.remove_prefix(text.find("C = ") + 4);
  text = text.substr(0, text.find_first_of(";]"));
  const std::size_t colon = text.rfind(':');
  return colon == std::string_view::npos ? text : text.substr(colon + 1);
}
template <auto F, class = decltype(F)>
std::string_view workflow_name() {
  return defined_names<F>.find({}, class_name<ClassOf<F>>());
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
// Those of a call, for the expression that makes it. What had to be converted is kept.
template <class... Kept>
class ArgumentList {
 public:
  template <class... A>
  explicit ArgumentList(const A&... values) : values_(values...), list_(list_of(values_)) {}
  ArgumentList(const ArgumentList&) = delete;
  ArgumentList& operator=(const ArgumentList&) = delete;
  operator Arguments() const { return Arguments(list_); }

 private:
  static std::array<Argument, sizeof...(Kept)> list_of(const std::tuple<Kept...>& values) {
    return std::apply(
        [](const auto&... each) {
          return std::array<Argument, sizeof...(Kept)>{argument(each)...};
        },
        values);
  }
  const std::tuple<Kept...> values_;
  const std::array<Argument, sizeof...(Kept)> list_;
};
template <class... T>
auto list_any(const T&... values) {
  return ArgumentList<const T&...>(values...);
}

template <class Parameters, class... A>
inline constexpr bool kConvert = false;
template <class... P, class... A>
  requires(sizeof...(P) == sizeof...(A))
inline constexpr bool kConvert<Types<P...>, A...> =
    (std::is_convertible_v<const A&, const P&> && ...);
template <std::size_t kParameters, class... A>
consteval void refuse_call() {
  static_assert(sizeof...(A) == kParameters,
                "this call passes another number of arguments than the function or method takes");
  static_assert(sizeof...(A) != kParameters,
                "an argument of this call does not convert to the parameter that it is for");
}

// Whether a parameter may not be given a value of this type, since the language would convert it
// and say nothing: to a narrower number, or to a truth. A number that is as wide and has another
// sign is looked at when it is there.
template <class To, class From>
constexpr bool narrows() {
  if constexpr (is_a<To, std::optional>) {
    if constexpr (is_a<From, std::optional>) {
      return narrows<typename To::value_type, typename From::value_type>();
    } else {
      return narrows<typename To::value_type, From>();
    }
  } else if constexpr (!std::is_integral_v<To>) {
    return false;
  } else if constexpr (std::is_same_v<To, bool>) {
    return !std::is_same_v<From, bool> && (std::is_arithmetic_v<From> || std::is_pointer_v<From>);
  } else if constexpr (std::is_integral_v<From>) {
    return sizeof(From) > sizeof(To);
  } else {
    return std::is_floating_point_v<From>;
  }
}
// Throws std::invalid_argument, for the parameter of this number.
[[noreturn]] void argument_changes_sign(std::size_t number, const std::string& value);
template <class To, class From>
void check_sign(const From& value, std::size_t number) {
  if constexpr (is_a<To, std::optional>) {
    if constexpr (is_a<From, std::optional>) {
      if (value) check_sign<typename To::value_type>(*value, number);
    } else if constexpr (std::is_integral_v<From>) {
      check_sign<typename To::value_type>(value, number);
    }
  } else if constexpr (std::is_integral_v<To> && std::is_integral_v<From>) {
    if constexpr (std::is_signed_v<From> && std::is_unsigned_v<To>) {
      if (value < 0) argument_changes_sign(number, std::to_string(value));
    } else if constexpr (std::is_unsigned_v<From> && std::is_signed_v<To> &&
                         sizeof(From) == sizeof(To)) {
      if (static_cast<To>(value) < 0) argument_changes_sign(number, std::to_string(value));
    }
  }
}
template <class To, class From>
decltype(auto) as_parameter(const From& value) {
  if constexpr (std::is_arithmetic_v<To> && std::is_arithmetic_v<From>) {
    return static_cast<To>(value);
  } else {
    return (value);
  }
}

// The values converted to the parameter types of F, so that the compiler checks them: as a list, or
// for use(arguments).
template <class Parameters>
struct Passing;
template <class... P>
struct Passing<std::tuple<P...>> {
  template <class... A>
  static auto list(const A&... values) {
    if constexpr (!kConvert<Types<P...>, A...>) {
      refuse_call<sizeof...(P), A...>();
      return ArgumentList<>();
    } else {
      static_assert((!narrows<P, std::decay_t<A>>() && ...),
                    "an argument would be narrowed to its parameter's type; if that is meant, say "
                    "static_cast");
      std::size_t number = 0;
      (check_sign<P>(values, ++number), ...);
      return ArgumentList<Kept<P, A>...>(as_parameter<P>(values)...);
    }
  }
  template <class Use, class... A>
  static decltype(auto) pass(Use&& use, const A&... values) {
    return std::forward<Use>(use)(list(values...));
  }

 private:
  template <class Parameter, class A>
  using Kept =
      std::conditional_t<!std::is_arithmetic_v<Parameter> &&
                             (std::is_same_v<Parameter, A> || std::is_base_of_v<Parameter, A>),
                         const Parameter&, Parameter>;
};
template <class Use, class... T>
decltype(auto) pass_any(Use&& use, const T&... values) {
  const std::array<Argument, sizeof...(T)> arguments{argument(values)...};
  return use(Arguments(arguments));
}

// Throws ConversionError: too few arguments (an optional one may be missing), too many, or one that
// does not fit. Nulls behind the last parameter do not count: Go's client sends one with a signal
// without an argument.
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
  const OwnValues converting;
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
    if (result == nullptr) return;
    const OwnValues converting;
    encode(*result, value);
  }
}

using Thunk = void (*)(void* object, const PayloadList& arguments, PayloadSink* result);

// A handler for every name that has none of its own takes (std::string name, std::vector<Payload>
// arguments); the name comes to it as the first payload.
using DynamicArguments = std::tuple<std::string, std::vector<Payload>>;
template <>
DynamicArguments decode_arguments<DynamicArguments>(const PayloadList& arguments);

template <auto F>
consteval bool is_dynamic() {
  constexpr bool kIs = std::is_same_v<ArgumentsOf<F>, DynamicArguments>;
  static_assert(kIs, "what is dynamic takes (std::string type, std::vector<chimera::Payload>)");
  return kIs && fits<F>();
}

template <auto F, class = decltype(F)>
void call_method(void* object, const PayloadList& arguments, PayloadSink* result) {
  auto values = decode_arguments<ArgumentsOf<F>>(arguments);
  auto& self = *static_cast<ClassOf<F>*>(object);
  call_into<typename Signature<decltype(F)>::Result>(result, [&]() -> decltype(auto) {
    return std::apply(
        [&](auto&... value) -> decltype(auto) { return (self.*F)(std::move(value)...); }, values);
  });
}

template <auto F, class = decltype(F)>
void call_function(const PayloadList& arguments, PayloadSink* result) {
  auto values = decode_arguments<ArgumentsOf<F>>(arguments);
  call_into<typename Signature<decltype(F)>::Result>(result, [&]() -> decltype(auto) {
    return std::apply([](auto&... value) -> decltype(auto) { return F(std::move(value)...); },
                      values);
  });
}

template <class Arguments>
void check_arguments(const PayloadList& arguments) {
  decode_arguments<Arguments>(arguments);
}

// How the callable of a handler that is set while the workflow runs is called; its types as
// Signature has them.
template <class F>
struct CallableSignature : Signature<decltype(&F::operator())> {};
template <class R, class... A>
struct CallableSignature<R (*)(A...)> : Signature<R (*)(A...)> {};
template <class F>
using CallableArguments = typename CallableSignature<F>::Arguments;

using HandlerCall =
    std::function<void(void* object, const PayloadList& arguments, PayloadSink* result)>;

template <class F>
HandlerCall call_callable(F callable) {
  return [callable = std::make_shared<F>(std::move(callable))](void*, const PayloadList& arguments,
                                                               PayloadSink* result) {
    auto values = decode_arguments<CallableArguments<F>>(arguments);
    call_into<typename CallableSignature<F>::Result>(result, [&]() -> decltype(auto) {
      return std::apply(
          [&](auto&... value) -> decltype(auto) { return (*callable)(std::move(value)...); },
          values);
    });
  };
}

struct HandlerType {
  std::string name;
  // Throws ConversionError if they do not fit.
  void (*check)(const PayloadList& arguments) = nullptr;
  HandlerCall call;
  HandlerCall validate = {};  // Updates only; may be empty.
  HandlerUnfinishedPolicy unfinished_policy = HandlerUnfinishedPolicy::kWarnAndAbandon;
  std::shared_ptr<Waitable> channel = {};  // That takes the signals: its call never waits.
};

struct WorkflowType {
  std::string name;  // Empty: for all names that have none.
  // Default construction, or from run()'s arguments where the class takes those.
  std::shared_ptr<void> (*create)(const PayloadList& arguments) = nullptr;
  Thunk run = nullptr;
  std::vector<HandlerType> signals = {}, queries = {}, updates = {};
  FailureExceptions failures = {};
  VersioningBehavior versioning_behavior = VersioningBehavior::kUnspecified;
  bool dynamic = false;  // For all names that have none; it has none itself.
};

struct ActivityType {
  std::string name;
  std::function<void(const PayloadList& arguments, PayloadSink* result)> call;
  bool dynamic = false;
};

template <class C, class Parameters>
inline constexpr bool creates = std::is_default_constructible_v<C>;
template <class C, class... P>
inline constexpr bool creates<C, std::tuple<P...>> =
    std::is_default_constructible_v<C> || std::is_constructible_v<C, P...>;
template <class C, class Parameters>
std::shared_ptr<void> create_workflow(const PayloadList& arguments) {
  if constexpr (std::is_default_constructible_v<C>) {
    return std::make_shared<C>();
  } else {
    return std::apply([](auto&... value) { return std::make_shared<C>(std::move(value)...); },
                      *std::make_unique<Parameters>(decode_arguments<Parameters>(arguments)));
  }
}

template <auto F>
concept FunctionPointer = std::is_pointer_v<decltype(F)> || std::is_member_pointer_v<decltype(F)>;

// What may stand where a call takes a function: a variable at namespace scope that was made by
// define_activity() or define_workflow().
template <const auto& Definition>
concept DefinesActivity = requires { std::remove_cvref_t<decltype(Definition)>::kActivity; };
template <const auto& Definition>
concept DefinesWorkflow = requires { std::remove_cvref_t<decltype(Definition)>::kRun; };
template <const auto& Definition>
inline constexpr auto kActivityOf = std::remove_cvref_t<decltype(Definition)>::kActivity;
template <const auto& Definition>
inline constexpr auto kRunOf = std::remove_cvref_t<decltype(Definition)>::kRun;

}  // namespace detail

// An activity with its name; made by define_activity().
template <auto F, class = decltype(F)>
class ActivityDefinition {
 public:
  static constexpr auto kActivity = F;
  consteval explicit ActivityDefinition(std::string_view name) : name_(name) {}
  constexpr std::string_view name() const { return name_; }

 private:
  std::string_view name_;  // Of a literal.
};

// A name that is not the function's own, for the worker and for those who call:
//   inline constexpr auto kCharge = chimera::define_activity<&charge>("charge_card");
//   worker.add(kCharge);
//   workflow::execute_activity<kCharge>(options, order);
// A call that names the function goes out under the function's own name, in every process: of a
// constant nothing can know but who names it. So a function whose definition has another name is
// called by its definition.
template <auto F, class = decltype(F)>
consteval ActivityDefinition<F> define_activity(std::string_view name = reflect::kFunctionName<F>) {
  return ActivityDefinition<F>(name);
}

// A workflow class with its name and handlers; made by define_workflow(). Its names hold for typed
// calls in every process that has it, whether or not a worker there serves it.
template <auto Run, class = decltype(Run)>
class WorkflowDefinition {
  using C = detail::ClassOf<Run>;

 public:
  static constexpr auto kRun = Run;
  explicit WorkflowDefinition(detail::WorkflowType type) : type_(std::move(type)) {}

  template <auto Handler>
  WorkflowDefinition signal(std::string name = std::string(reflect::kFunctionName<Handler>),
                            const HandlerOptions& options = {}) && {
    type_.signals.push_back(handler<Handler>(named<Handler>(std::move(name)), options));
    return std::move(*this);
  }
  template <auto Handler>
  WorkflowDefinition query(std::string name = std::string(reflect::kFunctionName<Handler>)) && {
    type_.queries.push_back(handler<Handler>(named<Handler>(std::move(name))));
    return std::move(*this);
  }
  // The validator takes what the handler takes; an exception of it rejects the update.
  template <auto Handler, auto Validator = nullptr>
  WorkflowDefinition update(std::string name = std::string(reflect::kFunctionName<Handler>),
                            const HandlerOptions& options = {}) && {
    type_.updates.push_back(update<Handler, Validator>(named<Handler>(std::move(name)), options));
    return std::move(*this);
  }

  // For every name that has no handler of its own: void any(std::string name,
  // std::vector<chimera::Payload> arguments).
  template <auto Handler>
  WorkflowDefinition dynamic_signal(const HandlerOptions& options = {}) && {
    check_dynamic<Handler>();
    type_.signals.push_back(handler<Handler>("", options));
    return std::move(*this);
  }
  template <auto Handler>
  WorkflowDefinition dynamic_query() && {
    check_dynamic<Handler>();
    type_.queries.push_back(handler<Handler>(""));
    return std::move(*this);
  }
  template <auto Handler, auto Validator = nullptr>
  WorkflowDefinition dynamic_update(const HandlerOptions& options = {}) && {
    check_dynamic<Handler>();
    type_.updates.push_back(update<Handler, Validator>("", options));
    return std::move(*this);
  }

  // As WorkerOptions::workflow_failure_exceptions, of this workflow. A dynamic one cannot have
  // NondeterminismError.
  template <class... Exception>
  WorkflowDefinition failure_exceptions() && {
    type_.failures.add(chimera::failure_exceptions<Exception...>());
    return std::move(*this);
  }

  // Of its runs at workers of a deployment version (WorkerOptions::deployment).
  WorkflowDefinition versioning_behavior(VersioningBehavior behavior) && {
    type_.versioning_behavior = behavior;
    return std::move(*this);
  }

  const std::string& name() const { return type_.name; }
  const detail::WorkflowType& type() const { return type_; }

 private:
  template <auto Handler>
  static consteval bool check() {
    if constexpr (!detail::fits<Handler>()) {
      return false;
    } else if constexpr (!std::is_base_of_v<detail::ClassOf<Handler>, C>) {
      static_assert(detail::never<detail::ClassOf<Handler>>,
                    "a handler must be a method of the workflow class");
      return false;
    } else {
      return true;
    }
  }
  template <auto Handler>
  static void check_dynamic() {
    static_assert(std::is_same_v<detail::ArgumentsOf<Handler>, detail::DynamicArguments>,
                  "a dynamic handler takes (std::string, std::vector<chimera::Payload>)");
  }
  template <auto Handler>
  static detail::HandlerType handler(std::string name, const HandlerOptions& options = {}) {
    if constexpr (!check<Handler>()) {
      return {};
    } else {
      return {.name = std::move(name),
              .check = &detail::check_arguments<detail::ArgumentsOf<Handler>>,
              .call = &detail::call_method<Handler>,
              .unfinished_policy = options.unfinished_policy};
    }
  }
  template <auto Handler, auto Validator>
  static detail::HandlerType update(std::string name, const HandlerOptions& options) {
    detail::HandlerType type = handler<Handler>(std::move(name), options);
    if constexpr (!std::is_same_v<decltype(Validator), std::nullptr_t>) {
      if constexpr (check<Validator>()) {
        static_assert(std::is_same_v<detail::ArgumentsOf<Validator>, detail::ArgumentsOf<Handler>>,
                      "the validator must take the same arguments as the update handler");
        type.validate = &detail::call_method<Validator>;
      }
    }
    return type;
  }
  template <auto Handler>
  std::string named(std::string name) const {
    detail::defined_names<Handler>.add(type_.name, name);
    return name;
  }

  detail::WorkflowType type_;
};

// Defined at namespace scope, so that its names are there before main():
//   inline const auto kOrder =
//       chimera::define_workflow<&Order::run>("Order").signal<&Order::approve>("approve");
// A class may have several definitions; calls then name the one that they mean:
// start_workflow<kOrder>.
template <auto Run, class = decltype(Run)>
WorkflowDefinition<Run> define_workflow(
    std::string name = std::string(detail::class_name<detail::ClassOf<Run>>())) {
  using C = detail::ClassOf<Run>;
  if constexpr (!std::is_class_v<C>) {
    static_assert(detail::never<C>, "define_workflow takes a method: define_workflow<&Order::run>");
  } else if constexpr (!detail::creates<C, detail::ArgumentsOf<Run>>) {
    static_assert(detail::never<C>,
                  "the workflow class needs a default constructor, or one that takes what its run "
                  "method takes");
  } else if constexpr (detail::fits<Run>()) {
    detail::defined_names<Run>.add({}, name);
    return WorkflowDefinition<Run>({.name = std::move(name),
                                    .create = &detail::create_workflow<C, detail::ArgumentsOf<Run>>,
                                    .run = &detail::call_method<Run>});
  }
  return WorkflowDefinition<Run>({});
}

// For every workflow type that the worker has no definition of: run(std::string type,
// std::vector<chimera::Payload> arguments). At most one in a worker.
template <auto Run, class = decltype(Run)>
WorkflowDefinition<Run> define_dynamic_workflow() {
  using C = detail::ClassOf<Run>;
  if constexpr (!std::is_class_v<C>) {
    static_assert(detail::never<C>, "define_dynamic_workflow takes a method");
  } else if constexpr (!detail::is_dynamic<Run>()) {
    return WorkflowDefinition<Run>({});
  } else if constexpr (!detail::creates<C, detail::DynamicArguments>) {
    static_assert(detail::never<C>,
                  "the workflow class needs a default constructor, or one that takes what its run "
                  "method takes");
  } else {
    return WorkflowDefinition<Run>({.create = &detail::create_workflow<C, detail::DynamicArguments>,
                                    .run = &detail::call_method<Run>,
                                    .dynamic = true});
  }
  return WorkflowDefinition<Run>({});
}

// Workflows, activities and Nexus services of a program or library, in one list. One thread at a
// time adds to it. Adding throws std::invalid_argument for a name that is there already, and
// std::logic_error where it would have no effect any more.
class Registry {
 public:
  template <auto Run, class T>
  Registry& add(const WorkflowDefinition<Run, T>& definition) {
    return add_workflow_type(definition.type());
  }
  template <auto F, class T>
  Registry& add(const ActivityDefinition<F, T>& definition) {
    return add_activity<F>(std::string(definition.name()));
  }
  // Of a method: of this object, which must outlive the worker.
  template <auto F, class T, class C>
  Registry& add(const ActivityDefinition<F, T>& definition, C& object) {
    return add_activity<F>(object, std::string(definition.name()));
  }
  // A function: add_activity<&charge_card>(). Another name changes nothing that anybody sends:
  // callers then use the name, or a definition.
  template <auto F>
  Registry& add_activity(std::string name = std::string(reflect::kFunctionName<F>)) {
    if constexpr (!detail::fits<F>()) {
      return *this;
    } else if constexpr (!std::is_void_v<detail::ClassOf<F>>) {
      static_assert(detail::never<detail::ClassOf<F>>,
                    "a method needs its object: add_activity<&Bank::charge>(bank)");
      return *this;
    } else {
      return add_activity_type({std::move(name), &detail::call_function<F>});
    }
  }
  // A method of an object, which must outlive the worker.
  template <auto F, class C>
    requires std::is_base_of_v<detail::ClassOf<F>, C>
  Registry& add_activity(C& object, std::string name = std::string(reflect::kFunctionName<F>)) {
    if constexpr (!detail::fits<F>()) {
      return *this;
    } else {
      return add_activity_type(
          {std::move(name), [&object](const PayloadList& arguments, PayloadSink* result) {
             detail::call_method<F>(&object, arguments, result);
           }});
    }
  }

  // For every activity type that the worker has no other for: any(std::string type,
  // std::vector<chimera::Payload> arguments). At most one in a worker.
  template <auto F>
  Registry& add_dynamic_activity() {
    if constexpr (!std::is_void_v<detail::ClassOf<F>>) {
      static_assert(detail::never<detail::ClassOf<F>>,
                    "a method needs its object: add_dynamic_activity<&Proxy::any>(proxy)");
      return *this;
    } else if constexpr (!detail::is_dynamic<F>()) {
      return *this;
    } else {
      return add_activity_type({.call = &detail::call_function<F>, .dynamic = true});
    }
  }
  // A method of an object, which must outlive the worker.
  template <auto F, class C>
    requires std::is_base_of_v<detail::ClassOf<F>, C>
  Registry& add_dynamic_activity(C& object) {
    if constexpr (!detail::is_dynamic<F>()) {
      return *this;
    } else {
      return add_activity_type({.call =
                                    [&object](const PayloadList& arguments, PayloadSink* result) {
                                      detail::call_method<F>(&object, arguments, result);
                                    },
                                .dynamic = true});
    }
  }

  // With a handler for each operation of its contract, or this throws std::invalid_argument.
  template <class Contract>
  Registry& add(const nexus::Service<Contract>& service) {
    return add_nexus_service_type(service.type());
  }

  // What a native library (CHIMERA_LIBRARY), which stays loaded, defines. Throws
  // std::runtime_error, which names the file.
  Registry& add_library(const std::string& path);

  Registry& add_workflow_type(detail::WorkflowType type);
  Registry& add_activity_type(detail::ActivityType type);
  Registry& add_nexus_service_type(detail::NexusServiceType type);
  const std::vector<detail::WorkflowType>& workflows() const { return workflows_; }
  const std::vector<detail::ActivityType>& activities() const { return activities_; }
  const std::vector<detail::NexusServiceType>& nexus_services() const { return nexus_services_; }

 protected:
  // From now on (or no longer) nothing may be added.
  void close(bool closed) { closed_ = closed; }

 private:
  std::vector<detail::WorkflowType> workflows_;
  std::vector<detail::ActivityType> activities_;
  std::vector<detail::NexusServiceType> nexus_services_;
  bool closed_ = false;
};

}  // namespace chimera

#endif  // CHIMERA_DEFINITION_H_
