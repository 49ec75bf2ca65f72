// Frames, where code stands, for people.
#ifndef CHIMERA_SDK_CPP_SRC_FRAMES_H_
#define CHIMERA_SDK_CPP_SRC_FRAMES_H_

#include <string>
#include <vector>

namespace chimera::sdk {

// Of the caller's stack, innermost first.
std::vector<void*> frames_here();
// "OrderWorkflow::run(Order)" for each that is not the SDK's or the runtime library's;
// "orders+0x4711", for addr2line, where the symbol is not known.
std::vector<std::string> describe_frames(const std::vector<void*>& frames);

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_FRAMES_H_
