#include "daemon/translate/definitions.hpp"

#include <nlohmann/json.hpp>

#include "daemon/resolve/environment.hpp"
#include "daemon/resolve/identity.hpp"
#include "daemon/resolve/references.hpp"
#include "daemon/util/ids.hpp"

namespace stackd::translate {

using nlohmann::json;

namespace {

// Whatever bytes are in it: what a program prints need not be UTF-8.
std::string hash_of(const json& value) {
  return util::sha256_hex(value.dump(-1, ' ', false, json::error_handler_t::replace));
}

}  // namespace

std::vector<std::string> services_referred_to(const model::Container& c) {
  constexpr std::string_view k_prefix = "service:";
  std::vector<std::string> names;
  for (const auto* mode : {&c.network_mode, &c.ipc, &c.pid})
    if (mode->starts_with(k_prefix)) names.push_back(mode->substr(k_prefix.size()));
  for (const auto& from : c.volumes_from)
    if (!from.starts_with("container:")) names.push_back(from.substr(0, from.find(':')));
  return names;
}

std::string definition_of(const model::Network& network) {
  auto pools = json::array();
  for (const auto& pool : network.ipam)
    pools.push_back({pool.subnet, pool.gateway, pool.ip_range, pool.aux_addresses});
  json value{network.driver,      network.driver_opts,
             network.labels,      network.internal,
             network.attachable,  network.enable_ipv6.value_or(false),
             network.ipam_driver, pools};
  if (!network.enable_ipv4.value_or(true))
    value.push_back("no IPv4");  // the others keep the hash that they had
  return hash_of(value);
}

std::string definition_of(const model::Volume& volume) {
  const bool standard = volume.driver == "local";  // as Compose has it: the same as none
  return hash_of({standard ? "" : volume.driver, volume.driver_opts, volume.labels});
}

std::string container_definition(const model::Stack& stack, const model::Service& service,
                                 const std::map<std::string, std::string>& container_of) {
  auto hash = resolve::config_hash(*stack.spec, *stack.facts, service);
  const auto names = services_referred_to(*service.container);
  if (names.empty()) return hash;
  for (const auto& name : names)
    if (const auto found = container_of.find(name); found != container_of.end()) hash += found->second;
  return util::sha256_hex(hash);
}

json process_document(const model::Stack& stack, const model::Service& service) {
  json text{
      {"cmd", resolve::resolved(service.process->cmd, resolve::Strictness::shell, *stack.spec, *stack.facts)},
      {"cwd", service.process->cwd}};
  auto environment = resolve::process_environment(*stack.spec, *stack.facts, service);
  // The terminal's own variables change from one shell to the next and mean nothing to a service.
  for (const auto* name :
       {"_", "PWD", "OLDPWD", "SHLVL", "TERM", "COLUMNS", "LINES", "SSH_AUTH_SOCK", "SSH_TTY", "WINDOWID",
        "TERM_SESSION_ID", "STACKD_OPERATION", "INVOCATION_ID", "JOURNAL_STREAM"})
    environment.erase(name);
  // What was inherited counts only by the file's own say; a new variable in the caller's shell restarts
  // nothing.
  for (const auto& [name, value] : stack.facts->caller)
    if (const auto found = environment.find(name); found != environment.end() && found->second == value)
      environment.erase(found);
  text["env"] = environment;
  return text;
}

std::string process_definition(const model::Stack& stack, const model::Service& service) {
  return hash_of(process_document(stack, service));
}

}  // namespace stackd::translate
