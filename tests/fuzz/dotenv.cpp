// .env and env_file: whatever is in them, there are values or mistakes, and each mistake names its line.
#include "daemon/stackfile/sources/interpolate.hpp"
#include "daemon/util/text.hpp"
#include "tests/fuzz/bytes.hpp"

using namespace stackd;

// The first byte says whether the values are taken as they are.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto lookup = [](const std::string& name) {
    return name == "HOME" ? std::optional<std::string>("/home/ann") : std::nullopt;
  };
  stackfile::Problems problems;
  const std::string text(fuzz::view(data + 1, size - 1));
  for (const auto& [key, value] :
       stackfile::parse_dotenv(text, "a.env", {lookup, nullptr, data[0] % 2 == 1}, problems)) {
    fuzz::expect(!key.empty() && key.find_first_of(" =\n") == key.npos, "a key is a word");
    fuzz::expect(util::valid_utf8(value) == value, "a value is UTF-8, whatever the file was");
  }
  for (const auto& line : problems.lines())
    fuzz::expect(line.rfind("a.env:", 0) == 0, "a mistake has its place");
  return 0;
}
