// FailureConverter, what a program's own exceptions travel as, and come back as.
#ifndef CHIMERA_FAILURE_CONVERTER_H_
#define CHIMERA_FAILURE_CONVERTER_H_

#include <exception>

#include "chimera/errors.h"

namespace chimera {

// Any thread, several at once; workflows call it, too: it must be fast, and give the same again for
// the same. What it throws itself is handled in the place of the error that it was given. What
// is_cancelled() (errors.h) stays so: a cancellation that it makes something else of is taken as it
// was.
class FailureConverter {
 public:
  virtual ~FailureConverter() = default;
  // What user code threw; becomes what is sent. Give it back as it is where it is none of yours, or
  // a FailureError (errors.h) of it: an ApplicationError with a type and details, say. What is a
  // FailureError then fails a workflow, anything else its task.
  virtual std::exception_ptr to_failure(std::exception_ptr error) const { return error; }
  // What came, an ActivityError or ChildWorkflowError with its cause, say; becomes what is thrown
  // by the call that waits for it. A client's calls give the cause of what they throw, and throw
  // what is no FailureError in the place of both.
  virtual std::exception_ptr from_failure(std::exception_ptr error) const { return error; }
};

}  // namespace chimera

#endif  // CHIMERA_FAILURE_CONVERTER_H_
