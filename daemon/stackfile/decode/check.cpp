// What holds for every format, once everything is decoded.
#include <algorithm>
#include <set>

#include "daemon/resolve/references.hpp"
#include "daemon/stackfile/decode/decode.hpp"
#include "daemon/util/text.hpp"

namespace stackd::stackfile {

namespace {

constexpr std::size_t k_most_services = 2000;

std::string quoted(const Service& service) {
  return "service '" + service.name + "'";
}

const Value* find_path(const Value* value, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    if (value) value = value->is_mapping() ? value->find(key) : nullptr;
  }
  return value;
}

// Where `service` names `dependency`; the service's own place when that is not in the document (a lich.yaml's
// sibling compose file).
Place place_of(const Value& document, const Service& service, const std::string& dependency) {
  for (const Value* list : {find_path(&document, {"services", service.name, "depends_on"}),
                            find_path(&document, {"owned", service.name, "depends_on"}),
                            find_path(&document, {"x-stackd", "owned", service.name, "depends_on"})}) {
    if (!list) continue;
    for (const Value& item : list->items) {
      if (item.text == dependency) return item.place;
    }
    for (const Entry& entry : list->entries) {
      if (entry.key == dependency) return entry.place;
    }
    if (list->is_scalar() && list->text == dependency) return list->place;
  }
  return service.place;
}

class Checker {
public:
  Checker(const Spec& spec, const Value& document, DecodeContext& context)
      : spec_(spec), document_(document), problems_(context.problems), to_run_(context.request.to_run) {}

  void run() {
    if (spec_.services.size() > k_most_services) {
      problems_.add({}, "a stack can have at most " + std::to_string(k_most_services) + " services");
      return;
    }
    container_names();
    if (to_run_) {
      ports();
      for (const Service& service : spec_.services) granted_files(service);
    }
    for (const Hook& hook : spec_.hooks) once_volume(hook);
    for (const Service& service : spec_.services)
      for (const Hook& hook : service.hooks) once_volume(hook);
    for (const std::string& line : resolve::check_references(spec_)) problems_.add({}, line);
  }

  void run_dependencies() {
    names();
    for (const Service& service : spec_.services) dependencies(service);
    cycles();
  }

private:
  void once_volume(const Hook& hook) {
    if (hook.once_volume.empty() || spec_.volumes.contains(hook.once_volume)) return;
    std::vector<std::string> known;
    for (const auto& [name, volume] : spec_.volumes) known.push_back(name);
    const auto near = util::nearest(hook.once_volume, known);
    problems_.add(hook.place, "'once: volume:" + hook.once_volume + "': there is no such volume" +
                                  (near ? ", did you mean '" + *near + "'?" : ""));
  }

  void names() {
    std::set<std::string> seen;
    for (const Service& service : spec_.services) {
      if (!seen.insert(service.name).second)
        problems_.add(service.place, "a second service has the name '" + service.name + "'");
    }
  }

  // ---- dependencies

  void dependencies(const Service& service) {
    for (const auto& [name, dependency] : service.depends_on) {
      if (const Service* other = spec_.find(name)) {
        condition(service, *other, dependency);
      } else if (std::find(spec_.disabled.begin(), spec_.disabled.end(), name) != spec_.disabled.end()) {
        if (dependency.required) {
          problems_.add(place_of(document_, service, name),
                        quoted(service) + " depends on '" + name + "', which the chosen profile leaves out");
        }
      } else {
        unknown_dependency(service, name);
      }
    }
  }

  void unknown_dependency(const Service& service, const std::string& name) {
    std::vector<std::string> known;
    for (const Service& other : spec_.services) {
      if (other.name != service.name) known.push_back(other.name);
    }
    const auto near = util::nearest(name, known);
    problems_.add(place_of(document_, service, name), quoted(service) + " depends on '" + name +
                                                          "', which is no service" +
                                                          (near ? ", did you mean '" + *near + "'?" : ""));
  }

  void condition(const Service& service, const Service& other, const Dependency& dependency) {
    const std::string what = quoted(service) + " waits until '" + other.name + "' ";
    const bool probed = other.ready_when && other.ready_when->any();
    // Without a healthcheck here the image may still bring one: only the up can tell.
    const bool disabled =
        other.container && other.container->healthcheck && other.container->healthcheck->disabled();
    if (dependency.condition == Condition::healthy && disabled && !probed) {
      problems_.add(place_of(document_, service, other.name),
                    what + "is healthy, but its healthcheck is disabled");
    }
    if (dependency.condition == Condition::completed_successfully && other.kind == ServiceKind::process) {
      problems_.add(place_of(document_, service, other.name),
                    what + "has completed, but that is a process that runs on; make it a oneshot");
    }
  }

  // ---- cycles

  void cycles() {
    std::set<std::string> done;
    for (const Service& service : spec_.services) {
      std::vector<std::string> path;
      visit(service, path, done);
    }
  }

  void visit(const Service& service, std::vector<std::string>& path, std::set<std::string>& done) {
    const auto before = std::find(path.begin(), path.end(), service.name);
    if (before != path.end()) {
      std::vector<std::string> cycle(before, path.end());
      cycle.push_back(service.name);
      problems_.add(service.place, "services depend on each other in a cycle: " + util::join(cycle, " -> "));
      return;
    }
    if (done.count(service.name) != 0) return;
    path.push_back(service.name);
    for (const auto& [name, unused] : service.depends_on) {
      if (const Service* other = spec_.find(name)) visit(*other, path, done);
    }
    path.pop_back();
    done.insert(service.name);
  }

  // ---- names and ports that only one can have

  void container_names() {
    std::map<std::string, const Service*> taken;
    for (const Service& service : spec_.services) {
      if (!service.container || service.container->container_name.empty()) continue;
      const std::string& name = service.container->container_name;
      const auto [first, added] = taken.emplace(name, &service);
      if (!added) {
        problems_.add(service.place, quoted(service) + " has the container_name '" + name + "', which '" +
                                         first->second->name + "' has too");
      }
      if (service.container->scale > 1) {
        problems_.add(service.place, quoted(service) + " has a container_name and a scale of " +
                                         std::to_string(service.container->scale) +
                                         ": only one container can have the name");
      }
    }
  }

  struct Taken {
    const Service* service;
    const Port* port;
  };

  void ports() {
    std::vector<Taken> taken;
    for (const Service& service : spec_.services) {
      if (service.container && (service.container->scale == 0 || service.container->network_mode == "host"))
        continue;
      for (const Port& port : service.ports) {
        if (port.published == 0) continue;
        enough_for_replicas(service, port);
        if (port.published_end != 0) continue;
        for (const Taken& other : taken) same_port(service, port, other);
        taken.push_back({&service, &port});
      }
    }
  }

  void enough_for_replicas(const Service& service, const Port& port) {
    if (!service.container) return;
    const int available = port.published_end == 0 ? 1 : port.published_end - port.published + 1;
    if (service.container->scale <= available) return;
    problems_.add(port.place, quoted(service) + " has a scale of " +
                                  std::to_string(service.container->scale) + ", but host port " +
                                  std::to_string(port.published) + " is for " + std::to_string(available) +
                                  "; leave the host port out, or give a range");
  }

  void same_port(const Service& service, const Port& port, const Taken& other) {
    const auto any = [](const std::string& ip) { return ip.empty() || ip == "0.0.0.0" || ip == "::"; };
    const bool meet = port.published == other.port->published && port.protocol == other.port->protocol &&
                      (port.host_ip == other.port->host_ip || any(port.host_ip) || any(other.port->host_ip));
    if (!meet) return;
    problems_.add(port.place, quoted(service) + " publishes host port " + std::to_string(port.published) +
                                  "/" + port.protocol + ", which service '" + other.service->name +
                                  "' publishes too");
  }

  // What has no file of its own is written into the container before it starts, as in Compose.
  void granted_files(const Service& service) {
    if (!service.container || !service.container->read_only) return;
    const auto refuse = [&](const char* kind, const std::vector<FileGrant>& grants,
                            const std::map<std::string, FileSource>& sources) {
      for (const FileGrant& grant : grants) {
        const auto source = sources.find(grant.source);
        if (source == sources.end() || !source->second.file.empty()) continue;
        problems_.add(service.place, quoted(service) + " is read_only, so " + kind + " '" + grant.source +
                                         "' cannot be written into it: give it a 'file'");
      }
    };
    refuse("secret", service.container->secrets, spec_.secrets);
    refuse("config", service.container->configs, spec_.configs);
  }

  const Spec& spec_;
  const Value& document_;
  Problems& problems_;
  bool to_run_;
};

}  // namespace

void check_dependencies(const Spec& spec, const Value& document, DecodeContext& context) {
  Checker(spec, document, context).run_dependencies();
}

void check_spec(const Spec& spec, const Value& document, DecodeContext& context) {
  Checker(spec, document, context).run();
}

}  // namespace stackd::stackfile
