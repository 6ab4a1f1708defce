// The files of a local context, in the order in which the builder expects them: a directory right before what
// is in it, names by their bytes. What patterns leave out is not here; a directory of it is, when an
// exception is in it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace stackd::builder {

struct ContextFile {
  std::string path;        // relative, "/" between its parts
  std::uint32_t mode = 0;  // st_mode
  std::int64_t size = 0, modified_ns = 0;
  std::string link;  // of a symbolic link
};

struct WalkOptions {
  std::vector<std::string> include;  // nothing: everything
  std::vector<std::string>
      follow;  // included as well, links followed to what they lead to; may have wildcards
  std::vector<std::string> exclude;  // as lines of a .dockerignore
};

// Blocks. Throws not_found for a directory that is none, io for what cannot be read, invalid_file for a
// pattern.
std::vector<ContextFile> walk_context(const std::string& directory, const WalkOptions& options);

}  // namespace stackd::builder
