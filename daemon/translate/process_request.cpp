#include "daemon/translate/process_request.hpp"

#include "daemon/resolve/environment.hpp"

namespace stackd::translate {
namespace {

constexpr std::chrono::milliseconds k_grace{5000};

}  // namespace

std::chrono::milliseconds grace_of(const model::Service& service) {
  return service.process->stop_grace_period.value_or(k_grace);
}

process::RunRequest process_request(const model::Stack& stack, const model::Service& service,
                                    const std::string& command) {
  process::RunRequest request;
  request.argv = {"/bin/sh", "-c", command};
  request.cwd = service.process->cwd.empty() ? stack.spec->directory : service.process->cwd;
  request.env = resolve::process_environment(*stack.spec, *stack.facts, service);
  request.umask = stack.facts->umask.value_or(process::k_umask);
  request.secrets = resolve::secret_values(*stack.spec, *stack.facts);
  request.capture = process::Capture::append;
  request.truncate_log = false;
  request.grace = grace_of(service);
  return request;
}

}  // namespace stackd::translate
