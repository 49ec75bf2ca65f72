#include "core/converter/payload_walk.h"

#include <algorithm>
#include <array>
#include <set>
#include <unordered_map>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "google/protobuf/descriptor.pb.h"

namespace chimera::core {
namespace {

namespace common = api::common::v1;
namespace wf = api::workflowservice::v1;
using api::command::v1::RecordMarkerCommandAttributes;
using api::history::v1::MarkerRecordedEventAttributes;
using google::protobuf::Any;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

enum class Kind { kNone, kPayload, kPayloads, kPacked, kMessage };

struct Plan;
struct Step {
  const FieldDescriptor* field = nullptr;
  Kind kind = Kind::kNone;
  const Plan* plan = nullptr;  // Of the message in the field.
  bool memos = false;          // It leads to memos.
};
// Of the kinds of events and commands there are many, and only one is there.
struct OneOf {
  const google::protobuf::OneofDescriptor* oneof;
  std::vector<Step> steps;  // By index.
};
struct Plan {
  std::vector<Step> steps;
  std::vector<OneOf> oneofs;
  bool has_map = false;  // Values in a map: visit_map().
  bool empty() const { return !has_map && steps.empty() && oneofs.empty(); }
};

// What the server or interceptors read, or what has no values of users in it.
bool is_passed_over(const Descriptor& type) {
  return &type == common::SearchAttributes::descriptor() || &type == common::Header::descriptor() ||
         type.options().map_entry();
}

// The maps that hold values; reflection would copy them.
bool has_value_map(const Descriptor& type) {
  const std::array<const Descriptor*, 5> types = {
      common::Memo::descriptor(), RecordMarkerCommandAttributes::descriptor(),
      MarkerRecordedEventAttributes::descriptor(),
      wf::RespondWorkflowTaskCompletedRequest::descriptor(),
      wf::PollWorkflowTaskQueueResponse::descriptor()};
  return std::find(types.begin(), types.end(), &type) != types.end();
}

// Lives for ever, as descriptors do.
class Plans {
 public:
  const Plan& of(const Descriptor& type) {
    {
      absl::ReaderMutexLock lock(&mutex_);
      const auto found = plans_.find(&type);
      if (found != plans_.end()) return *found->second;
    }
    absl::MutexLock lock(&mutex_);
    return make(type);
  }

 private:
  const Plan& make(const Descriptor& type) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto [at, is_new] = plans_.try_emplace(&type, nullptr);
    if (!is_new) return *at->second;
    at->second = std::make_unique<Plan>();
    Plan& plan = *at->second;  // Stays where it is while the table grows.
    plan.has_map = has_value_map(type);
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor* field = type.field(i);
      if (field->real_containing_oneof() != nullptr) continue;
      if (const Step step = step_of(*field); step.kind != Kind::kNone) plan.steps.push_back(step);
    }
    for (int i = 0; i < type.real_oneof_decl_count(); ++i) {
      OneOf one{type.oneof_decl(i), {}};
      bool any = false;
      for (int j = 0; j < one.oneof->field_count(); ++j) {
        one.steps.push_back(step_of(*one.oneof->field(j)));
        any = any || one.steps.back().kind != Kind::kNone;
      }
      if (any) plan.oneofs.push_back(std::move(one));
    }
    return plan;
  }

  Step step_of(const FieldDescriptor& field) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return {};
    const Descriptor& held = *field.message_type();
    if (&held == common::Payload::descriptor()) return {&field, Kind::kPayload};
    if (&held == common::Payloads::descriptor()) return {&field, Kind::kPayloads};
    if (&held == Any::descriptor()) return {&field, Kind::kPacked};
    const auto is_value = [](const Descriptor& type) {
      return has_value_map(type) || &type == common::Payload::descriptor() ||
             &type == common::Payloads::descriptor() || &type == Any::descriptor();
    };
    if (is_passed_over(held) || !leads_to(held, is_value)) return {};
    const auto is_memo = [](const Descriptor& type) { return &type == common::Memo::descriptor(); };
    return {&field, Kind::kMessage, &make(held), leads_to(held, is_memo)};
  }

  static bool leads_to(const Descriptor& type, bool (*wanted)(const Descriptor&)) {
    std::set<const Descriptor*> seen = {&type};
    std::vector<const Descriptor*> open = {&type};
    while (!open.empty()) {
      const Descriptor& next = *open.back();
      open.pop_back();
      if (wanted(next)) return true;
      for (int i = 0; i < next.field_count(); ++i) {
        const Descriptor* held = next.field(i)->message_type();
        if (held != nullptr && !is_passed_over(*held) && seen.insert(held).second)
          open.push_back(held);
      }
    }
    return false;
  }

  absl::Mutex mutex_;
  std::unordered_map<const Descriptor*, std::unique_ptr<Plan>> plans_ ABSL_GUARDED_BY(mutex_);
};

Plans& plans() {
  static auto* const plans = new Plans;
  return *plans;
}

// Core's own data stands beside the users' values.
bool is_users(const std::string& marker, const std::string& detail) {
  return detail != "patch-data" && !(detail == "data" && absl::StartsWith(marker, "core_"));
}

class Walk {
 public:
  Walk(PayloadVisitor& visitor, PackedMessages& packed, bool only_memos = false)
      : visitor_(visitor), packed_(packed), only_memos_(only_memos) {}

  void message(Message& message, const Plan& plan) {
    if (!visitor_.enter(message)) return;
    const auto& reflection = *message.GetReflection();
    for (const Step& step : plan.steps) {
      if (only_memos_ && !step.memos) continue;
      if (step.field->is_repeated()) {
        const int size = reflection.FieldSize(message, step.field);
        for (int i = 0; i < size; ++i)
          held(message, step, *reflection.MutableRepeatedMessage(&message, step.field, i));
      } else if (reflection.HasField(message, step.field)) {
        held(message, step, *reflection.MutableMessage(&message, step.field));
      }
    }
    for (const OneOf& one : plan.oneofs) {
      const FieldDescriptor* field = reflection.GetOneofFieldDescriptor(message, one.oneof);
      if (field == nullptr) continue;
      const Step& step = one.steps[static_cast<std::size_t>(field->index_in_oneof())];
      if (step.kind == Kind::kNone || (only_memos_ && !step.memos)) continue;
      held(message, step, *reflection.MutableMessage(&message, field));
    }
    if (plan.has_map && !only_memos_) visit_map(message);
    visitor_.leave(message);
  }

 private:
  void held(const Message& owner, const Step& step, Message& held) {
    switch (step.kind) {
      case Kind::kPayload:
        return one(owner, *step.field, static_cast<common::Payload&>(held));
      case Kind::kPayloads:
        return list(owner, *step.field, static_cast<common::Payloads&>(held));
      case Kind::kPacked:
        if (Message* body = packed_.open(static_cast<Any&>(held)))
          message(*body, plans().of(*body->GetDescriptor()));
        return;
      case Kind::kMessage:
        return message(held, *step.plan);
      case Kind::kNone:
        return;
    }
  }

  void one(const Message& owner, const FieldDescriptor& field, common::Payload& payload) {
    common::Payload* pointer = &payload;
    visitor_.visit(owner, field, {&pointer, 1});
  }
  void list(const Message& owner, const FieldDescriptor& field, common::Payloads& payloads) {
    if (payloads.payloads().empty()) return;
    visitor_.visit(owner, field,
                   {payloads.mutable_payloads()->mutable_data(),
                    static_cast<std::size_t>(payloads.payloads_size())});
  }

  template <class Marker>
  void marker(Marker& marker) {
    const FieldDescriptor& field = *Marker::descriptor()->FindFieldByName("details");
    for (auto& [name, payloads] : *marker.mutable_details())
      if (is_users(marker.marker_name(), name)) list(marker, field, payloads);
  }

  template <class Map>
  void messages(Map& map) {
    for (auto& [name, held] : map) message(held, plans().of(*held.GetDescriptor()));
  }

  void visit_map(Message& message) {
    const Descriptor* type = message.GetDescriptor();
    if (type == common::Memo::descriptor()) {
      const FieldDescriptor& field = *type->FindFieldByName("fields");
      for (auto& [name, payload] : *static_cast<common::Memo&>(message).mutable_fields())
        one(message, field, payload);
    } else if (type == RecordMarkerCommandAttributes::descriptor()) {
      marker(static_cast<RecordMarkerCommandAttributes&>(message));
    } else if (type == MarkerRecordedEventAttributes::descriptor()) {
      marker(static_cast<MarkerRecordedEventAttributes&>(message));
    } else if (type == wf::RespondWorkflowTaskCompletedRequest::descriptor()) {
      messages(
          *static_cast<wf::RespondWorkflowTaskCompletedRequest&>(message).mutable_query_results());
    } else {
      messages(*static_cast<wf::PollWorkflowTaskQueueResponse&>(message).mutable_queries());
    }
  }

  PayloadVisitor& visitor_;
  PackedMessages& packed_;
  const bool only_memos_;
};

}  // namespace

Message* PackedMessages::open(Any& packed) {
  const std::string& url = packed.type_url();
  const std::string name = url.substr(url.rfind('/') + 1);
  if (!absl::StartsWith(name, "temporal.api.update.v1.")) return nullptr;
  const Descriptor* type =
      google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(name);
  if (type == nullptr) return nullptr;
  std::unique_ptr<Message> message(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
  if (!message->ParseFromString(packed.value())) return nullptr;
  open_.push_back({&packed, std::move(message)});
  return open_.back().message.get();
}

void PackedMessages::pack() {
  for (Open& open : open_) open.message->SerializeToString(open.packed->mutable_value());
  open_.clear();
}

bool may_hold_payloads(const Descriptor& type) { return !plans().of(type).empty(); }

void visit_payloads(Message& message, PayloadVisitor& visitor, PackedMessages& packed) {
  Walk(visitor, packed).message(message, plans().of(*message.GetDescriptor()));
}

void look_at_payloads(const Message& message, PayloadVisitor& visitor) {
  PackedMessages packed;
  // Of fields that are there reflection gives what is there, and changes nothing.
  visit_payloads(const_cast<Message&>(message), visitor, packed);
}

void look_at_memos(const Message& message, PayloadVisitor& visitor) {
  PackedMessages packed;
  Walk(visitor, packed, /*only_memos=*/true)
      .message(const_cast<Message&>(message), plans().of(*message.GetDescriptor()));
}

}  // namespace chimera::core
