#include "daemon/translate/images.hpp"

#include <algorithm>

#include "daemon/resolve/identity.hpp"
#include "daemon/util/text.hpp"

namespace stackd::translate {

std::string image_of(const model::Spec& spec, const model::Service& service) {
  if (!service.container->image.empty()) return service.container->image;
  return resolve::built_image_name(spec, service);
}

const docker::ImageSummary* find_image(const std::vector<docker::ImageSummary>& images,
                                       const std::string& reference) {
  const auto last = reference.rfind('/');
  const auto name = last == reference.npos ? 0 : last + 1;
  const bool has_tag = reference.find_first_of(":@", name) != reference.npos;
  const auto tag = has_tag ? reference : reference + ":latest";
  for (const auto& image : images)
    if (std::find(image.tags.begin(), image.tags.end(), tag) != image.tags.end()) return &image;
  return nullptr;
}

std::vector<std::string> services_built_on(const model::Build& build) {
  constexpr std::string_view k_service = "service:";
  std::vector<std::string> names;
  for (const auto& [name, place] : build.additional_contexts)
    if (place.starts_with(k_service)) names.push_back(place.substr(k_service.size()));
  return names;
}

std::optional<std::chrono::milliseconds> pull_interval(std::string_view policy) {
  constexpr std::chrono::hours k_day{24};
  constexpr std::string_view k_every = "every_";
  if (policy == "daily") return k_day;
  if (policy == "weekly") return 7 * k_day;
  if (policy == "refresh") return std::chrono::milliseconds(0);
  if (!policy.starts_with(k_every)) return std::nullopt;
  auto rest = policy.substr(k_every.size());
  // Weeks and days, which durations do not have elsewhere, stand before the others.
  std::chrono::milliseconds sum{0};
  for (const auto& [unit, length] : {std::pair('w', 7 * k_day), std::pair('d', k_day)}) {
    const auto digits = rest.find_first_not_of("0123456789");
    if (digits == rest.npos || digits == 0 || digits > 6 || rest[digits] != unit) continue;
    sum += length * std::stoi(std::string(rest.substr(0, digits)));
    rest.remove_prefix(digits + 1);
  }
  if (rest.empty()) return sum;
  const auto shorter = util::parse_duration(rest);
  return shorter ? std::optional(sum + *shorter) : std::nullopt;
}

ImageFacts facts_of(const docker::ImageDetails& image) {
  return {image.id,      image.user,  image.working_dir, image.entrypoint,
          image.command, image.shell, image.healthcheck};
}

}  // namespace stackd::translate
