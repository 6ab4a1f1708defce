// stackctl validate: checks the stack file, runs nothing.
#include "client/commands/commands.hpp"
#include "client/error.hpp"
#include "client/text.hpp"

namespace stackd::client {

int run_validate(Context& context, bool from_input) {
  proto::UpRequest request = from_input ? context.request_of_buffer() : context.up_request();
  if (context.json()) {
    std::string document = context.api().post("/v1/validate", nlohmann::json(request).dump());
    context.document(document);
    return nlohmann::json::parse(document).value("valid", false) ? proto::k_done : proto::k_bad_usage;
  }
  proto::Validation result = context.api().validate(request);
  context.warn(result.warnings);
  if (!result.valid) {
    print_error("the stack file is not valid", {});
    for (const auto& one : result.errors) {
      const auto place =
          one.line == 0 ? ""
                        : one.file + ":" + std::to_string(one.line) + ":" + std::to_string(one.column) + ": ";
      context.err(place + one.message + "\n");
    }
    return proto::k_bad_usage;
  }
  context.out(result.name + " is valid: " + counted(result.services.size(), "service") + " in " +
              join(result.files, ", ") + "\n");
  return proto::k_done;
}

}  // namespace stackd::client
