#include "sdk-cpp/src/frames.h"

#include <cstdlib>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/strings/str_format.h"
#include <cxxabi.h>
#include <dlfcn.h>
#include <execinfo.h>

namespace chimera::sdk {
namespace {

constexpr int kFramesMax = 50;

std::string describe_frame(void* address) {
  Dl_info info{};
  if (dladdr(address, &info) == 0) return absl::StrFormat("%p", address);
  if (info.dli_sname != nullptr) {
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> name(
        abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, &status), &std::free);
    return status == 0 ? name.get() : info.dli_sname;
  }
  const std::string_view path = info.dli_fname == nullptr ? "?" : info.dli_fname;
  const auto offset = static_cast<char*>(address) - static_cast<char*>(info.dli_fbase);
  return absl::StrFormat("%s+%#x", std::string(path.substr(path.rfind('/') + 1)), offset);
}

// The SDK's own, and those of an exception on its way.
bool internal(std::string_view frame) {
  for (const std::string_view prefix : {"chimera::sdk::", "chimera::detail::", "__cxa_", "__gxx_",
                                        "_Unwind_", "std::terminate", "libstdc++", "libgcc_s"}) {
    if (frame.substr(0, prefix.size()) == prefix) return true;
  }
  return false;
}

}  // namespace

std::vector<void*> frames_here() {
  std::vector<void*> frames(kFramesMax);
  frames.resize(static_cast<std::size_t>(backtrace(frames.data(), kFramesMax)));
  return frames;
}

std::vector<std::string> describe_frames(const std::vector<void*>& frames) {
  std::vector<std::string> texts;
  for (void* const address : frames) {
    std::string frame = describe_frame(address);
    if (!internal(frame)) texts.push_back(std::move(frame));
  }
  return texts;
}

}  // namespace chimera::sdk
