#include "server/service/texts.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "temporal/api/common/v1/message.pb.h"

#include "core/base/utf8.h"
#include "server/base/types.h"

namespace chimera::server {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

bool is_bad(const Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  std::string scratch;
  if (!field.is_repeated())
    return !base::is_utf8(reflection.GetStringReference(message, &field, &scratch));
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    if (!base::is_utf8(reflection.GetRepeatedStringReference(message, &field, i, &scratch)))
      return true;
  }
  return false;
}

std::string find_below(const Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  if (!field.is_repeated()) return find_bad_text(reflection.GetMessage(message, &field));
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    std::string found = find_bad_text(reflection.GetRepeatedMessage(message, &field, i));
    if (!found.empty()) return found;
  }
  return "";
}

}  // namespace

std::string find_bad_text(const Message& message) {
  if (message.GetDescriptor() == common::Payload::descriptor()) return "";
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->type() == FieldDescriptor::TYPE_STRING && is_bad(message, *field))
      return field->name();
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    const std::string below = find_below(message, *field);
    if (!below.empty()) return absl::StrCat(field->name(), ".", below);
  }
  return "";
}

}  // namespace chimera::server
