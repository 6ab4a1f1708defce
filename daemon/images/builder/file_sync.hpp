// FileSync: a local context as the builder asks for it: what is there first, and of it the files that the
// builder does not have from an earlier build.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "daemon/images/builder/grpc.hpp"

namespace stackd::builder {

// Of the directory `root`, as far as the call's patterns go.
std::unique_ptr<Handler> send_directory(Stream& stream, const std::string& root);
// Of files that are nowhere on the disk: name -> what is in it.
std::unique_ptr<Handler> send_texts(std::map<std::string, std::string> texts);

}  // namespace stackd::builder
