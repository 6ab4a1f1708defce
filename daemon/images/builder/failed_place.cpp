#include "daemon/images/builder/failed_place.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <nlohmann/json.hpp>

#include <wire.pb.h>
#include "daemon/dotdocker/base64.hpp"
#include "daemon/util/text.hpp"

namespace stackd::builder {
namespace {

constexpr int k_lines_around = 2, k_most_lines = 12;

int line_in(const nlohmann::json& range, const char* end) {
  const auto found = range.find(end);
  return found != range.end() && found->is_object() ? found->value("line", 0) : 0;
}

// {"info": {"filename", "data": base64}, "ranges": [{"start": {"line"}, "end": {"line"}}]}
FailedPlace place_in(const nlohmann::json& source) {
  FailedPlace place;
  if (!source.is_object() || !source.contains("ranges") || !source["ranges"].is_array()) return place;
  for (const auto& range : source["ranges"]) {
    if (!range.is_object()) continue;
    const int start = line_in(range, "start"), end = line_in(range, "end");
    if (start <= 0) continue;
    place.first = place.first == 0 ? start : std::min(place.first, start);
    place.last = std::max({place.last, start, end});
  }
  if (source.contains("info") && source["info"].is_object())
    place.text = dotdocker::from_base64(source["info"].value("data", "")).value_or("");
  return place;
}

std::string lower(std::string_view word) {
  std::string text(word);
  for (auto& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// One instruction, with what its lines' ends continue.
struct Instruction {
  std::vector<std::string> words;  // the first in small letters
  int first = 0, last = 0;
};

std::vector<Instruction> instructions_of(const std::string& dockerfile) {
  std::vector<Instruction> all;
  bool continues = false;
  int number = 0;
  for (const auto& line : util::split(dockerfile, '\n')) {
    ++number;
    const std::string text(util::trim(line));
    if (text.empty() || text.front() == '#') continue;  // within an instruction too
    if (!continues) all.push_back({{}, number, number});
    auto& now = all.back();
    now.last = number;
    continues = text.back() == '\\';
    std::string word;
    for (const char c : text + " ") {
      if (c != ' ' && c != '\t') {
        word += c;
      } else if (!word.empty()) {
        now.words.push_back(now.words.empty() ? lower(word) : word);
        word.clear();
      }
    }
  }
  return all;
}

bool makes_layer(const std::string& word) {
  return word == "from" || word == "run" || word == "copy" || word == "add" || word == "workdir";
}

// "FROM x AS name", or "stage-2" for the third without one.
std::string stage_of(const Instruction& from, int number) {
  const auto& words = from.words;
  for (std::size_t i = 1; i + 1 < words.size(); ++i)
    if (lower(words[i]) == "as") return lower(words[i + 1]);
  return "stage-" + std::to_string(number);
}

}  // namespace

FailedPlace failed_place(const std::string& details) {
  const auto bytes = dotdocker::from_base64(details);
  wire::FailedStatus status;
  FailedPlace place;
  if (!bytes || !status.ParseFromString(*bytes)) return place;
  for (const auto& detail : status.details())
    if (detail.type().ends_with("errdefs.Source+json"))
      place = place_in(nlohmann::json::parse(detail.value(), nullptr, false));
  return place;
}

FailedPlace failed_place(const std::string& dockerfile, std::string_view step) {
  const auto close = step.find("] ");
  if (!step.starts_with('[') || close == step.npos) return {};
  // "name  3/12"
  auto place = step.substr(1, close - 1);
  const auto slash = place.rfind('/');
  if (slash == place.npos) return {};
  const auto space = place.rfind(' ', slash);
  const auto stage = lower(space == place.npos ? std::string_view() : util::trim(place.substr(0, space)));
  const auto digits = place.substr(space == place.npos ? 0 : space + 1);
  int wanted = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), wanted);
  const auto rest = step.substr(close + 2);
  const auto instruction = lower(rest.substr(0, rest.find(' ')));
  int stages = 0, layer = 0;
  std::string now;
  for (const auto& one : instructions_of(dockerfile)) {
    const auto& word = one.words.front();
    if (word == "from") {
      now = stage_of(one, stages++);
      layer = 0;
    }
    if (!makes_layer(word) || ++layer != wanted || (!stage.empty() && stage != now)) continue;
    // Triggers of a base image count too, and then this is another one.
    return word == instruction ? FailedPlace{one.first, one.last, ""} : FailedPlace{};
  }
  return {};
}

std::vector<std::string> shown_place(const FailedPlace& place, const std::string& text,
                                     const std::string& name) {
  if (place.first <= 0) return {};
  std::vector<std::string> told{name + ":" + std::to_string(place.first)};
  const auto lines = util::split(text, '\n');
  const int from = std::max(1, place.first - k_lines_around);
  const int to = std::min({static_cast<int>(lines.size()), std::max(place.first, place.last) + k_lines_around,
                           from + k_most_lines - 1});
  for (int line = from; line <= to; ++line) {
    const bool failed = line >= place.first && line <= place.last;
    auto number = std::to_string(line);
    number.insert(0, number.size() < 4 ? 4 - number.size() : 0, ' ');
    told.push_back(number + (failed ? " >>> " : "     ") + lines[static_cast<std::size_t>(line - 1)]);
  }
  while (told.size() > 1 && told.back().find_first_not_of(" 0123456789") == std::string::npos)
    told.pop_back();
  return told;
}

}  // namespace stackd::builder
