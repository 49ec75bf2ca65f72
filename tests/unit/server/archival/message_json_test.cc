#include "server/archival/message_json.h"

#include <limits>

#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/message_differencer.h"
#include "temporal/api/history/v1/message.pb.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"
#include <gtest/gtest.h>

#include "core/base/api.h"

namespace chimera::server::archival {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Something in every field, a few levels deep; of each oneof the last.
class Filler {
 public:
  void fill(Message& message, int depth) {
    const Descriptor& type = *message.GetDescriptor();
    for (int i = 0; i < type.field_count(); ++i) fill(message, *type.field(i), depth);
  }

 private:
  void fill(Message& message, const FieldDescriptor& field, int depth) {
    const Reflection& reflection = *message.GetReflection();
    ++next_;
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      if (depth == 0 || field.message_type()->full_name() == "google.protobuf.Any") return;
      Message& inner = field.is_repeated() ? *reflection.AddMessage(&message, &field)
                                           : *reflection.MutableMessage(&message, &field);
      return fill(inner, depth - 1);
    }
    if (message.GetDescriptor()->file()->package() == "google.protobuf" &&
        field.cpp_type() != FieldDescriptor::CPPTYPE_INT64 &&
        field.cpp_type() != FieldDescriptor::CPPTYPE_INT32)
      return;
    const std::string text = field.type() == FieldDescriptor::TYPE_BYTES
                                 ? std::string("\x00\xff\x80", 3) + std::to_string(next_)
                                 : "\xc3\xa4\"\n" + std::to_string(next_);
    const auto set = [&](auto add, auto assign, auto value) {
      if (field.is_repeated())
        (reflection.*add)(&message, &field, value);
      else
        (reflection.*assign)(&message, &field, value);
    };
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32:
        return set(&Reflection::AddInt32, &Reflection::SetInt32, next_);
      case FieldDescriptor::CPPTYPE_INT64:
        return set(&Reflection::AddInt64, &Reflection::SetInt64, std::int64_t{next_});
      case FieldDescriptor::CPPTYPE_UINT32:
        return set(&Reflection::AddUInt32, &Reflection::SetUInt32,
                   static_cast<std::uint32_t>(next_));
      case FieldDescriptor::CPPTYPE_UINT64:
        return set(&Reflection::AddUInt64, &Reflection::SetUInt64, std::uint64_t{1} << 63);
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return set(&Reflection::AddDouble, &Reflection::SetDouble, next_ / 7.0);
      case FieldDescriptor::CPPTYPE_FLOAT:
        return set(&Reflection::AddFloat, &Reflection::SetFloat, next_ / 8.0f);
      case FieldDescriptor::CPPTYPE_BOOL:
        return set(&Reflection::AddBool, &Reflection::SetBool, true);
      case FieldDescriptor::CPPTYPE_ENUM: {
        const auto& type = *field.enum_type();
        return set(&Reflection::AddEnumValue, &Reflection::SetEnumValue,
                   type.value(type.value_count() - 1)->number());
      }
      default:
        return set(&Reflection::AddString, &Reflection::SetString, text);
    }
  }
  int next_ = 0;
};

// libprotobuf's converter is the judge, in both directions, of every event and all that is in it.
TEST(MessageJsonTest, IsThatOfLibprotobuf) {
  const Descriptor& event = *api::history::v1::HistoryEvent::descriptor();
  for (int i = 0; i < event.field_count(); ++i) {
    if (event.field(i)->containing_oneof() == nullptr) continue;
    api::history::v1::HistoryEvent message;
    Filler().fill(*message.GetReflection()->MutableMessage(&message, event.field(i)), 5);
    message.set_event_id(std::numeric_limits<std::int64_t>::min());
    std::string theirs;
    ASSERT_TRUE(google::protobuf::util::MessageToJsonString(message, &theirs).ok());

    const std::string ours = text_of(to_json(message));

    EXPECT_EQ(nlohmann::json::parse(ours), nlohmann::json::parse(theirs));
    api::history::v1::HistoryEvent read, read_by_them;
    ASSERT_TRUE(from_json(parse_json(theirs), read).ok()) << theirs;
    ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(ours, &read_by_them).ok()) << ours;
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(read, message)) << theirs;
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(read_by_them, message));
  }
}

TEST(MessageJsonTest, NestsDeeply) {
  api::failure::v1::Failure failure, read;
  api::failure::v1::Failure* last = &failure;
  for (int i = 0; i < 500; ++i) last = last->mutable_cause();
  last->set_message("deep");

  ASSERT_TRUE(from_json(parse_json(text_of(to_json(failure))), read).ok());

  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(read, failure));
}

TEST(MessageJsonTest, WhatIsNotOfItsTypeIsNamed) {
  const auto said = [](const char* json) {
    api::history::v1::HistoryEvent event;
    const absl::Status status = from_json(parse_json(json), event);
    return status.code() == absl::StatusCode::kDataLoss ? std::string(status.message())
                                                        : status.ToString();
  };
  EXPECT_EQ(said("[]"), "a HistoryEvent is none");
  EXPECT_EQ(said(R"({"eventId":"x"})"),
            "the value of temporal.api.history.v1.HistoryEvent.event_id is none");
  EXPECT_EQ(said(R"({"eventId":1.5})"),
            "the value of temporal.api.history.v1.HistoryEvent.event_id is none");
  EXPECT_EQ(said(R"({"workerMayIgnore":1})"),
            "the value of temporal.api.history.v1.HistoryEvent.worker_may_ignore is none");
  EXPECT_EQ(said(R"({"links":{}})"),
            "the value of temporal.api.history.v1.HistoryEvent.links is none");
  EXPECT_EQ(said(R"({"eventTime":"soon"})"), "a Timestamp is none: \"soon\"");
  EXPECT_EQ(said(R"({"eventType":"EVENT_TYPE_OF_TOMORROW","eventId":7,"links":null})"), "OK");
}

}  // namespace
}  // namespace chimera::server::archival
