#include "daemon/translate/images.hpp"

#include "daemon/resolve/identity.hpp"

namespace stackd::translate {

std::string image_of(const model::Spec& spec, const model::Service& service) {
  if (!service.container->image.empty()) return service.container->image;
  return resolve::built_image_name(spec, service);
}

ImageFacts facts_of(const docker::ImageDetails& image) {
  return {image.id,      image.user,  image.working_dir, image.entrypoint,
          image.command, image.shell, image.healthcheck};
}

}  // namespace stackd::translate
