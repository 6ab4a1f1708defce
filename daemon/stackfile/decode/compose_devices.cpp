#include "daemon/stackfile/decode/compose_parts.hpp"
#include "daemon/util/text.hpp"

namespace stackd::stackfile {

namespace {

// "vendor.com/class=name": a device that a driver on the engine's machine knows (CDI).
bool is_driver_name(const std::string& source) {
  const auto slash = source.find('/');
  return slash != 0 && slash != std::string::npos && source.find('=', slash) != std::string::npos;
}

DeviceMapping decode_device(const Value& item, const std::string& what, Problems& problems) {
  DeviceMapping device;
  if (item.is_mapping()) {
    Reader fields(item, what, problems);
    device.host = fields.string("source");
    device.container = fields.string("target", device.host);
    device.permissions = fields.string("permissions", "rwm");
    fields.finish();
  } else if (const auto text = scalar(item, what, problems)) {
    const auto parts = util::split(*text, ':');
    device.host = parts[0];
    device.container = parts.size() > 1 && !parts[1].empty() ? parts[1] : parts[0];
    if (parts.size() > 2) device.permissions = parts[2];
  }
  return device;
}

DeviceRequest decode_request(const Value& value, const std::string& what, Problems& problems) {
  Reader fields(value, what, problems);
  DeviceRequest request;
  request.driver = fields.string("driver");
  request.ids = fields.strings("device_ids");
  request.capabilities = fields.strings("capabilities");
  request.options = fields.string_map("options");
  const std::string count = fields.string("count");
  if (count == "all" || (count.empty() && request.ids.empty())) {
    request.count = -1;
  } else if (!count.empty()) {
    request.count = fields.integer("count").value_or(0);
  }
  fields.finish();
  if (!count.empty() && !request.ids.empty())
    problems.add(value.place, what + ": give 'count' or 'device_ids', not both");
  return request;
}

std::vector<DeviceRate> decode_rates(Reader& reader, std::string_view key, std::string_view rate) {
  std::vector<DeviceRate> out;
  const Value* list = reader.get(key);
  if (!list) return out;
  const std::string what = reader.what() + ", '" + std::string(key) + "'";
  if (!list->is_sequence()) reader.problem(list->place, what + ": expected a list");
  for (const Value& item : list->items) {
    Reader fields(item, what, reader.problems());
    out.push_back({fields.string("path"), fields.bytes(rate).value_or(0)});
    fields.finish();
  }
  return out;
}

void decode_blkio(Reader& reader, Container& container) {
  const Value* value = reader.get("blkio_config");
  if (!value) return;
  Reader fields(*value, reader.what() + ", 'blkio_config'", reader.problems());
  Blkio& blkio = container.blkio.emplace();
  blkio.weight = static_cast<int>(fields.integer("weight").value_or(0));
  blkio.weight_device = decode_rates(fields, "weight_device", "weight");
  blkio.read_bps = decode_rates(fields, "device_read_bps", "rate");
  blkio.read_iops = decode_rates(fields, "device_read_iops", "rate");
  blkio.write_bps = decode_rates(fields, "device_write_bps", "rate");
  blkio.write_iops = decode_rates(fields, "device_write_iops", "rate");
  fields.finish();
}

void decode_gpus(Reader& reader, Container& container) {
  const Value* gpus = reader.get("gpus");
  if (!gpus) return;
  const std::string what = reader.what() + ", 'gpus'";
  if (gpus->is_scalar() && gpus->text != "all")
    reader.problem(gpus->place, what + ": expected all or a list, found '" + gpus->text + "'");
  const std::size_t before = container.device_requests.size();
  if (gpus->is_scalar())
    container.device_requests.push_back({.count = -1});
  else
    decode_device_requests(*gpus, what, reader.problems(), container.device_requests);
  for (std::size_t i = before; i < container.device_requests.size(); ++i)
    container.device_requests[i].capabilities.emplace_back("gpu");
}

}  // namespace

void decode_device_requests(const Value& list, const std::string& what, Problems& problems,
                            std::vector<DeviceRequest>& out) {
  if (!list.is_sequence()) problems.add(list.place, what + ": expected a list");
  for (const Value& item : list.items) out.push_back(decode_request(item, what, problems));
}

void decode_devices(Reader& reader, Container& container) {
  decode_blkio(reader, container);
  decode_gpus(reader, container);
  const Value* list = reader.get("devices");
  if (!list) return;
  const std::string what = reader.what() + ", 'devices'";
  if (!list->is_sequence()) reader.problem(list->place, what + ": expected a list");
  for (const Value& item : list->items) {
    DeviceMapping device = decode_device(item, what, reader.problems());
    if (is_driver_name(device.host)) {
      container.device_requests.push_back({.driver = "cdi", .ids = {device.host}});
    } else {
      container.devices.push_back(std::move(device));
    }
  }
}

}  // namespace stackd::stackfile
