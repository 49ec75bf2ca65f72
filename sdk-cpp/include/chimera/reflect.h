// Reflection over plain structs (aggregates of up to 64 members), enumerators and functions, with
// no macro in the user's code: names come from __PRETTY_FUNCTION__ of a pointer to a member of an
// object that is never defined. g++ 12 and clang 14, and newer. Not reflected: structs with base
// classes that have members, and C arrays (use std::array).
#ifndef CHIMERA_REFLECT_H_
#define CHIMERA_REFLECT_H_

#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace chimera::reflect {

inline constexpr std::size_t kMostMembers = 64;

// Converts to anything; only ever named, never made.
struct Anything {
  template <class T>
  operator T() const noexcept;
};

template <class T, std::size_t... I>
consteval bool takes(std::index_sequence<I...>) {
  return requires { T{((void)I, Anything{})...}; };
}

// The number of members, or kMostMembers + 1 if there are more.
template <class T, std::size_t N = kMostMembers + 1>
consteval std::size_t member_count() {
  if constexpr (takes<T>(std::make_index_sequence<N>{})) {
    return N;
  } else if constexpr (N == 0) {
    return 0;
  } else {
    return member_count<T, N - 1>();
  }
}

// Lists of 1 to 8 names, and from them of 1 to 64.
#define CHIMERA_M1(p) p##1
#define CHIMERA_M2(p) CHIMERA_M1(p), p##2
#define CHIMERA_M3(p) CHIMERA_M2(p), p##3
#define CHIMERA_M4(p) CHIMERA_M3(p), p##4
#define CHIMERA_M5(p) CHIMERA_M4(p), p##5
#define CHIMERA_M6(p) CHIMERA_M5(p), p##6
#define CHIMERA_M7(p) CHIMERA_M6(p), p##7
#define CHIMERA_M8(p) CHIMERA_M7(p), p##8
#define CHIMERA_N1 CHIMERA_M1(a)
#define CHIMERA_N2 CHIMERA_M2(a)
#define CHIMERA_N3 CHIMERA_M3(a)
#define CHIMERA_N4 CHIMERA_M4(a)
#define CHIMERA_N5 CHIMERA_M5(a)
#define CHIMERA_N6 CHIMERA_M6(a)
#define CHIMERA_N7 CHIMERA_M7(a)
#define CHIMERA_E1 CHIMERA_M8(a)
#define CHIMERA_N8 CHIMERA_E1
#define CHIMERA_N9 CHIMERA_E1, CHIMERA_M1(b)
#define CHIMERA_N10 CHIMERA_E1, CHIMERA_M2(b)
#define CHIMERA_N11 CHIMERA_E1, CHIMERA_M3(b)
#define CHIMERA_N12 CHIMERA_E1, CHIMERA_M4(b)
#define CHIMERA_N13 CHIMERA_E1, CHIMERA_M5(b)
#define CHIMERA_N14 CHIMERA_E1, CHIMERA_M6(b)
#define CHIMERA_N15 CHIMERA_E1, CHIMERA_M7(b)
#define CHIMERA_E2 CHIMERA_E1, CHIMERA_M8(b)
#define CHIMERA_N16 CHIMERA_E2
#define CHIMERA_N17 CHIMERA_E2, CHIMERA_M1(c)
#define CHIMERA_N18 CHIMERA_E2, CHIMERA_M2(c)
#define CHIMERA_N19 CHIMERA_E2, CHIMERA_M3(c)
#define CHIMERA_N20 CHIMERA_E2, CHIMERA_M4(c)
#define CHIMERA_N21 CHIMERA_E2, CHIMERA_M5(c)
#define CHIMERA_N22 CHIMERA_E2, CHIMERA_M6(c)
#define CHIMERA_N23 CHIMERA_E2, CHIMERA_M7(c)
#define CHIMERA_E3 CHIMERA_E2, CHIMERA_M8(c)
#define CHIMERA_N24 CHIMERA_E3
#define CHIMERA_N25 CHIMERA_E3, CHIMERA_M1(d)
#define CHIMERA_N26 CHIMERA_E3, CHIMERA_M2(d)
#define CHIMERA_N27 CHIMERA_E3, CHIMERA_M3(d)
#define CHIMERA_N28 CHIMERA_E3, CHIMERA_M4(d)
#define CHIMERA_N29 CHIMERA_E3, CHIMERA_M5(d)
#define CHIMERA_N30 CHIMERA_E3, CHIMERA_M6(d)
#define CHIMERA_N31 CHIMERA_E3, CHIMERA_M7(d)
#define CHIMERA_E4 CHIMERA_E3, CHIMERA_M8(d)
#define CHIMERA_N32 CHIMERA_E4
#define CHIMERA_N33 CHIMERA_E4, CHIMERA_M1(e)
#define CHIMERA_N34 CHIMERA_E4, CHIMERA_M2(e)
#define CHIMERA_N35 CHIMERA_E4, CHIMERA_M3(e)
#define CHIMERA_N36 CHIMERA_E4, CHIMERA_M4(e)
#define CHIMERA_N37 CHIMERA_E4, CHIMERA_M5(e)
#define CHIMERA_N38 CHIMERA_E4, CHIMERA_M6(e)
#define CHIMERA_N39 CHIMERA_E4, CHIMERA_M7(e)
#define CHIMERA_E5 CHIMERA_E4, CHIMERA_M8(e)
#define CHIMERA_N40 CHIMERA_E5
#define CHIMERA_N41 CHIMERA_E5, CHIMERA_M1(f)
#define CHIMERA_N42 CHIMERA_E5, CHIMERA_M2(f)
#define CHIMERA_N43 CHIMERA_E5, CHIMERA_M3(f)
#define CHIMERA_N44 CHIMERA_E5, CHIMERA_M4(f)
#define CHIMERA_N45 CHIMERA_E5, CHIMERA_M5(f)
#define CHIMERA_N46 CHIMERA_E5, CHIMERA_M6(f)
#define CHIMERA_N47 CHIMERA_E5, CHIMERA_M7(f)
#define CHIMERA_E6 CHIMERA_E5, CHIMERA_M8(f)
#define CHIMERA_N48 CHIMERA_E6
#define CHIMERA_N49 CHIMERA_E6, CHIMERA_M1(g)
#define CHIMERA_N50 CHIMERA_E6, CHIMERA_M2(g)
#define CHIMERA_N51 CHIMERA_E6, CHIMERA_M3(g)
#define CHIMERA_N52 CHIMERA_E6, CHIMERA_M4(g)
#define CHIMERA_N53 CHIMERA_E6, CHIMERA_M5(g)
#define CHIMERA_N54 CHIMERA_E6, CHIMERA_M6(g)
#define CHIMERA_N55 CHIMERA_E6, CHIMERA_M7(g)
#define CHIMERA_E7 CHIMERA_E6, CHIMERA_M8(g)
#define CHIMERA_N56 CHIMERA_E7
#define CHIMERA_N57 CHIMERA_E7, CHIMERA_M1(h)
#define CHIMERA_N58 CHIMERA_E7, CHIMERA_M2(h)
#define CHIMERA_N59 CHIMERA_E7, CHIMERA_M3(h)
#define CHIMERA_N60 CHIMERA_E7, CHIMERA_M4(h)
#define CHIMERA_N61 CHIMERA_E7, CHIMERA_M5(h)
#define CHIMERA_N62 CHIMERA_E7, CHIMERA_M6(h)
#define CHIMERA_N63 CHIMERA_E7, CHIMERA_M7(h)
#define CHIMERA_E8 CHIMERA_E7, CHIMERA_M8(h)
#define CHIMERA_N64 CHIMERA_E8
#define CHIMERA_CASE(n)           \
  if constexpr (count == n) {     \
    auto& [CHIMERA_N##n] = value; \
    return visit(CHIMERA_N##n);   \
  } else

// visit(member, ...) with every member of the struct, in order of declaration.
template <class T, class Visit>
constexpr decltype(auto) visit_members(T& value, Visit&& visit) {
  constexpr std::size_t count = member_count<std::remove_const_t<T>>();
  static_assert(count <= kMostMembers, "a struct argument can have at most 64 members");
  if constexpr (count == 0) {
    return visit();
  } else
    CHIMERA_CASE(1)
  CHIMERA_CASE(2)
  CHIMERA_CASE(3)
  CHIMERA_CASE(4)
  CHIMERA_CASE(5)
  CHIMERA_CASE(6)
  CHIMERA_CASE(7)
  CHIMERA_CASE(8)
  CHIMERA_CASE(9)
  CHIMERA_CASE(10)
  CHIMERA_CASE(11)
  CHIMERA_CASE(12)
  CHIMERA_CASE(13)
  CHIMERA_CASE(14)
  CHIMERA_CASE(15)
  CHIMERA_CASE(16)
  CHIMERA_CASE(17)
  CHIMERA_CASE(18)
  CHIMERA_CASE(19)
  CHIMERA_CASE(20)
  CHIMERA_CASE(21)
  CHIMERA_CASE(22)
  CHIMERA_CASE(23)
  CHIMERA_CASE(24)
  CHIMERA_CASE(25)
  CHIMERA_CASE(26)
  CHIMERA_CASE(27)
  CHIMERA_CASE(28)
  CHIMERA_CASE(29)
  CHIMERA_CASE(30)
  CHIMERA_CASE(31)
  CHIMERA_CASE(32)
  CHIMERA_CASE(33)
  CHIMERA_CASE(34)
  CHIMERA_CASE(35)
  CHIMERA_CASE(36)
  CHIMERA_CASE(37)
  CHIMERA_CASE(38)
  CHIMERA_CASE(39)
  CHIMERA_CASE(40)
  CHIMERA_CASE(41)
  CHIMERA_CASE(42)
  CHIMERA_CASE(43)
  CHIMERA_CASE(44)
  CHIMERA_CASE(45)
  CHIMERA_CASE(46)
  CHIMERA_CASE(47)
  CHIMERA_CASE(48)
  CHIMERA_CASE(49)
  CHIMERA_CASE(50)
  CHIMERA_CASE(51)
  CHIMERA_CASE(52)
  CHIMERA_CASE(53)
  CHIMERA_CASE(54)
  CHIMERA_CASE(55)
  CHIMERA_CASE(56)
  CHIMERA_CASE(57)
  CHIMERA_CASE(58)
  CHIMERA_CASE(59)
  CHIMERA_CASE(60)
  CHIMERA_CASE(61)
  CHIMERA_CASE(62)
  CHIMERA_CASE(63)
  CHIMERA_CASE(64) { return visit(); }
}
#undef CHIMERA_CASE
#undef CHIMERA_M1
#undef CHIMERA_E1
#undef CHIMERA_M2
#undef CHIMERA_E2
#undef CHIMERA_M3
#undef CHIMERA_E3
#undef CHIMERA_M4
#undef CHIMERA_E4
#undef CHIMERA_M5
#undef CHIMERA_E5
#undef CHIMERA_M6
#undef CHIMERA_E6
#undef CHIMERA_M7
#undef CHIMERA_E7
#undef CHIMERA_M8
#undef CHIMERA_E8
#undef CHIMERA_N1
#undef CHIMERA_N2
#undef CHIMERA_N3
#undef CHIMERA_N4
#undef CHIMERA_N5
#undef CHIMERA_N6
#undef CHIMERA_N7
#undef CHIMERA_N8
#undef CHIMERA_N9
#undef CHIMERA_N10
#undef CHIMERA_N11
#undef CHIMERA_N12
#undef CHIMERA_N13
#undef CHIMERA_N14
#undef CHIMERA_N15
#undef CHIMERA_N16
#undef CHIMERA_N17
#undef CHIMERA_N18
#undef CHIMERA_N19
#undef CHIMERA_N20
#undef CHIMERA_N21
#undef CHIMERA_N22
#undef CHIMERA_N23
#undef CHIMERA_N24
#undef CHIMERA_N25
#undef CHIMERA_N26
#undef CHIMERA_N27
#undef CHIMERA_N28
#undef CHIMERA_N29
#undef CHIMERA_N30
#undef CHIMERA_N31
#undef CHIMERA_N32
#undef CHIMERA_N33
#undef CHIMERA_N34
#undef CHIMERA_N35
#undef CHIMERA_N36
#undef CHIMERA_N37
#undef CHIMERA_N38
#undef CHIMERA_N39
#undef CHIMERA_N40
#undef CHIMERA_N41
#undef CHIMERA_N42
#undef CHIMERA_N43
#undef CHIMERA_N44
#undef CHIMERA_N45
#undef CHIMERA_N46
#undef CHIMERA_N47
#undef CHIMERA_N48
#undef CHIMERA_N49
#undef CHIMERA_N50
#undef CHIMERA_N51
#undef CHIMERA_N52
#undef CHIMERA_N53
#undef CHIMERA_N54
#undef CHIMERA_N55
#undef CHIMERA_N56
#undef CHIMERA_N57
#undef CHIMERA_N58
#undef CHIMERA_N59
#undef CHIMERA_N60
#undef CHIMERA_N61
#undef CHIMERA_N62
#undef CHIMERA_N63
#undef CHIMERA_N64

template <class T>
struct Holder {
  T value;
};
template <class T>
extern Holder<T> never_defined;

// Clang before 18 takes a pointer to a part of an object as a template argument only inside another
// value.
template <class T>
struct Wrapped {
  T pointer;
};

template <auto Value>
consteval std::string_view pretty() {
  return __PRETTY_FUNCTION__;
}

// What follows `separator` in a template argument's text: "... [with auto Value = (& x.S::name);
// ...".
consteval std::string_view last_name(std::string_view text) {
  constexpr std::string_view kStart = "Value = ";
  text.remove_prefix(text.find(kStart) + kStart.size());
  text = text.substr(0, text.find("; std::string_view"));
  while (!text.empty() && (text.back() == ')' || text.back() == ']' || text.back() == '}'))
    text.remove_suffix(1);
  const std::size_t separator = text.find_last_of(":.");
  if (separator != std::string_view::npos) text.remove_prefix(separator + 1);
  if (!text.empty() && text.front() == '&') text.remove_prefix(1);
  return text;
}

#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wundefined-var-template"  // As it is meant.
#endif
template <class T>
consteval auto member_pointers() {
  return visit_members(never_defined<T>.value, [](auto&... member) {
#ifdef __clang__
    return std::tuple(Wrapped<decltype(&member)>{&member}...);
#else
    return std::tuple(&member...);
#endif
  });
}
#ifdef __clang__
#pragma clang diagnostic pop
#endif

template <class T, std::size_t... I>
consteval auto member_names(std::index_sequence<I...>) {
  constexpr auto pointers = member_pointers<T>();
  return std::array<std::string_view, sizeof...(I)>{last_name(pretty<std::get<I>(pointers)>())...};
}

// In order of declaration.
template <class T>
inline constexpr auto kMemberNames = member_names<T>(std::make_index_sequence<member_count<T>()>{});

// Positions in kMemberNames, by name.
template <class T>
inline constexpr auto kSortedMembers = [] {
  constexpr std::size_t n = member_count<T>();
  std::array<std::size_t, n> order{};
  for (std::size_t i = 0; i < n; ++i) {
    std::size_t at = i;
    for (; at > 0 && kMemberNames<T>[i] < kMemberNames<T>[order[at - 1]]; --at)
      order[at] = order[at - 1];
    order[at] = i;
  }
  return order;
}();

// "charge_card" of &orders::charge_card, "run" of &Order::run.
template <auto Function>
inline constexpr std::string_view kFunctionName = last_name(pretty<Function>());

// Names of the enumerators with values 0 to 127; empty where there is none.
inline constexpr std::size_t kMostEnumerators = 128;

template <class E, std::size_t I>
consteval std::string_view enumerator_name() {
  constexpr std::string_view text = pretty<static_cast<E>(I)>();
  // A value without an enumerator is printed as a cast: "(Color)7".
  return text.find("Value = (") != std::string_view::npos ? std::string_view() : last_name(text);
}

template <class E, std::size_t... I>
consteval auto enumerator_names(std::index_sequence<I...>) {
  return std::array<std::string_view, sizeof...(I)>{enumerator_name<E, I>()...};
}

template <class E>
inline constexpr auto kEnumerators =
    enumerator_names<E>(std::make_index_sequence<kMostEnumerators>{});

}  // namespace chimera::reflect

#endif  // CHIMERA_REFLECT_H_
