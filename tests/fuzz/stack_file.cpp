// The loader: whatever is in a stack file, it is taken, or refused with a mistake that has a place. What was
// taken can be stored and read again, because `down` works from that.
#include <nlohmann/json.hpp>

#include "daemon/model/json.hpp"
#include "daemon/stackfile/load.hpp"
#include "daemon/util/error.hpp"
#include "tests/fuzz/bytes.hpp"
#include "tests/support/temp_dir.hpp"

using namespace stackd;

namespace {

constexpr const char* k_names[] = {"compose.yaml", "stackd.yaml", "lich.yaml", "moat.yaml"};

bool is_expected(util::ErrorKind kind) {
  return kind == util::ErrorKind::invalid_file || kind == util::ErrorKind::invalid_request ||
         kind == util::ErrorKind::unsupported || kind == util::ErrorKind::not_found ||
         kind == util::ErrorKind::io;
}

}  // namespace

// The first byte chooses among the names.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static const test::TempDir directory;
  const std::string name = k_names[data[0] % std::size(k_names)];
  directory.write(name, std::string(fuzz::view(data + 1, size - 1)));
  stackfile::LoadRequest request;
  request.directory = directory.path();
  request.files = {name};
  request.environment = {{"HOME", "/home/ann"}, {"KEY", "k"}};
  try {
    const auto stored = model::to_json(stackfile::load(request));
    const auto again = model::to_json(model::spec_from_json(nlohmann::json::parse(stored.dump())));
    fuzz::expect(again == stored, "a Spec that was stored and read again is the same");
  } catch (const util::Error& error) {
    fuzz::expect(is_expected(error.kind()), error.what());
  }
  return 0;
}
