// The JSON Schema of stackd.yaml (stackd.schema.json), compiled in.
#pragma once

#include <string_view>

namespace stackd::proto {

std::string_view stack_file_schema();

}  // namespace stackd::proto
