// Compose's interpolation: $VAR, ${VAR}, ${VAR:-d}, ${VAR-d}, ${VAR:?e}, ${VAR?e}, ${VAR:+r}, ${VAR+r},
// nested in their words,
// $$ for a dollar. A name with a dot (${services.db.host_port}) is stackd's own and stays as it is. Pure.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/yaml/reader.hpp"
#include "daemon/yaml/yaml.hpp"

namespace stackd::stackfile {

using namespace yaml;

// The value of a variable; nothing when it is not set.
using Lookup = std::function<std::optional<std::string>(const std::string& name)>;

// `unset` is told of each variable that is empty because nothing sets it. Throws Error(invalid_file) without
// a place for a `${` that is not closed, an operator that does not exist, a ${VAR:?…} that is not set, and a
// text that its variables make longer than anybody means.
std::string interpolate(const std::string& text, const Lookup& lookup,
                        const std::function<void(const std::string&)>& unset);

// Interpolates trees: mistakes become Problems at the value's place, unset variables one warning each.
class Interpolator {
public:
  // as_compose: 0x1F becomes 31, 3.10 becomes 3.1, True becomes true (yaml/typed.hpp).
  enum class Numbers { as_written, as_compose };
  Interpolator(Lookup lookup, Problems& problems, std::vector<std::string>& warnings,
               Numbers numbers = Numbers::as_compose)
      : lookup_(std::move(lookup)), problems_(problems), warnings_(warnings), numbers_(numbers) {}

  // Every scalar in it. Keys stay as they are, as in Compose.
  void apply(Value& value);

private:
  Lookup lookup_;
  Problems& problems_;
  std::vector<std::string>& warnings_;
  Numbers numbers_;
  std::set<std::string> warned_;
  std::size_t expanded_ = 0;  // bytes of all scalars so far
};

// ---- dotenv.cpp: `.env` and env_file, as Compose reads them
//
// KEY=value, `export KEY=value`, KEY: value; '…' literal but for \', "…" with escapes, both over several
// lines; " #" starts a comment; values (not the '…' ones) are interpolated. A bare KEY is taken from
// `lookup`, and left out when that has none. Mistakes are Problems with file and line.
struct DotenvRules {
  Lookup lookup;  // asked first, then the file's earlier keys, then `earlier`
  const std::map<std::string, std::string>* earlier = nullptr;  // what files before this one gave
  bool raw = false;                                             // values as written (env_file's format)
};
std::map<std::string, std::string> parse_dotenv(const std::string& text, const std::string& file,
                                                const DotenvRules& rules, Problems& problems);

}  // namespace stackd::stackfile
