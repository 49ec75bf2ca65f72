// How C++ values become payloads and back, with no macro in the user's code.
//
//   C++                                            wire                  Python
//   void, std::monostate, nullptr, empty optional  binary/null           None
//   std::vector<std::byte>, std::span<std::byte>   binary/plain          bytes
//   protobuf messages                              json/protobuf         the same message
//   bool, integers, floating point                 json/plain number     bool, int, float
//   std::string, std::string_view                  json/plain string     str
//   enum                                           json/plain string     the enumerator's name
//   optional<T>, unique_ptr<T>, shared_ptr<T>      null or T             Optional[T]
//   vector, list, deque, set, array, pair, tuple   json/plain array      list, set, tuple
//   map, unordered_map (string or integer keys)    json/plain object     dict
//   variant<T...>                                  the one that it holds Union: the first that fits
//   struct with up to 64 members                   json/plain object     dataclass, same fields
//   chrono duration                                number of seconds     float or int
//   system_clock time_point                        "2026-01-31T09:00:00+00:00"  datetime
//   Payload                                        as it is              RawValue
//
// Inside JSON bytes are a list of integers, as Python writes them. Reading ignores unknown keys; a
// missing key keeps the member's default. A type's own conversion comes first: to_payload(const T&)
// -> Payload and from_payload(const Payload&, T&), found by argument-dependent lookup; or, for
// types of other people and for families of types, static members of a specialisation of
// chimera::Converter<T>. It holds at any depth: inside JSON the payload must be json/plain or
// binary/null.
#ifndef CHIMERA_CONVERTER_H_
#define CHIMERA_CONVERTER_H_

#include <algorithm>
#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "chimera/json.h"
#include "chimera/payload.h"
#include "chimera/reflect.h"

namespace chimera {

// Specialise it for a type, or, with a constraint, for a family of types:
//   template <std::derived_from<google::protobuf::Message> T>
//   struct chimera::Converter<T> {
//     static Payload to_payload(const T& value);
//     static void from_payload(const Payload& payload, T& value);  // Throws ConversionError.
//   };
template <class T>
struct Converter;

namespace detail {

template <class T, template <class...> class Template>
inline constexpr bool is_a = false;
template <class... A, template <class...> class Template>
inline constexpr bool is_a<Template<A...>, Template> = true;

template <class T>
inline constexpr bool is_std_array = false;
template <class T, std::size_t N>
inline constexpr bool is_std_array<std::array<T, N>> = true;

template <class T>
inline constexpr bool is_span = false;
template <class T, std::size_t N>
inline constexpr bool is_span<std::span<T, N>> = true;

template <class T>
inline constexpr bool is_duration = false;
template <class R, class P>
inline constexpr bool is_duration<std::chrono::duration<R, P>> = true;

template <class T>
inline constexpr bool is_time = false;
template <class D>
inline constexpr bool is_time<std::chrono::time_point<std::chrono::system_clock, D>> = true;

template <class T>
concept Text = std::same_as<T, std::string> || std::same_as<T, std::string_view> ||
               std::is_convertible_v<const T&, const char*>;
template <class T>
concept Nullable = is_a<T, std::optional> || is_a<T, std::unique_ptr> || is_a<T, std::shared_ptr>;
template <class T>
concept Map = requires(T map) {
  typename T::key_type;
  typename T::mapped_type;
  map.begin();
};
template <class T>
concept Sequence = !Map<T> && !Text<T> && requires(T list) {
  typename T::value_type;
  list.begin();
  list.end();
};
template <class T>
concept Bytes =
    std::same_as<T, std::vector<std::byte>> || std::same_as<T, std::span<const std::byte>> ||
    std::same_as<T, std::span<std::byte>>;
template <class T>
concept Message = std::is_class_v<T> && std::is_convertible_v<T*, google::protobuf::Message*>;
template <class T>
concept Tuple = is_a<T, std::pair> || is_a<T, std::tuple>;
template <class T>
concept Struct = std::is_aggregate_v<T> && std::is_class_v<T> && !is_std_array<T>;
template <class T>
concept WholeConverter = requires(const T& value, T& out, const Payload& payload) {
  { Converter<T>::to_payload(value) } -> std::convertible_to<Payload>;
  Converter<T>::from_payload(payload, out);
} && !requires(const Payload& payload) {
  Converter<T>::from_payload(payload, std::declval<T>());  // Would read into a copy.
};
template <class T>
consteval bool has_converter() {
  if constexpr (requires { sizeof(Converter<T>); }) {
    static_assert(WholeConverter<T>,
                  "this specialisation of chimera::Converter lacks static Payload to_payload(const "
                  "T&) or static void from_payload(const Payload&, T&)");
    return WholeConverter<T>;
  } else {
    return false;
  }
}
template <class T>
concept HasConverter = has_converter<T>();
template <class T>
concept HasFunctions = requires(const T& value, T& out, const Payload& payload) {
  { to_payload(value) } -> std::convertible_to<Payload>;
  from_payload(payload, out);
};
template <class T>
concept OwnConversion = HasConverter<T> || HasFunctions<T>;
template <class T>
Payload own_payload(const T& value) {
  if constexpr (HasConverter<T>) {
    return Converter<T>::to_payload(value);
  } else {
    return to_payload(value);
  }
}
template <class T>
void read_own_payload(const Payload& payload, T& value) {
  if constexpr (HasConverter<T>) {
    Converter<T>::from_payload(payload, value);
  } else {
    from_payload(payload, value);
  }
}
template <class T>
inline constexpr bool never = false;

// Why a value of a type cannot be read; of what is in it, too.
enum class Misfit { kNone, kPointer, kView, kNoDefault, kNoConversion };
template <class... T>
struct Types {};

template <class T, class... Around>
consteval Misfit misfit();
template <class... Around, class... T>
consteval Misfit misfit_among(Types<T...>) {
  Misfit first = Misfit::kNone;
  ((first == Misfit::kNone ? void(first = misfit<std::remove_cv_t<T>, Around...>()) : void()), ...);
  return first;
}
// `Around` are the structs that it is in, which may hold themselves.
template <class T, class... Around>
consteval Misfit misfit() {
  if constexpr ((std::is_same_v<T, Around> || ...)) {
    return Misfit::kNone;
  } else if constexpr (std::is_pointer_v<T>) {
    return Misfit::kPointer;
  } else if constexpr (std::is_same_v<T, std::string_view> || is_span<T>) {
    return Misfit::kView;
  } else if constexpr (is_a<T, std::optional>) {
    return misfit<std::remove_cv_t<typename T::value_type>, Around...>();
  } else if constexpr (Nullable<T>) {
    return misfit<std::remove_cv_t<typename T::element_type>, Around...>();
  } else if constexpr (!std::is_default_constructible_v<T>) {
    return Misfit::kNoDefault;
  } else if constexpr (OwnConversion<T> || Message<T> || std::is_same_v<T, Payload> ||
                       std::is_arithmetic_v<T> || std::is_enum_v<T> || Text<T> ||
                       std::is_same_v<T, std::monostate> || std::is_same_v<T, std::nullptr_t> ||
                       is_duration<T> || is_time<T>) {
    return Misfit::kNone;
  } else if constexpr (is_a<T, std::variant> || Tuple<T>) {
    return []<template <class...> class List, class... A>(const List<A...>*) {
      return misfit_among<Around...>(Types<A...>());
    }(static_cast<const T*>(nullptr));
  } else if constexpr (Map<T>) {
    return misfit<typename T::mapped_type, Around...>();
  } else if constexpr (Sequence<T>) {
    return misfit<typename T::value_type, Around...>();
  } else if constexpr (!Struct<T>) {
    return Misfit::kNoConversion;
  } else if constexpr (reflect::member_count<T>() == 0 ||
                       reflect::member_count<T>() > reflect::kMostMembers) {
    return Misfit::kNone;  // What is too large says so itself.
  } else {
    using Members =
        decltype(reflect::visit_members(std::declval<const T&>(), [](const auto&... member) {
          return Types<std::remove_cvref_t<decltype(member)>...>();
        }));
    return misfit_among<T, Around...>(Members());
  }
}

// Out of line: the calendar.
std::string time_to_text(std::chrono::nanoseconds since_epoch);
std::chrono::nanoseconds time_from_text(const JsonReader& reader);

template <class T>
void write_json(JsonWriter& out, const T& value);
template <class T>
void read_json(const JsonReader& in, T& value);

// Map keys are strings in JSON; integers are written in decimal, as Python does.
template <class K>
std::string key_text(const K& key) {
  if constexpr (std::is_integral_v<K>) {
    return std::to_string(key);
  } else {
    return std::string(key);
  }
}
std::int64_t key_integer(std::string_view key, const JsonReader& value);

template <class M>
void write_map(JsonWriter& out, const M& map) {
  std::vector<std::pair<std::string, const typename M::mapped_type*>> sorted;
  for (const auto& [key, value] : map) sorted.emplace_back(key_text(key), &value);
  std::sort(sorted.begin(), sorted.end());
  out.begin_object();
  for (const auto& [key, value] : sorted) {
    out.key(key);
    write_json(out, *value);
  }
  out.end_object();
}

template <class M>
void read_map(const JsonReader& in, M& map) {
  map.clear();
  in.object(
      [](void* context, std::string_view key, const JsonReader& value) {
        typename M::mapped_type element{};
        read_json(value, element);
        auto& out = *static_cast<M*>(context);
        if constexpr (std::is_integral_v<typename M::key_type>) {
          out.emplace(static_cast<typename M::key_type>(key_integer(key, value)),
                      std::move(element));
        } else {
          out.emplace(std::string(key), std::move(element));
        }
      },
      &map);
}

struct MemberOut {
  const void* value;
  void (*write)(JsonWriter&, const void*);
};
struct MemberIn {
  std::string_view name;
  void* value;
  void (*read)(const JsonReader&, void*);
};

template <class T>
void write_struct(JsonWriter& out, const T& value) {
  out.begin_object();
  if constexpr (reflect::member_count<T>() > 0) {
    const auto members = reflect::visit_members(value, [](const auto&... member) {
      return std::array<MemberOut, sizeof...(member)>{
          MemberOut{&member, [](JsonWriter& to, const void* from) {
                      write_json(to, *static_cast<decltype(&member)>(from));
                    }}...};
    });
    for (const std::size_t i : reflect::kSortedMembers<T>) {
      out.key(reflect::kMemberNames<T>[i]);
      members[i].write(out, members[i].value);
    }
  }
  out.end_object();
}

void read_members(const JsonReader& in, std::span<const MemberIn> members);

template <class T>
void read_struct(const JsonReader& in, T& value) {
  if constexpr (reflect::member_count<T>() > 0) {
    auto members = reflect::visit_members(value, [](auto&... member) {
      return std::array<MemberIn, sizeof...(member)>{
          MemberIn{{}, &member, [](const JsonReader& from, void* to) {
                     read_json(from, *static_cast<decltype(&member)>(to));
                   }}...};
    });
    for (std::size_t i = 0; i < members.size(); ++i) members[i].name = reflect::kMemberNames<T>[i];
    read_members(in, members);
  } else {
    read_members(in, {});
  }
}

template <class T>
void write_enum(JsonWriter& out, T value) {
  const auto number = static_cast<std::int64_t>(value);
  constexpr auto& names = reflect::kEnumerators<T>;
  const auto index = static_cast<std::size_t>(number);
  if (number >= 0 && index < names.size() && !names[index].empty()) {
    out.string(names[index]);
  } else {
    out.integer(number);
  }
}

template <class T>
void read_enum(const JsonReader& in, T& value) {
  if (!in.is_string()) {
    value = static_cast<T>(in.integer(std::numeric_limits<std::int64_t>::min(),
                                      std::numeric_limits<std::int64_t>::max()));
    return;
  }
  const std::string_view text = in.string();
  std::string known;
  for (std::size_t i = 0; i < reflect::kEnumerators<T>.size(); ++i) {
    const std::string_view name = reflect::kEnumerators<T>[i];
    if (name.empty()) continue;
    if (name == text) {
      value = static_cast<T>(i);
      return;
    }
    known += (known.empty() ? "one of " : ", ") + std::string(name);
  }
  in.fail(known);
}

template <class T>
void read_sequence(const JsonReader& in, T& list) {
  const std::size_t size = in.array_size();
  if constexpr (is_std_array<T>) {
    if (size != list.size()) in.fail("an array of " + std::to_string(list.size()) + " elements");
    for (std::size_t i = 0; i < size; ++i) read_json(in.element(i), list[i]);
  } else {
    list.clear();
    for (std::size_t i = 0; i < size; ++i) {
      typename T::value_type element{};
      read_json(in.element(i), element);
      list.insert(list.end(), std::move(element));
    }
  }
}

template <class T>
void read_tuple(const JsonReader& in, T& tuple) {
  constexpr std::size_t kSize = std::tuple_size_v<T>;
  if (in.array_size() != kSize) in.fail("an array of " + std::to_string(kSize) + " elements");
  std::size_t i = 0;
  std::apply([&](auto&... element) { (read_json(in.element(i++), element), ...); }, tuple);
}

// The first alternative that fits, as Python reads a Union.
template <std::size_t I = 0, class... A>
void read_variant(const JsonReader& in, std::variant<A...>& value) {
  if constexpr (I == sizeof...(A)) {
    in.fail("a value that fits one of the variant's alternatives");
  } else {
    try {
      std::variant_alternative_t<I, std::variant<A...>> alternative{};
      read_json(in, alternative);
      value = std::move(alternative);
    } catch (const NestingError&) {
      throw;  // The others would fare no better.
    } catch (const ConversionError&) {
      read_variant<I + 1>(in, value);
    }
  }
}

template <class T>
void write_nullable(JsonWriter& out, const T& value) {
  if (value) {
    write_json(out, *value);
  } else {
    out.null();
  }
}

template <class T>
void read_nullable(const JsonReader& in, T& value) {
  value = T();
  if (in.is_null()) return;
  if constexpr (is_a<T, std::optional>) {
    read_json(in, value.emplace());
  } else {
    auto element = std::make_unique<std::remove_const_t<typename T::element_type>>();
    read_json(in, *element);
    value = std::move(element);
  }
}

template <class T>
void write_number(JsonWriter& out, const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    out.boolean(value);
  } else if constexpr (std::is_floating_point_v<T>) {
    out.number(static_cast<double>(value));
  } else if constexpr (std::is_unsigned_v<T>) {
    out.unsigned_integer(value);
  } else {
    out.integer(value);
  }
}

template <class T>
void read_number(const JsonReader& in, T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    value = in.boolean();
  } else if constexpr (std::is_floating_point_v<T>) {
    const double number = in.number();
    if constexpr (sizeof(T) < sizeof(double)) {
      constexpr double kMost = std::numeric_limits<T>::max();
      constexpr double kInfinity = std::numeric_limits<double>::infinity();
      const bool fits = number <= kMost && number >= -kMost;
      if (!fits && number == number && number != kInfinity && number != -kInfinity)
        in.fail("a number that the floating point type can hold");
    }
    value = static_cast<T>(number);
  } else if constexpr (std::is_unsigned_v<T>) {
    value = static_cast<T>(in.unsigned_integer(std::numeric_limits<T>::max()));
  } else {
    value =
        static_cast<T>(in.integer(std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
  }
}

// To the nearest: a double of seconds is seldom a whole number of T.
template <class T>
void read_duration(const JsonReader& in, T& value) {
  using Seconds = std::chrono::duration<double>;
  const Seconds seconds(in.number());
  if constexpr (std::is_floating_point_v<typename T::rep>) {
    value = std::chrono::duration_cast<T>(seconds);
  } else {
    if (!(seconds > Seconds(T::min()) && seconds < Seconds(T::max())))
      in.fail("a number of seconds that the duration's type can hold");
    value = std::chrono::round<T>(seconds);
  }
}

template <class T>
void write_duration(JsonWriter& out, const T& value) {
  const auto nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(value).count();
  if (nanos % 1'000'000'000 == 0) {
    out.integer(nanos / 1'000'000'000);
  } else {
    out.number(static_cast<double>(nanos) / 1e9);
  }
}

template <class T>
void read_own(const JsonReader& in, T& value) {
  try {
    read_own_payload(in.payload(), value);
  } catch (const NestingError&) {
    throw;
  } catch (const ConversionError& error) {
    in.refuse(error.what());  // Which names the way to here.
  }
}

template <class T>
void write_json(JsonWriter& out, const T& value) {
  if constexpr (OwnConversion<T>) {
    out.payload(own_payload(value));
  } else if constexpr (std::is_arithmetic_v<T>) {
    write_number(out, value);
  } else if constexpr (std::is_same_v<T, std::nullptr_t> || std::is_same_v<T, std::monostate>) {
    out.null();
  } else if constexpr (Text<T>) {
    out.string(value);
  } else if constexpr (std::is_same_v<T, std::byte>) {
    out.unsigned_integer(static_cast<unsigned>(value));
  } else if constexpr (std::is_enum_v<T>) {
    write_enum(out, value);
  } else if constexpr (Nullable<T>) {
    write_nullable(out, value);
  } else if constexpr (is_a<T, std::variant>) {
    std::visit([&](const auto& alternative) { write_json(out, alternative); }, value);
  } else if constexpr (is_duration<T>) {
    write_duration(out, value);
  } else if constexpr (is_time<T>) {
    out.string(time_to_text(value.time_since_epoch()));
  } else if constexpr (Map<T>) {
    write_map(out, value);
  } else if constexpr (Sequence<T>) {
    out.begin_array();
    for (const typename T::value_type& element : value) write_json(out, element);
    out.end_array();
  } else if constexpr (Tuple<T>) {
    out.begin_array();
    std::apply([&](const auto&... element) { (write_json(out, element), ...); }, value);
    out.end_array();
  } else if constexpr (Struct<T>) {
    write_struct(out, value);
  } else {
    static_assert(never<T>, "this type has no conversion; see the table in chimera/converter.h");
  }
}

template <class T>
void read_json(const JsonReader& in, T& value) {
  if constexpr (OwnConversion<T>) {
    read_own(in, value);
  } else if constexpr (std::is_arithmetic_v<T>) {
    read_number(in, value);
  } else if constexpr (std::is_same_v<T, std::monostate> || std::is_same_v<T, std::nullptr_t>) {
    if (!in.is_null()) in.fail("null");
  } else if constexpr (std::is_same_v<T, std::string>) {
    value = in.string();
  } else if constexpr (std::is_same_v<T, std::byte>) {
    value = static_cast<std::byte>(in.unsigned_integer(255));
  } else if constexpr (std::is_enum_v<T>) {
    read_enum(in, value);
  } else if constexpr (Nullable<T>) {
    read_nullable(in, value);
  } else if constexpr (is_a<T, std::variant>) {
    read_variant(in, value);
  } else if constexpr (is_duration<T>) {
    read_duration(in, value);
  } else if constexpr (is_time<T>) {
    value = T(std::chrono::duration_cast<typename T::duration>(time_from_text(in)));
  } else if constexpr (Map<T>) {
    read_map(in, value);
  } else if constexpr (Sequence<T>) {
    read_sequence(in, value);
  } else if constexpr (Tuple<T>) {
    read_tuple(in, value);
  } else if constexpr (Struct<T>) {
    read_struct(in, value);
  } else {
    static_assert(never<T>, "this type has no conversion; see the table in chimera/converter.h");
  }
}

void read_bytes(const PayloadSource& in, std::vector<std::byte>& value);

}  // namespace detail

template <class T>
void encode(PayloadSink& out, const T& value) {
  if constexpr (std::is_same_v<T, Payload>) {
    out.set(value);
  } else if constexpr (detail::OwnConversion<T>) {
    out.set(detail::own_payload(value));
  } else if constexpr (detail::Bytes<T>) {
    out.set_bytes({reinterpret_cast<const char*>(value.data()), value.size()});
  } else if constexpr (detail::Message<T>) {
    out.set_message(value);
  } else if constexpr (std::is_same_v<T, std::monostate> || std::is_same_v<T, std::nullptr_t>) {
    out.set_null();
  } else if constexpr (detail::Nullable<T>) {
    if (value) {
      encode(out, *value);
    } else {
      out.set_null();
    }
  } else {
    JsonWriter writer(out.json());
    detail::write_json(writer, value);
  }
}

// Throws ConversionError.
template <class T>
void decode(const PayloadSource& in, T& value) {
  if constexpr (std::is_same_v<T, Payload>) {
    value = in.get();
  } else if constexpr (detail::OwnConversion<T>) {
    detail::read_own_payload(in.get(), value);
  } else if constexpr (detail::Bytes<T>) {
    detail::read_bytes(in, value);
  } else if constexpr (detail::Message<T>) {
    in.get_message(value);
  } else if constexpr (detail::Nullable<T>) {
    value = T();
    if (in.encoding() == "binary/null") return;
    if constexpr (detail::is_a<T, std::optional>) {
      decode(in, value.emplace());
    } else {
      auto element = std::make_unique<std::remove_const_t<typename T::element_type>>();
      decode(in, *element);
      value = std::move(element);
    }
  } else if constexpr (std::is_same_v<T, std::monostate> || std::is_same_v<T, std::nullptr_t>) {
    if (in.encoding() != "binary/null")
      throw ConversionError("expected null, got " + in.describe());
  } else {
    if (in.encoding() != "json/plain") {
      throw ConversionError("expected a value in JSON, got a payload of " + in.describe());
    }
    const JsonText text(in.data());
    detail::read_json(text.root(), value);
  }
}

template <class T>
T decode(const PayloadSource& in) {
  T value{};
  decode(in, value);
  return value;
}

// A value of any type as a Payload, for memos and the like, and back.
Payload finish_payload(void (*encode_into)(const void*, PayloadSink&), const void* value);
void open_payload(const Payload& payload, void (*decode_from)(const PayloadSource&, void*),
                  void* value);

template <class T>
Payload make_payload(const T& value) {
  return finish_payload(
      [](const void* from, PayloadSink& out) { encode(out, *static_cast<const T*>(from)); },
      &value);
}
inline Payload make_payload(const char* value) { return make_payload(std::string_view(value)); }

template <class T>
T from_payload(const Payload& payload) {
  T value{};
  open_payload(
      payload, [](const PayloadSource& in, void* to) { decode(in, *static_cast<T*>(to)); }, &value);
  return value;
}

}  // namespace chimera

#endif  // CHIMERA_CONVERTER_H_
