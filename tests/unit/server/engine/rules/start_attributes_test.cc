#include "server/engine/rules/start_attributes.h"

#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chimera::server {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

using Start = wf::StartWorkflowExecutionRequest;
using SignalWithStart = wf::SignalWithStartWorkflowExecutionRequest;
using Started = history::WorkflowExecutionStartedEventAttributes;
using ChildCommand = command::StartChildWorkflowExecutionCommandAttributes;
using ChildInitiated = history::StartChildWorkflowExecutionInitiatedEventAttributes;
using ContinueCommand = command::ContinueAsNewWorkflowExecutionCommandAttributes;
using ContinuedAsNew = history::WorkflowExecutionContinuedAsNewEventAttributes;

// Gives every field a value that is not its default.
void fill(Message& message, int depth = 0) {
  const auto& reflection = *message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = message.GetDescriptor()->field(i);
    if (field->is_repeated()) {
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && depth < 2)
        reflection.AddMessage(&message, field);
      continue;
    }
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        if (depth < 3) fill(*reflection.MutableMessage(&message, field), depth + 1);
        break;
      case FieldDescriptor::CPPTYPE_STRING:
        reflection.SetString(&message, field, "text");
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        reflection.SetEnumValue(&message, field, 1);
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        reflection.SetBool(&message, field, true);
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        reflection.SetInt32(&message, field, 7);
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        reflection.SetInt64(&message, field, 7);
        break;
      case FieldDescriptor::CPPTYPE_FLOAT:
        reflection.SetFloat(&message, field, 7);
        break;
      case FieldDescriptor::CPPTYPE_DOUBLE:
        reflection.SetDouble(&message, field, 7);
        break;
      default:
        break;
    }
  }
}

// The names of fields that both have and that are not passed on.
template <class From, class To>
std::set<std::string> left_out() {
  From from;
  fill(from);
  const From& kept = from;
  To to;
  copy_start(kept, to);
  std::set<std::string> names;
  for (int i = 0; i < To::descriptor()->field_count(); ++i) {
    const FieldDescriptor* field = To::descriptor()->field(i);
    const FieldDescriptor* same = From::descriptor()->FindFieldByName(field->name());
    if (same == nullptr || same->cpp_type() != field->cpp_type()) continue;
    const bool set = field->is_repeated() ? to.GetReflection()->FieldSize(to, field) > 0
                                          : to.GetReflection()->HasField(to, field);
    if (!set) names.insert(field->name());
  }
  return names;
}

// A field that the API gets and that belongs to a start fails one of these: pass it on, or list it
// here with the reason.
TEST(StartAttributesTest, WhatARequestDoesNotPassOnToTheFirstEvent) {
  EXPECT_THAT((left_out<Start, Started>()), IsEmpty());
}

TEST(StartAttributesTest, ASignalWithStartPassesAllOnThatAStartTakes) {
  EXPECT_THAT((left_out<SignalWithStart, Start>()), IsEmpty());
}

TEST(StartAttributesTest, WhatAParentsCommandDoesNotPassOnToItsEvent) {
  EXPECT_THAT((left_out<ChildCommand, ChildInitiated>()), IsEmpty());
}

TEST(StartAttributesTest, WhatAParentsEventDoesNotPassOnToTheChildsFirst) {
  EXPECT_THAT((left_out<ChildInitiated, Started>()),
              UnorderedElementsAre(
                  "time_skipping_state_propagation"));  // What becomes of it is the run's to say.
}

TEST(StartAttributesTest, WhatAContinueAsNewDoesNotPassOn) {
  EXPECT_THAT((left_out<ContinueCommand, Started>()),
              UnorderedElementsAre("initiator"));  // It has a default.
  EXPECT_THAT((left_out<Started, ContinuedAsNew>()),
              UnorderedElementsAre("initiator"));  // Likewise.
}

TEST(StartAttributesTest, WhatIsAbsentStaysAsItIs) {
  const Start from;
  Started to;
  to.mutable_workflow_run_timeout()->set_seconds(5);
  to.mutable_task_queue()->set_name("queue");

  copy_start(from, to);

  EXPECT_EQ(to.workflow_run_timeout().seconds(), 5);
  EXPECT_EQ(to.task_queue().name(), "queue");
  EXPECT_FALSE(to.has_input());
}

}  // namespace
}  // namespace chimera::server
