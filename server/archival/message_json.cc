#include "server/archival/message_json.h"

#include <cmath>
#include <map>
#include <optional>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/util/json_util.h"

namespace chimera::server::archival {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using Type = FieldDescriptor::CppType;

// Timestamp, Duration and their like have forms of their own.
bool is_well_known(const Descriptor& type) { return type.file()->package() == "google.protobuf"; }

std::string key_of(const Json& key) {
  return key.is_string() ? key.get<std::string>() : key.dump();
}

// A field's value, or that of its element `at` if it is repeated.
class Values {
 public:
  Values(const Message& message, const FieldDescriptor& field)
      : message_(message), field_(field), reflection_(*message.GetReflection()) {}

  Json all() const {
    if (!field_.is_repeated()) return one(-1);
    const int size = reflection_.FieldSize(message_, &field_);
    if (field_.is_map()) return map(size);
    Json list = Json::array();
    for (int i = 0; i < size; ++i) list.push_back(one(i));
    return list;
  }

 private:
  Json map(int size) const {
    std::map<std::string, Json> sorted;
    for (int i = 0; i < size; ++i) {
      const Message& entry = reflection_.GetRepeatedMessage(message_, &field_, i);
      const Descriptor& type = *entry.GetDescriptor();
      const Values key(entry, *type.map_key()), value(entry, *type.map_value());
      sorted[key_of(key.one(-1))] = value.one(-1);
    }
    Json object = Json::object();
    for (auto& [key, value] : sorted) object[key] = std::move(value);
    return object;
  }

#define CHIMERA_GET(kind)                            \
  (at < 0 ? reflection_.Get##kind(message_, &field_) \
          : reflection_.GetRepeated##kind(message_, &field_, at))

  Json one(int at) const {
    switch (field_.cpp_type()) {
      case Type::CPPTYPE_INT32:
        return CHIMERA_GET(Int32);
      case Type::CPPTYPE_UINT32:
        return CHIMERA_GET(UInt32);
      case Type::CPPTYPE_INT64:
        return absl::StrCat(CHIMERA_GET(Int64));
      case Type::CPPTYPE_UINT64:
        return absl::StrCat(CHIMERA_GET(UInt64));
      case Type::CPPTYPE_FLOAT:
        return real(CHIMERA_GET(Float));
      case Type::CPPTYPE_DOUBLE:
        return real(CHIMERA_GET(Double));
      case Type::CPPTYPE_BOOL:
        return CHIMERA_GET(Bool);
      case Type::CPPTYPE_ENUM: {
        const int number = CHIMERA_GET(EnumValue);
        const EnumValueDescriptor* value = field_.enum_type()->FindValueByNumber(number);
        return value != nullptr ? Json(value->name()) : Json(number);
      }
      case Type::CPPTYPE_STRING: {
        std::string text = CHIMERA_GET(String);
        return field_.type() == FieldDescriptor::TYPE_BYTES ? absl::Base64Escape(text) : text;
      }
      case Type::CPPTYPE_MESSAGE:
        return to_json(CHIMERA_GET(Message));
    }
    return nullptr;
  }
#undef CHIMERA_GET

  static Json real(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
    return value;
  }

  const Message& message_;
  const FieldDescriptor& field_;
  const Reflection& reflection_;
};

template <class Number>
std::optional<Number> number_of(const Json& json) {
  Number number{};
  if (json.is_string()) {
    const std::string text = json.get<std::string>();
    if constexpr (std::is_floating_point_v<Number>)
      return absl::SimpleAtod(text, &number) ? std::optional(number) : std::nullopt;
    else
      return absl::SimpleAtoi(text, &number) ? std::optional(number) : std::nullopt;
  }
  if (std::is_floating_point_v<Number> ? json.is_number() : json.is_number_integer())
    return json.get<Number>();
  return std::nullopt;
}

std::optional<std::string> bytes_of(const std::string& text) {
  std::string bytes;
  if (absl::Base64Unescape(text, &bytes) || absl::WebSafeBase64Unescape(text, &bytes)) return bytes;
  return std::nullopt;
}

class Setter {
 public:
  Setter(Message& message, const FieldDescriptor& field)
      : message_(message), field_(field), reflection_(*message.GetReflection()) {}

  absl::Status all(const Json& json) {
    if (json.is_null()) return absl::OkStatus();
    if (!field_.is_repeated()) return one(json);
    if (field_.is_map()) return map(json);
    if (!json.is_array()) return mistyped();
    for (const Json& each : json) {
      if (absl::Status status = one(each); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

 private:
  absl::Status mistyped() const {
    return absl::DataLossError(absl::StrCat("the value of ", field_.full_name(), " is none"));
  }

  absl::Status map(const Json& json) {
    if (!json.is_object()) return mistyped();
    for (const auto& [key, value] : json.items()) {
      Message& entry = *reflection_.AddMessage(&message_, &field_);
      const Descriptor& type = *entry.GetDescriptor();
      absl::Status status = Setter(entry, *type.map_key()).one(key);
      if (status.ok()) status = Setter(entry, *type.map_value()).one(value);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

#define CHIMERA_SET(kind, value)                                           \
  (field_.is_repeated() ? reflection_.Add##kind(&message_, &field_, value) \
                        : reflection_.Set##kind(&message_, &field_, value))
#define CHIMERA_SET_NUMBER(kind, Number)                                         \
  {                                                                              \
    const auto number = number_of<Number>(json);                                 \
    return number ? (CHIMERA_SET(kind, *number), absl::OkStatus()) : mistyped(); \
  }

  absl::Status one(const Json& json) {
    switch (field_.cpp_type()) {
      case Type::CPPTYPE_INT32:
        CHIMERA_SET_NUMBER(Int32, std::int32_t)
      case Type::CPPTYPE_UINT32:
        CHIMERA_SET_NUMBER(UInt32, std::uint32_t)
      case Type::CPPTYPE_INT64:
        CHIMERA_SET_NUMBER(Int64, std::int64_t)
      case Type::CPPTYPE_UINT64:
        CHIMERA_SET_NUMBER(UInt64, std::uint64_t)
      case Type::CPPTYPE_FLOAT:
      case Type::CPPTYPE_DOUBLE:
        return real(json);
      case Type::CPPTYPE_BOOL:
        if (!json.is_boolean()) return mistyped();
        CHIMERA_SET(Bool, json.get<bool>());
        return absl::OkStatus();
      case Type::CPPTYPE_ENUM:
        return enumeration(json);
      case Type::CPPTYPE_STRING:
        return text(json);
      case Type::CPPTYPE_MESSAGE:
        return from_json(json, field_.is_repeated()
                                   ? *reflection_.AddMessage(&message_, &field_)
                                   : *reflection_.MutableMessage(&message_, &field_));
    }
    return mistyped();
  }

  absl::Status real(const Json& json) {
    const auto number = number_of<double>(json);
    if (!number) return mistyped();
    if (field_.cpp_type() == Type::CPPTYPE_DOUBLE)
      CHIMERA_SET(Double, *number);
    else
      CHIMERA_SET(Float, static_cast<float>(*number));
    return absl::OkStatus();
  }

  absl::Status enumeration(const Json& json) {
    if (!json.is_string()) CHIMERA_SET_NUMBER(EnumValue, int)
    if (const auto* value = field_.enum_type()->FindValueByName(json.get<std::string>()))
      CHIMERA_SET(EnumValue, value->number());
    return absl::OkStatus();
  }

  absl::Status text(const Json& json) {
    if (!json.is_string()) return mistyped();
    std::optional<std::string> text = json.get<std::string>();
    if (field_.type() == FieldDescriptor::TYPE_BYTES) text = bytes_of(*text);
    if (!text) return mistyped();
    CHIMERA_SET(String, *std::move(text));
    return absl::OkStatus();
  }
#undef CHIMERA_SET_NUMBER
#undef CHIMERA_SET

  Message& message_;
  const FieldDescriptor& field_;
  const Reflection& reflection_;
};

}  // namespace

Json to_json(const Message& message) {
  if (is_well_known(*message.GetDescriptor())) {
    std::string text;
    static_cast<void>(google::protobuf::util::MessageToJsonString(message, &text));
    return parse_json(text);
  }
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  Json object = Json::object();
  for (const FieldDescriptor* field : fields)
    object[field->json_name()] = Values(message, *field).all();
  return object;
}

absl::Status from_json(const Json& json, Message& message) {
  const Descriptor& type = *message.GetDescriptor();
  if (is_well_known(type)) {
    const auto status = google::protobuf::util::JsonStringToMessage(text_of(json), &message);
    if (status.ok()) return absl::OkStatus();
    return absl::DataLossError(absl::StrCat("a ", type.name(), " is none: ", text_of(json)));
  }
  if (!json.is_object()) return absl::DataLossError(absl::StrCat("a ", type.name(), " is none"));
  for (const auto& [name, value] : json.items()) {
    const FieldDescriptor* field = type.FindFieldByCamelcaseName(name);
    if (field == nullptr) field = type.FindFieldByName(name);
    if (field == nullptr) continue;
    if (absl::Status status = Setter(message, *field).all(value); !status.ok()) return status;
  }
  return absl::OkStatus();
}

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json parse_json(const std::string& text) {
  return Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

}  // namespace chimera::server::archival
