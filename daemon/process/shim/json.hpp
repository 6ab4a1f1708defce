// As much JSON as the shim needs: writing flat objects, and looking up members of the engine's short answers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stackd::shim {

// {"a":1,"b":"text"}
class JsonObject {
public:
  void add(std::string_view name, std::int64_t value);
  // Bytes that are not UTF-8 are left out.
  void add(std::string_view name, std::string_view value);
  std::string text() const { return text_ + "}\n"; }

private:
  void add_name(std::string_view name);
  std::string text_ = "{";
};

// Members of the object's own level, none of nested ones; nothing when absent or of another type.
std::optional<std::string> text_member(std::string_view object, std::string_view name);
std::optional<std::int64_t> number_member(std::string_view object, std::string_view name);
std::optional<bool> bool_member(std::string_view object, std::string_view name);

}  // namespace stackd::shim
