// The values in a message of the protocol, wherever they are: visit_payloads(). Search attributes
// and headers, which are read by others, are passed over, and so is what core's own markers hold
// beside users' values. Any thread.
#ifndef CHIMERA_CORE_CONVERTER_PAYLOAD_WALK_H_
#define CHIMERA_CORE_CONVERTER_PAYLOAD_WALK_H_

#include <memory>
#include <span>
#include <vector>

#include "google/protobuf/any.pb.h"
#include "google/protobuf/message.h"

#include "core/base/api.h"

namespace chimera::core {

class PayloadVisitor {
 public:
  virtual ~PayloadVisitor() = default;
  // A message that may hold values, before those; false: passed over.
  virtual bool enter(const google::protobuf::Message& /*message*/) { return true; }
  virtual void leave(const google::protobuf::Message& /*message*/) {}
  // The values of one field of `owner`: one, or those of a list.
  virtual void visit(const google::protobuf::Message& owner,
                     const google::protobuf::FieldDescriptor& field,
                     std::span<api::common::v1::Payload* const> payloads) = 0;
};

// Messages that are packed in others, updates: open while their values are in use.
class PackedMessages {
 public:
  google::protobuf::Message* open(google::protobuf::Any& packed);  // Null: of no use here.
  void pack();  // Writes back what has become of them.

 private:
  struct Open {
    google::protobuf::Any* packed;
    std::unique_ptr<google::protobuf::Message> message;
  };
  std::vector<Open> open_;
};

// Whether messages of this type may hold values. Cheap.
bool may_hold_payloads(const google::protobuf::Descriptor& type);

// What the visitor is given is borrowed from `message` and `packed`.
void visit_payloads(google::protobuf::Message& message, PayloadVisitor& visitor,
                    PackedMessages& packed);
// The visitor changes nothing and keeps nothing.
void look_at_payloads(const google::protobuf::Message& message, PayloadVisitor& visitor);
// Enters only what leads to memos, and visits nothing.
void look_at_memos(const google::protobuf::Message& message, PayloadVisitor& visitor);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_CONVERTER_PAYLOAD_WALK_H_
