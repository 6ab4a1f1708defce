#include "daemon/api/body.hpp"

#include <algorithm>

#include "daemon/api/answers.hpp"

namespace stackd::api {
namespace {

constexpr int k_deepest = 32;  // requests have three levels

}  // namespace

nlohmann::json parse_body(const std::string& body) {
  if (util::trim(body).empty()) return nlohmann::json::object();
  const auto bounded = [](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    if (depth > k_deepest)
      throw util::Error(util::ErrorKind::invalid_request,
                        "cannot read the request's body: it is nested too deeply");
    return true;
  };
  try {
    return nlohmann::json::parse(body, bounded);
  } catch (const nlohmann::json::parse_error& error) {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: …"
    const std::string text = error.what();
    const auto end = text.find("] ");
    throw util::Error(
        util::ErrorKind::invalid_request,
        "cannot read the request's body as JSON: " + text.substr(end == std::string::npos ? 0 : end + 2));
  }
}

void wrong_type(const std::string& where, const char* expected, const nlohmann::json& value) {
  auto shown = dump(value);
  if (shown.size() > 60) shown = util::valid_utf8(shown.substr(0, 57)) + "...";
  throw util::Error(util::ErrorKind::invalid_request,
                    (where.empty() ? std::string("the body") : "field '" + where + "'") + " must be " +
                        expected + ", not " + shown);
}

proto::UpRequest read_up_request(const std::string& text) {
  auto body = read_body<proto::UpRequest>(text);
  check_up_request(body);
  return body;
}

void check_up_request(const proto::UpRequest& body) {
  if (body.directory.empty())
    throw util::Error(util::ErrorKind::invalid_request,
                      "field 'directory' is missing: where the stack file is looked for");
  if (body.directory.front() != '/')
    throw util::Error(util::ErrorKind::invalid_request,
                      "field 'directory' must be an absolute path, not '" + body.directory + "'");
  const std::vector<std::string> policies{"", "always", "missing", "never", "build", "policy"};
  if (std::find(policies.begin(), policies.end(), body.options.pull) == policies.end())
    throw util::Error(util::ErrorKind::invalid_request,
                      "field 'options.pull' must be always, missing, never, build or policy, not '" +
                          body.options.pull + "'");
}

void check_down_request(const proto::DownRequest& body) {
  if (!body.rmi.empty() && body.rmi != "local" && body.rmi != "all")
    throw util::Error(util::ErrorKind::invalid_request,
                      "field 'rmi' must be \"local\" or \"all\", not \"" + body.rmi + "\"");
}

}  // namespace stackd::api
