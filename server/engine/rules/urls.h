// URLs of endpoints and callbacks. Pure.
#ifndef CHIMERA_SERVER_ENGINE_RULES_URLS_H_
#define CHIMERA_SERVER_ENGINE_RULES_URLS_H_

#include <string>

#include "absl/strings/string_view.h"

namespace chimera::server {

struct Url {
  std::string scheme;  // In lower case.
  std::string host;    // With its port.
  std::string path;    // The rest, behind the host.
};
// What is wrong with it, in the words of the genuine server ("parse ...: missing protocol scheme");
// empty: nothing.
std::string parse_url(absl::string_view text, Url& url);

// One part of a path, or a value of a query: as the genuine server writes them.
std::string escape_path_part(absl::string_view text);
std::string escape_query(absl::string_view text);
// False: it is not escaped well.
bool unescape(absl::string_view text, std::string& out);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_RULES_URLS_H_
