#include <algorithm>
#include <array>
#include <limits>
#include <memory>

#include "google/protobuf/descriptor.h"

#include "tests/fuzz/fuzz.h"

namespace chimera::fuzz {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr std::array<std::int64_t, 12> kNumbers = {0,
                                                   1,
                                                   -1,
                                                   2,
                                                   100,
                                                   127,
                                                   128,
                                                   65536,
                                                   std::numeric_limits<std::int32_t>::max(),
                                                   std::numeric_limits<std::int32_t>::min(),
                                                   std::numeric_limits<std::int64_t>::max(),
                                                   std::numeric_limits<std::int64_t>::min()};

const std::vector<std::string>& texts() {
  static const std::vector<std::string> kTexts = {"",
                                                  "x",
                                                  "1",
                                                  "\"x\"",
                                                  "{}",
                                                  "[",
                                                  "null",
                                                  "NaN",
                                                  "json/plain",
                                                  "binary/null",
                                                  "json/protobuf",
                                                  "a\0b",
                                                  std::string(3000, 'a'),
                                                  "\xf0\x9f\x98\x80",
                                                  "__temporal_x",
                                                  "*",
                                                  std::string(500, '['),
                                                  "1e999",
                                                  "-0",
                                                  "2026-01-01T00:00:00Z"};
  return kTexts;
}

std::int64_t some_number(std::int64_t old, Rng& rng) {
  if (below(rng, 2) == 0) return kNumbers[below(rng, kNumbers.size())];
  const std::uint64_t step = below(rng, 9);
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(old) + step - 4);
}

// All messages in it that are set, itself first.
void collect(Message& message, std::vector<Message*>& out) {
  out.push_back(&message);
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      collect(*reflection.MutableMessage(&message, field), out);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i)
      collect(*reflection.MutableRepeatedMessage(&message, field, i), out);
  }
}

// A value for a field that is no message, set or appended by `put` of its type.
void set_scalar(Message& message, const FieldDescriptor* field, Rng& rng) {
  const Reflection& of = *message.GetReflection();
  const bool add = field->is_repeated();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32: {
      const auto value =
          static_cast<std::int32_t>(some_number(add ? 0 : of.GetInt32(message, field), rng));
      return add ? of.AddInt32(&message, field, value) : of.SetInt32(&message, field, value);
    }
    case FieldDescriptor::CPPTYPE_INT64: {
      const auto value = some_number(add ? 0 : of.GetInt64(message, field), rng);
      return add ? of.AddInt64(&message, field, value) : of.SetInt64(&message, field, value);
    }
    case FieldDescriptor::CPPTYPE_UINT32: {
      const auto value = static_cast<std::uint32_t>(some_number(0, rng));
      return add ? of.AddUInt32(&message, field, value) : of.SetUInt32(&message, field, value);
    }
    case FieldDescriptor::CPPTYPE_UINT64: {
      const auto value = static_cast<std::uint64_t>(some_number(0, rng));
      return add ? of.AddUInt64(&message, field, value) : of.SetUInt64(&message, field, value);
    }
    case FieldDescriptor::CPPTYPE_DOUBLE: {
      const auto value = static_cast<double>(some_number(0, rng));
      return add ? of.AddDouble(&message, field, value) : of.SetDouble(&message, field, value);
    }
    case FieldDescriptor::CPPTYPE_FLOAT: {
      const auto value = below(rng, 4) == 0 ? std::numeric_limits<float>::quiet_NaN()
                                            : static_cast<float>(some_number(0, rng));
      return add ? of.AddFloat(&message, field, value) : of.SetFloat(&message, field, value);
    }
    case FieldDescriptor::CPPTYPE_BOOL: {
      const bool value = below(rng, 2) == 0;
      return add ? of.AddBool(&message, field, value) : of.SetBool(&message, field, value);
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      const auto& type = *field->enum_type();
      const int value = below(rng, 8) == 0
                            ? static_cast<int>(some_number(0, rng))
                            : type.value(static_cast<int>(below(
                                             rng, static_cast<std::uint64_t>(type.value_count()))))
                                  ->number();
      return add ? of.AddEnumValue(&message, field, value)
                 : of.SetEnumValue(&message, field, value);
    }
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string value = texts()[below(rng, texts().size())];
      if (!add && below(rng, 2) == 0 && field->type() == FieldDescriptor::TYPE_BYTES)
        value = mutate_bytes(of.GetString(message, field), value, rng);
      return add ? of.AddString(&message, field, value) : of.SetString(&message, field, value);
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return;
  }
}

void change_repeated(Message& message, const FieldDescriptor* field, Rng& rng) {
  const Reflection& of = *message.GetReflection();
  const int size = of.FieldSize(message, field);
  const int one = static_cast<int>(below(rng, static_cast<std::uint64_t>(size)));
  const int other = static_cast<int>(below(rng, static_cast<std::uint64_t>(size)));
  switch (below(rng, 4)) {
    case 0:
      return of.SwapElements(&message, field, one, other);
    case 1:
      of.SwapElements(&message, field, one, size - 1);
      return of.RemoveLast(&message, field);
    case 2:
      while (of.FieldSize(message, field) > one) of.RemoveLast(&message, field);
      return;
    default:
      if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || size > 200)
        return of.SwapElements(&message, field, one, other);
      Message* copy = of.AddMessage(&message, field);
      copy->CopyFrom(of.GetRepeatedMessage(message, field, one));
      return;
  }
}

void change(Message& message, Rng& rng) {
  const auto& type = *message.GetDescriptor();
  if (type.field_count() == 0) return;
  const Reflection& of = *message.GetReflection();
  std::vector<const FieldDescriptor*> set;
  of.ListFields(message, &set);
  // What is set is the likelier one; what is not may be set.
  const FieldDescriptor* field = !set.empty() && below(rng, 4) != 0
                                     ? set[below(rng, set.size())]
                                     : type.field(static_cast<int>(below(
                                           rng, static_cast<std::uint64_t>(type.field_count()))));
  if (below(rng, 8) == 0) return of.ClearField(&message, field);
  if (field->is_repeated() && of.FieldSize(message, field) > 0 && below(rng, 2) == 0)
    return change_repeated(message, field, rng);
  if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return set_scalar(message, field, rng);
  if (field->is_map()) return;
  Message* inner =
      field->is_repeated() ? of.AddMessage(&message, field) : of.MutableMessage(&message, field);
  if (below(rng, 2) == 0) change(*inner, rng);
}

}  // namespace

std::uint64_t below(Rng& rng, std::uint64_t bound) { return bound == 0 ? 0 : rng() % bound; }

std::string mutate_bytes(std::string input, const std::string& other, Rng& rng) {
  for (std::uint64_t times = 1 + below(rng, 4); times > 0; --times) {
    const std::size_t at = below(rng, input.size() + 1);
    const std::size_t size = std::min<std::size_t>(1 + below(rng, 16), input.size() - at);
    switch (below(rng, 6)) {
      case 0:
        if (at < input.size()) input[at] = static_cast<char>(rng());
        break;
      case 1:
        if (at < input.size()) input[at] ^= static_cast<char>(1u << below(rng, 8));
        break;
      case 2:
        input.erase(at, size);
        break;
      case 3:
        input.insert(at, input.substr(at, size));
        break;
      case 4:
        input.insert(at, texts()[below(rng, texts().size())]);
        break;
      default: {
        const std::size_t from = below(rng, other.size() + 1);
        input.replace(at, size, other.substr(from, 1 + below(rng, 64)));
      }
    }
  }
  if (input.size() > (1u << 20)) input.resize(1u << 20);
  return input;
}

std::string mutate_message(const Message& prototype, const std::string& input, Rng& rng) {
  const std::unique_ptr<Message> message(prototype.New());
  if (!message->ParseFromString(input)) message->Clear();
  for (std::uint64_t times = 1 + below(rng, 3); times > 0; --times) {
    std::vector<Message*> all;
    collect(*message, all);
    change(*all[below(rng, all.size())], rng);
  }
  return message->SerializePartialAsString();
}

}  // namespace chimera::fuzz
