// The shim's own little JSON against a whole one: what it writes can be read, and of what is JSON it finds
// the same members.
#include <nlohmann/json.hpp>

#include "daemon/process/shim/json.hpp"
#include "daemon/util/text.hpp"
#include "tests/fuzz/bytes.hpp"

using namespace stackd;
using nlohmann::json;

namespace {

// What the shim asks of the engine's answers.
constexpr const char* k_names[] = {"message", "Id", "ExitCode", "Running", "Pid"};

void writes(std::string_view bytes) {
  shim::JsonObject object;
  object.add("message", bytes);
  object.add("number", static_cast<std::int64_t>(bytes.size()));
  const auto text = object.text();
  const auto read = json::parse(text, nullptr, false);
  fuzz::expect(read.is_object(), "what the shim writes is JSON");
  fuzz::expect(read["message"] == util::valid_utf8(bytes),
               "a text is written as it is, without what is no UTF-8");
  fuzz::expect(shim::text_member(text, "message") == read["message"], "the shim reads what it writes");
}

// A key that is there twice, or is written with escapes, is nobody's.
bool is_plain(std::string_view text, const std::string& name) {
  const auto quoted = '"' + name + '"';
  const auto first = text.find(quoted);
  return text.find('\\') == text.npos && first != text.npos && text.find(quoted, first + 1) == text.npos;
}

void reads(std::string_view bytes) {
  const auto whole = json::parse(bytes, nullptr, false);
  for (const std::string name : k_names) {
    const auto text = shim::text_member(bytes, name);
    const auto number = shim::number_member(bytes, name);
    const auto flag = shim::bool_member(bytes, name);
    if (!whole.is_object() || !is_plain(bytes, name) || !whole.contains(name)) continue;
    const auto& value = whole[name];
    fuzz::expect(text.has_value() == value.is_string() && (!text || *text == value), "the same text");
    fuzz::expect(flag.has_value() == value.is_boolean() && (!flag || *flag == value), "the same truth");
    fuzz::expect(number.has_value() == value.is_number(), "a number where there is one");
    if (value.is_number_integer() && !value.is_number_unsigned())
      fuzz::expect(*number == value.get<std::int64_t>(), "the same number");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  writes(fuzz::view(data, size));
  reads(fuzz::view(data, size));
  return 0;
}
