// Which stack a command means (design.md, "Client"): the one that -p names, else the one of this directory.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "proto/types.hpp"

namespace stackd::client {

struct Wanted {
  std::string project;             // -p: a name or an id; "" none
  std::string directory;           // absolute: the working directory, or that of the first -f
  std::vector<std::string> files;  // absolute, of -f
  // What an up here would be called; asked when several stacks of one directory would do.
  std::function<std::string()> own_name = {};
};

// The stack whose directory is the nearest at or above `wanted.directory`; among several of one directory the
// one made from the same files, else the only one that is not down, else the one that an up would mean.
// Throws ClientError: 5 when there is none, 2 when several would do.
const proto::Stack& select_stack(const std::vector<proto::Stack>& stacks, const Wanted& wanted);

}  // namespace stackd::client
