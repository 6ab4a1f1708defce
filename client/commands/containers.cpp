// stackctl kill, pause, unpause, rm, port, scale, volumes.
#include "client/commands/containers.hpp"

#include <unistd.h>

#include <algorithm>

#include "client/commands/commands.hpp"
#include "client/commands/service_words.hpp"
#include "client/commands/shared.hpp"
#include "client/error.hpp"
#include "client/text.hpp"

namespace stackd::client {
namespace {

std::string done_word(const std::string& verb) {
  if (verb == "kill") return "signalled";
  return verb == "pause" ? "paused" : verb == "unpause" ? "unpaused" : "removed";
}

// As Compose has it: rm asks. Where nobody can answer it takes nothing away.
bool agreed(Context& context, const proto::Stack& stack, const ContainersArgs& args) {
  std::vector<std::string> names;
  for (const auto& service : stack.services) {
    const bool meant = args.services.empty() || std::find(args.services.begin(), args.services.end(),
                                                          service.name) != args.services.end();
    for (const auto& container : service.containers)
      if (meant && (args.stop || container.state != "running")) names.push_back(container.name);
  }
  if (names.empty()) return true;
  if (!::isatty(0))
    throw ClientError(proto::k_bad_usage, "rm asks before it removes " + join(names, ", ") + ": -f does not");
  context.out("Going to remove " + join(names, ", ") + " [y/N] ");
  char answer[16] = {};
  const ssize_t got = ::read(0, answer, sizeof answer - 1);
  return got > 0 && (answer[0] == 'y' || answer[0] == 'Y');
}

}  // namespace

const proto::Service& check_service(const proto::Stack& stack, const std::string& name) {
  std::vector<std::string> known;
  for (const auto& service : stack.services) {
    if (service.name == name) return service;
    known.push_back(service.name);
  }
  const auto near = nearest(name, known);
  throw ClientError(proto::k_not_found, "stack '" + stack.name + "' has no service '" + name + "'" +
                                            (near.empty() ? "" : ": did you mean '" + near + "'?"));
}

int run_containers(Context& context, const std::string& verb, const ContainersArgs& args) {
  const proto::Stack stack = context.stack();
  proto::ContainersRequest request;
  request.services = args.services;
  request.signal = args.signal;
  request.stop = args.stop;
  request.volumes = args.volumes;
  request.no_wait = !tell_of_wait(context, stack, args.no_wait);
  if (verb == "rm" && !args.force && !context.json() && !agreed(context, stack, args))
    return proto::k_cancelled;
  const std::string document =
      context.api().post_patiently(target::stack(stack.id) + "/" + verb, nlohmann::json(request).dump());
  if (context.json()) {
    context.document(document);
    return proto::k_done;
  }
  const auto done = nlohmann::json::parse(document).get<proto::ContainersDone>();
  for (const auto& name : done.containers) context.out(name + " " + done_word(verb) + "\n");
  for (const auto& name : done.processes) context.out(name + " " + done_word(verb) + "\n");
  if (done.containers.empty() && done.processes.empty())
    context.err("nothing to do: no container to " + (verb == "rm" ? std::string("remove") : verb) + "\n");
  return proto::k_done;
}

int run_port(Context& context, const PortArgs& args) {
  const proto::Stack stack = context.stack();
  const auto& service = check_service(stack, args.service);
  const auto refuse = [&] {
    throw ClientError(proto::k_operation_failed, "no port " + args.port + "/" + args.protocol +
                                                     " of service '" + args.service + "' is published");
  };
  if (service.kind != "container") {
    for (const auto& port : service.ports)
      if (std::to_string(port.host_port) == args.port || port.key == args.port) {
        context.out("127.0.0.1:" + std::to_string(port.host_port) + "\n");
        return proto::k_done;
      }
    refuse();
  }
  const std::string document = context.api().get(target::stack(stack.id) + "/containers");
  for (const auto& row :
       nlohmann::json::parse(document).at("containers").get<std::vector<proto::ContainerRow>>()) {
    if (row.service != args.service || row.oneoff || (args.index != 0 && row.number != args.index)) continue;
    for (const auto& port : row.ports) {
      if (port.host_port == 0 || std::to_string(port.container_port) != args.port ||
          port.protocol != args.protocol)
        continue;
      const bool six = port.host_ip.find(':') != std::string::npos;
      const std::string ip = six ? "[" + port.host_ip + "]" : port.host_ip;
      if (context.json())
        context.document(nlohmann::json(port).dump());
      else
        context.out(ip + ":" + std::to_string(port.host_port) + "\n");
      return proto::k_done;
    }
  }
  refuse();
  return proto::k_operation_failed;
}

int run_scale(Context& context, const std::vector<std::string>& counts, bool deps) {
  UpArgs args;
  args.scale = counts;
  args.no_deps = !deps;
  for (const auto& count : counts) args.services.push_back(count.substr(0, count.find('=')));
  return run_up(context, args);
}

int run_volumes(Context& context, const VolumesArgs& args) {
  const proto::Stack stack = context.stack();
  const std::string document = context.api().get(target::stack(stack.id) + "/volumes");
  if (context.json()) {
    context.document(document);
    return proto::k_done;
  }
  const auto volumes = nlohmann::json::parse(document).at("volumes").get<std::vector<proto::VolumeView>>();
  Table table({"DRIVER", "VOLUME NAME"});
  for (const auto& volume : volumes) {
    if (args.quiet)
      context.out(volume.name + "\n");
    else if (args.format == "json")
      context.out(nlohmann::json{{"Name", volume.name}, {"Driver", volume.driver}}.dump() + "\n");
    else
      table.add({volume.driver, volume.name});
  }
  if (!args.quiet && args.format != "json") context.out(table);
  return proto::k_done;
}

}  // namespace stackd::client
