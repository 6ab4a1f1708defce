#include <algorithm>
#include <cstdio>
#include <set>

#include "daemon/compose/short_forms.hpp"
#include "daemon/stackfile/decode/compose_parts.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::stackfile {

namespace {

using util::Error;

std::string octal(int mode) {
  char text[16];
  std::snprintf(text, sizeof text, "0%o", static_cast<unsigned>(mode));
  return text;
}

const std::set<std::string>& propagations() {
  static const std::set<std::string> words{"private", "rprivate", "shared", "rshared", "slave", "rslave"};
  return words;
}

// ---- ports

std::optional<Port> long_port(const Value& value, const std::string& what, const ComposeContext& context) {
  Reader reader(value, what, context.decode.problems);
  Port port;
  port.key = reader.string("name");
  port.target = static_cast<int>(std::clamp(reader.integer("target").value_or(0), 0LL, 65536LL));
  port.host_ip = reader.string("host_ip");
  port.protocol = lower_case(reader.string("protocol", "tcp"));
  port.app_protocol = reader.string("app_protocol");
  port.mode = reader.string("mode", "ingress");
  if (context.stackd) {
    port.env = reader.string("env", reader.string("published_env"));
  }
  const auto published = reader.maybe_string("published");
  if (published && !published->empty()) {
    if (const auto range = parse_port_range(*published)) {
      port.published = range->first;
      port.published_end = range->second;
    } else {
      reader.problem(value.find("published")->place,
                     what + ", 'published': expected a port or a range of ports, found '" + *published + "'");
    }
  }
  reader.finish();
  if (port.target < 1 || port.target > 65535) {
    reader.problem(value.place, what + " needs a 'target', the container's port (1 to 65535)");
    return std::nullopt;
  }
  if (port.mode != "ingress" && port.mode != "host") {
    reader.problem(value.find("mode")->place,
                   what + ", 'mode': expected ingress or host, found '" + port.mode + "'");
  }
  return port;
}

// ---- mounts

std::optional<Mount> short_mount(const Value& value, const std::string& what, const ComposeContext& context) {
  auto mount = compose::short_mount(value.text);
  if (!mount)
    context.decode.problems.add(value.place,
                                what + ": expected [SOURCE:]TARGET[:OPTIONS], found '" + value.text + "'");
  else if (mount->type == "bind")
    mount->source = context.path(mount->source);
  return mount;
}

void bind_options(Reader& reader, Mount& mount) {
  if (const Value* bind = reader.get("bind")) {
    Reader options(*bind, reader.what() + ", 'bind'", reader.problems());
    mount.create_host_path = options.boolean("create_host_path", true);
    mount.propagation = options.string("propagation");
    mount.selinux = options.string("selinux");
    mount.recursive = options.string("recursive");
    options.finish();
    static const std::set<std::string> k_recursive{"", "disabled", "enabled", "writable", "readonly"};
    if (k_recursive.count(mount.recursive) == 0)
      reader.problem(bind->place, reader.what() + ", 'recursive': expected disabled, enabled, writable or " +
                                      "readonly, found '" + mount.recursive + "'");
    if (!mount.propagation.empty() && propagations().count(mount.propagation) == 0) {
      reader.problem(bind->place, reader.what() + ": unknown propagation '" + mount.propagation + "'");
    }
  }
}

void volume_options(Reader& reader, Mount& mount) {
  if (const Value* volume = reader.get("volume")) {
    Reader options(*volume, reader.what() + ", 'volume'", reader.problems());
    mount.nocopy = options.boolean("nocopy");
    mount.subpath = options.string("subpath");
    mount.labels = options.string_map("labels");
    options.finish();
  }
}

void image_options(Reader& reader, Mount& mount) {
  if (mount.source.empty())
    reader.problem(reader.value().place,
                   reader.what() + ": a mount of type image needs a 'source', the image");
  if (const Value* image = reader.get("image")) {
    Reader options(*image, reader.what() + ", 'image'", reader.problems());
    mount.subpath = options.string("subpath");
    options.finish();
  }
}

void tmpfs_options(Reader& reader, Mount& mount) {
  if (const Value* tmpfs = reader.get("tmpfs")) {
    Reader options(*tmpfs, reader.what() + ", 'tmpfs'", reader.problems());
    mount.tmpfs_size = options.bytes("size").value_or(0);
    mount.tmpfs_mode = file_mode(options, "mode");
    options.finish();
  }
}

std::optional<Mount> long_mount(const Value& value, const std::string& what, const ComposeContext& context) {
  Reader reader(value, what, context.decode.problems);
  Mount mount;
  mount.type = reader.string("type");
  mount.source = reader.string("source");
  mount.target = reader.string("target");
  mount.read_only = reader.boolean("read_only");
  reader.ignore({"consistency"});
  if (mount.type == "bind") {
    bind_options(reader, mount);
    if (mount.source.empty())
      reader.problem(value.place, what + ": a bind needs a 'source', a path on this machine");
    if (!mount.source.empty()) mount.source = context.path(mount.source);
  } else if (mount.type == "volume") {
    volume_options(reader, mount);
  } else if (mount.type == "tmpfs") {
    tmpfs_options(reader, mount);
  } else if (mount.type == "image") {
    image_options(reader, mount);
  } else if (mount.type != "npipe" && mount.type != "cluster") {
    reader.problem(value.place, what + ": expected 'type' bind, volume, tmpfs or image" +
                                    (mount.type.empty() ? "" : ", found '" + mount.type + "'"));
    return std::nullopt;
  }
  reader.ignore({"bind", "volume", "tmpfs", "image"});
  reader.finish();
  return mount;
}

// The same one written twice is one, as in Compose.
bool is_there(const Port& port, const std::vector<Port>& ports) {
  const auto address = [](const Port& one) { return one.host_ip.empty() ? "0.0.0.0" : one.host_ip; };
  return port.published != 0 && std::any_of(ports.begin(), ports.end(), [&](const Port& other) {
           return other.target == port.target && other.published == port.published &&
                  other.published_end == port.published_end && other.protocol == port.protocol &&
                  address(other) == address(port);
         });
}

}  // namespace

void decode_ports(Reader& reader, const ComposeContext& context, std::vector<Port>& ports) {
  const Value* list = reader.get("ports");
  if (!list) return;
  if (!list->is_sequence()) {
    reader.problem(list->place, reader.what() + ", 'ports': expected a list");
    return;
  }
  std::set<std::string> names;
  for (const Value& item : list->items) {
    const std::string what = reader.what() + ", port " + std::to_string(ports.size() + 1);
    std::vector<Port> found;
    if (item.is_mapping()) {
      if (auto port = long_port(item, what, context)) found.push_back(std::move(*port));
    } else if (item.is_scalar()) {
      try {
        found = parse_short_ports(item.text);
      } catch (const Error& error) {
        reader.problem(item.place, reader.what() + ": " + error.what());
      }
    } else {
      reader.problem(item.place, what + ": expected \"HOST:CONTAINER\" or a mapping with 'target'");
    }
    for (Port& port : found) {
      port.place = item.place;
      if (is_there(port, ports)) continue;
      if (port.key.empty()) port.key = std::to_string(ports.size());
      if (!names.insert(port.key).second)
        reader.problem(item.place, what + ": a second port has the name '" + port.key + "'");
      ports.push_back(std::move(port));
    }
  }
}

void decode_mounts(Reader& reader, const ComposeContext& context, Container& container) {
  container.tmpfs = reader.strings("tmpfs");
  const Value* list = reader.get("volumes");
  if (!list) return;
  if (!list->is_sequence()) {
    reader.problem(list->place, reader.what() + ", 'volumes': expected a list");
    return;
  }
  const std::string what = reader.what() + ", 'volumes'";
  for (const Value& item : list->items) {
    std::optional<Mount> mount;
    if (item.is_mapping()) {
      mount = long_mount(item, what, context);
    } else if (item.is_scalar()) {
      mount = short_mount(item, what, context);
    } else {
      reader.problem(item.place, what + ": expected SOURCE:TARGET or a mapping with 'type'");
    }
    if (!mount) continue;
    if (!mount->target.starts_with('/') && mount->type != "npipe" && context.decode.request.to_run) {
      reader.problem(item.place, what + ": '" + mount->target + "' is not an absolute path in the container" +
                                     (is_windows_path(mount->target)
                                          ? ": one letter and a colon are a drive of Windows, as in Compose; "
                                            "a volume's name is longer"
                                          : ""));
      continue;
    }
    mount->target = clean_path(mount->target);
    // Two for one path: the later one, as in Compose.
    const auto same = std::find_if(container.mounts.begin(), container.mounts.end(),
                                   [&](const Mount& other) { return other.target == mount->target; });
    if (same == container.mounts.end()) {
      container.mounts.push_back(std::move(*mount));
    } else {
      *same = std::move(*mount);
    }
  }
}

std::vector<FileGrant> decode_grants(Reader& reader, std::string_view key, const std::string& directory) {
  std::vector<FileGrant> out;
  const Value* list = reader.get(key);
  if (!list) return out;
  const std::string what = reader.what() + ", '" + std::string(key) + "'";
  if (!list->is_sequence()) reader.problem(list->place, what + ": expected a list");
  for (const Value& item : list->items) {
    FileGrant grant;
    if (item.is_mapping()) {
      Reader fields(item, what, reader.problems());
      grant.source = fields.string("source");
      grant.target = fields.string("target");
      grant.uid = fields.string("uid");
      grant.gid = fields.string("gid");
      if (const int mode = file_mode(fields, "mode"); mode != 0) grant.mode = octal(mode);
      fields.finish();
    } else if (const auto text = scalar(item, what, reader.problems())) {
      grant.source = *text;
    }
    if (grant.source.empty()) {
      reader.problem(item.place, what + ": expected a name, or a mapping with 'source'");
      continue;
    }
    if (grant.target.empty()) grant.target = grant.source;
    if (!grant.target.starts_with('/')) grant.target = directory + grant.target;
    out.push_back(std::move(grant));
  }
  return out;
}

}  // namespace stackd::stackfile
