// From the engine's JSON to our structs. Pure; lenient as json_fields.hpp is.
#pragma once

#include "daemon/docker/engine.hpp"
#include "daemon/docker/json_fields.hpp"

namespace stackd::docker {

ContainerSummary decode_container_summary(const json& container);
ContainerDetails decode_container(const json& container);
Usage decode_usage(const json& stats);
ExecState decode_exec(const json& exec);
ImageDetails decode_image(const json& image);
ImageSummary decode_image_summary(const json& image);
NetworkDetails decode_network(const json& network);
VolumeDetails decode_volume(const json& volume);
// Nothing for a line that is no event.
std::optional<Event> decode_event(std::string_view line);

}  // namespace stackd::docker
