// What the values in messages are, and whose, in words for people. Any thread.
#ifndef CHIMERA_CORE_CONVERTER_VALUE_WORDS_H_
#define CHIMERA_CORE_CONVERTER_VALUE_WORDS_H_

#include <string>
#include <string_view>

#include "google/protobuf/message.h"

namespace chimera::core {

// "the arguments of activity pack".
std::string value_words(const google::protobuf::Message& owner, std::string_view field);

// To whom the values in a message belong, as far as it says: a workflow, or else an activity.
struct ValueOwner {
  std::string namespace_, workflow_id, run_id, workflow_type, activity_id;
  bool operator==(const ValueOwner&) const = default;
};
// The owner of what is in `message`, which stands in one whose values are `outer`'s.
ValueOwner owner_of_values(const google::protobuf::Message& message, const ValueOwner& outer);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_CONVERTER_VALUE_WORDS_H_
