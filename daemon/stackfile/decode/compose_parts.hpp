// The pieces of decode_compose, one key or group of keys each. All relative paths become absolute against
// DecodeContext::directory. Private to compose*.cpp.
#pragma once

#include <initializer_list>

#include "daemon/stackfile/decode/decode.hpp"
#include "daemon/stackfile/sources/compose_tree.hpp"

namespace stackd::stackfile {

struct ComposeContext {
  DecodeContext& decode;
  const FileVariables& variables;  // the caller's environment over `.env`
  bool stackd;                     // the file is a stackd.yaml
  // "secret NAME" and "config NAME" that no service can be given, and why: a mistake once one is to have it.
  std::map<std::string, std::pair<Place, std::string>> unusable = {};

  std::string path(const std::string& text) const { return absolute_path(text, decode.directory, variables); }
  // A key that is understood and has no effect: a warning of an up.
  void without_effect(Reader& reader, std::initializer_list<std::string_view> keys, Spec& spec,
                      std::string_view why = "has no effect here") const;
  // A variable without a value takes the caller's, and stays without when there is none.
  void fill_in(Environment& environment) const;
};

// compose_service.cpp: everything in a service that is not below.
void decode_compose_service(const Value& value, ComposeContext& context, const Extension& extension,
                            Spec& spec, Service& service);

// compose_io.cpp: ports, volumes, tmpfs, secrets, configs, devices.
void decode_ports(Reader& reader, const ComposeContext& context, std::vector<Port>& ports);
void decode_mounts(Reader& reader, const ComposeContext& context, Container& container);

// compose_devices.cpp: devices, gpus, deploy's reservations of devices, blkio_config.
void decode_devices(Reader& reader, Container& container);
void decode_device_requests(const Value& list, const std::string& what, Problems& problems,
                            std::vector<DeviceRequest>& out);
std::vector<FileGrant> decode_grants(Reader& reader, std::string_view key, const std::string& directory);

// compose_run.cpp: build, healthcheck, command, deploy and limits.
std::optional<Build> decode_build(Reader& reader, const ComposeContext& context, Spec& spec);
std::optional<Healthcheck> decode_healthcheck(Reader& reader, const ComposeContext& context);
std::optional<std::vector<std::string>> decode_command(Reader& reader, std::string_view key);
void decode_limits(Reader& reader, Container& container);
// deploy and scale; after decode_limits, whose values they may not contradict.
void decode_deploy(Reader& reader, Container& container);
// A mode of a file: 0440 and 0o440 are octal by YAML, "0440" by Compose. 0 for none.
int file_mode(Reader& reader, std::string_view key);
std::vector<std::string> decode_extra_hosts(Reader& reader);

// compose_links.cpp: depends_on, networks, environment with env_file, labels with label_file.
void decode_depends_on(Reader& reader, Service& service);
void decode_attachments(Reader& reader, Container& container);
void decode_environment(Reader& reader, const ComposeContext& context, Service& service);
void decode_labels(Reader& reader, const ComposeContext& context, Container& container);

// compose_resources.cpp: the top level's networks, volumes, secrets and configs; then that services use none
// but these.
void decode_resources(Reader& top, ComposeContext& context, Spec& spec);
void check_resources(const ComposeContext& context, Spec& spec);
void check_models(const Value& document, const Spec& spec, Problems& problems);

}  // namespace stackd::stackfile
