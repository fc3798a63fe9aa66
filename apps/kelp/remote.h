// The server or the agent that a command talks to: its address, the token, and what its errors
// mean.
//
// Tests: remote_test.cc
#ifndef KELP_APPS_KELP_REMOTE_H_
#define KELP_APPS_KELP_REMOTE_H_

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/units.h"
#include "command.h"
#include "net/http_client.h"

namespace kelp::cli {

inline constexpr const char* kServerDefault = "http://127.0.0.1:7700";
inline constexpr const char* kAgentDefault = "http://127.0.0.1:7701";

// A live stream shows that it is alive every 15 s; twice that and some, and it is gone.
inline constexpr Duration kStreamSilenceMax = 45s;

struct Remote {
  std::string url;    // without a slash at the end
  std::string token;  // empty: none is sent
};

// --server, --token-file, --ca-file: for every command that talks to the server.
std::vector<OptionSpec> ServerOptions();

// The address is --server, else KELP_SERVER, else kServerDefault. The token is in --token-file,
// else KELP_TOKEN, else in ~/.config/kelp/token when that file exists. Errors: kInvalidArgument for
// an address that is no URL, and what reading the file gives.
Result<Remote> ResolveServer(const Arguments& arguments, const Context& context);

// --agent, for every command that talks to an agent: the option, else KELP_AGENT, else
// kAgentDefault.
OptionSpec AgentOption();
Result<Remote> ResolveAgent(const Arguments& arguments, const Context& context);

// The value of an option that counts something. Errors: kInvalidArgument, naming the option.
Result<size_t> CountParameter(const Arguments& arguments, const std::string& option);
Result<size_t> ParseCount(const std::string& text, const std::string& option);

// A query string: "?a=1&b=x%20y"; pairs with an empty value are left out.
std::string QueryString(const std::vector<std::pair<std::string, std::string>>& pairs);

// Talks to one remote.
//
// Threads:  thread-compatible. Blocking: every call.
// Errors:   an answer other than 2xx becomes a Status with the server's own message; a connection
//           that fails, one that says what to do.
class RemoteClient {
 public:
  // Gives a piece of a stream; false ends it.
  using OnChunk = std::function<bool(std::string_view)>;

  RemoteClient(Remote remote, const std::string& ca_file);

  // The body of the answer to GET url + `target`. Errors point into `query`, when there is one.
  Result<std::string> Get(const std::string& target, std::string_view query = "");
  // Ok when the stream ended, by its end or by `on_chunk`.
  // `silence_max`: after so long without a byte the stream counts as lost.
  Status Stream(const std::string& target, const OnChunk& on_chunk, std::string_view query = "",
                Duration silence_max = kStreamSilenceMax);

 private:
  net::HttpClientRequest Request(const std::string& target) const;
  // The body, or what an answer that is not 2xx says.
  Result<std::string> Check(Result<net::HttpResponse> answer, std::string_view query) const;

  Remote remote_;
  net::HttpClient client_;
};

// The message of an answer like {"error":{"message":"...","position":3}}; with a position and the
// query, a second and third line that show it. `body` that is something else is quoted shortly.
std::string ErrorMessage(std::string_view body, std::string_view query = "");

}  // namespace kelp::cli

#endif  // KELP_APPS_KELP_REMOTE_H_
