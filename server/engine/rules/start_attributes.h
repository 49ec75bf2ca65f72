// What a start passes on: from a request to the first event, from a parent's command by its event
// to the child's first event, from a run to the one that continues it. Pure.
#ifndef CHIMERA_SERVER_ENGINE_RULES_START_ATTRIBUTES_H_
#define CHIMERA_SERVER_ENGINE_RULES_START_ATTRIBUTES_H_

#include <type_traits>
#include <utility>

#include "server/base/types.h"

namespace chimera::server {

// Copies what both messages have by the same name, or moves it if `from` is not const. What is
// absent stays as it is in `to`. Left out on purpose, by the name of the field, is what the test
// lists: the server sets it itself, or refuses it.
template <class From, class To>
void copy_start(From& from, To& to) {
#define CHIMERA_MESSAGE(field)                                             \
  if constexpr (requires(std::remove_const_t<From> f) {                    \
                  requires std::is_same_v<decltype(f.mutable_##field()),   \
                                          decltype(to.mutable_##field())>; \
                }) {                                                       \
    if (from.has_##field()) {                                              \
      if constexpr (std::is_const_v<From>) {                               \
        *to.mutable_##field() = from.field();                              \
      } else {                                                             \
        *to.mutable_##field() = std::move(*from.mutable_##field());        \
      }                                                                    \
    }                                                                      \
  }
#define CHIMERA_SCALAR(field) \
  if constexpr (requires { to.set_##field(from.field()); }) to.set_##field(from.field());

  CHIMERA_MESSAGE(workflow_type)
  CHIMERA_MESSAGE(input)
  CHIMERA_MESSAGE(header)
  CHIMERA_MESSAGE(workflow_execution_timeout)
  CHIMERA_MESSAGE(workflow_run_timeout)
  CHIMERA_MESSAGE(workflow_task_timeout)
  CHIMERA_MESSAGE(workflow_start_delay)
  CHIMERA_MESSAGE(retry_policy)
  CHIMERA_MESSAGE(memo)
  CHIMERA_MESSAGE(search_attributes)
  CHIMERA_MESSAGE(last_completion_result)
  CHIMERA_MESSAGE(continued_failure)
  CHIMERA_MESSAGE(priority)
  CHIMERA_MESSAGE(versioning_override)
  CHIMERA_MESSAGE(user_metadata)
  CHIMERA_MESSAGE(time_skipping_config)
  CHIMERA_MESSAGE(propagated_nexus_serialization_context)
  CHIMERA_SCALAR(namespace_)
  CHIMERA_SCALAR(workflow_id)
  CHIMERA_SCALAR(request_id)
  CHIMERA_SCALAR(identity)
  CHIMERA_SCALAR(cron_schedule)
  CHIMERA_SCALAR(control)
  CHIMERA_SCALAR(inherit_build_id)
  CHIMERA_SCALAR(parent_close_policy)
  CHIMERA_SCALAR(workflow_id_reuse_policy)
  CHIMERA_SCALAR(workflow_id_conflict_policy)
#undef CHIMERA_MESSAGE
#undef CHIMERA_SCALAR
  // Its kind is the server's to say.
  if (!from.task_queue().name().empty())
    to.mutable_task_queue()->set_name(from.task_queue().name());
  if constexpr (requires { to.mutable_links()->CopyFrom(from.links()); })
    to.mutable_links()->CopyFrom(from.links());
  if constexpr (requires {
                  to.mutable_completion_callbacks()->CopyFrom(from.completion_callbacks());
                })
    to.mutable_completion_callbacks()->CopyFrom(from.completion_callbacks());
}

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_RULES_START_ATTRIBUTES_H_
