#include "server/service/reflection.h"

#include <set>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/unknown_field_set.h"
#include "grpc/health/v1/health.pb.h"

#include "server/service/method_table.h"

namespace chimera::server {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;
using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

// Field numbers of ServerReflectionRequest and ServerReflectionResponse, whose generated code is
// not needed for these few.
enum RequestField {
  kHost = 1,
  kFileByFilename = 3,
  kFileContainingSymbol = 4,
  kFileContainingExtension = 5,
  kAllExtensionNumbers = 6,
  kListServices = 7,
};
enum ResponseField {
  kValidHost = 1,
  kOriginalRequest = 2,
  kFileDescriptorResponse = 4,
  kExtensionNumberResponse = 5,
  kListServicesResponse = 6,
  kErrorResponse = 7,
};
constexpr int kNotFound = 5;

void add_message(UnknownFieldSet& out, int field, const UnknownFieldSet& message) {
  message.SerializeToString(out.AddLengthDelimited(field));
}

void add_error(UnknownFieldSet& out, const std::string& message) {
  UnknownFieldSet error;
  error.AddVarint(1, kNotFound);
  error.AddLengthDelimited(2, message);
  add_message(out, kErrorResponse, error);
}

// The file and all that it imports, so that one request is enough.
void add_file(const FileDescriptor* file, std::set<const FileDescriptor*>& seen,
              UnknownFieldSet& out) {
  if (!seen.insert(file).second) return;
  google::protobuf::FileDescriptorProto proto;
  file->CopyTo(&proto);
  proto.SerializeToString(out.AddLengthDelimited(1));
  for (int i = 0; i < file->dependency_count(); ++i) add_file(file->dependency(i), seen, out);
}

void answer_file(const FileDescriptor* file, const std::string& asked, UnknownFieldSet& out) {
  if (file == nullptr) return add_error(out, asked + " is not known here");
  UnknownFieldSet files;
  std::set<const FileDescriptor*> seen;
  add_file(file, seen, files);
  add_message(out, kFileDescriptorResponse, files);
}

void answer_services(UnknownFieldSet& out) {
  UnknownFieldSet list;
  for (const std::string& name : service_methods().service_names()) {
    UnknownFieldSet service;
    service.AddLengthDelimited(1, name);
    add_message(list, 1, service);
  }
  add_message(out, kListServicesResponse, list);
}

void answer(const UnknownField& asked, UnknownFieldSet& out) {
  const DescriptorPool& pool = *DescriptorPool::generated_pool();
  switch (asked.number()) {
    case kFileByFilename:
      return answer_file(pool.FindFileByName(asked.length_delimited()), asked.length_delimited(),
                         out);
    case kFileContainingSymbol:
      return answer_file(pool.FindFileContainingSymbol(asked.length_delimited()),
                         asked.length_delimited(), out);
    case kFileContainingExtension:
      return add_error(out, "there are no extensions here");
    case kAllExtensionNumbers: {
      UnknownFieldSet numbers;
      numbers.AddLengthDelimited(1, asked.length_delimited());
      return add_message(out, kExtensionNumberResponse, numbers);
    }
    default:
      return answer_services(out);
  }
}

}  // namespace

std::string answer_reflection(const std::string& request) {
  UnknownFieldSet in, out;
  if (!in.ParseFromString(request)) add_error(out, "the request is not a valid message");
  const UnknownField* asked = nullptr;
  for (int i = 0; i < in.field_count(); ++i) {
    const UnknownField& field = in.field(i);
    if (field.type() != UnknownField::TYPE_LENGTH_DELIMITED) continue;
    if (field.number() == kHost) out.AddLengthDelimited(kValidHost, field.length_delimited());
    if (field.number() >= kFileByFilename && field.number() <= kListServices) asked = &field;
  }
  out.AddLengthDelimited(kOriginalRequest, request);
  if (asked != nullptr)
    answer(*asked, out);
  else if (out.field_count() == 1)
    add_error(out, "the request asks for nothing");
  std::string bytes;
  out.SerializeToString(&bytes);
  return bytes;
}

}  // namespace chimera::server
