#include "daemon/yaml/yaml.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::yaml {

namespace {

using util::Error;
using util::ErrorKind;

// Aliases copy what they name; a few lines of them can stand for billions of nodes.
constexpr std::size_t k_max_nodes = 200'000;
constexpr std::size_t k_max_documents = 100;
constexpr std::string_view k_yaml_tags = "tag:yaml.org,2002:";
// A comment put after the text. The parser ends an unclosed quoted string silently with the text; then this
// is in it.
constexpr std::string_view k_end = "# end of the stack file";

std::string at(const Place& place) {
  return place.file + ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
}

[[noreturn]] void fail(const Place& place, const std::string& message) {
  const std::string line = at(place) + ": " + message;
  throw Error(ErrorKind::invalid_file, line, {line});
}

std::size_t count_nodes(const Value& value) {
  std::size_t count = 1;
  for (const Value& item : value.items) count += count_nodes(item);
  for (const Entry& entry : value.entries) count += count_nodes(entry.value);
  return count;
}

// Builds the tree from the parser's events: the node tree of yaml-cpp forgets duplicate keys and the places
// of keys.
class Builder : public YAML::EventHandler {
public:
  explicit Builder(std::string file) : file_(std::move(file)) {}

  Value take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Value value;
    value.place = place(mark);
    add(std::move(value), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) fail(place(mark), "an alias stands inside the very value that it names");
    nodes_ += count_nodes(found->second);
    add(found->second, 0, place(mark));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    if (text.find(k_end) != std::string::npos)
      fail(place(mark), "not valid YAML: the quoted string is not closed");
    Value value;
    value.kind = Value::Kind::scalar;
    value.text = text;
    value.place = place(mark);
    value.plain = tag != "!" && tag != std::string(k_yaml_tags) + "str";
    value.tag = own_tag(tag, value.place);
    if (!value.tag.empty() && (text.empty() || text == "null" || text == "~")) value.kind = Value::Kind::null;
    add(std::move(value), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Value::Kind::sequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Value::Kind::mapping, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

private:
  // A collection that is still open.
  struct Frame {
    Value value;
    YAML::anchor_t anchor = 0;
    std::optional<Entry> key;           // of a mapping: its value comes next
    bool key_merges = false;            // that key is <<
    std::map<std::string, Place> keys;  // every key so far
    std::optional<Value> merge;         // what << named
    std::size_t merge_position = 0;     // entries before it
  };

  Place place(const YAML::Mark& mark) const { return {file_, mark.line + 1, mark.column + 1}; }

  std::string own_tag(const std::string& tag, const Place& place) const {
    if (tag.empty() || tag == "?" || tag == "!" || tag.starts_with(k_yaml_tags)) return "";
    if (tag == "!reset" || tag == "!override") return tag;
    const auto near = util::nearest(tag, {"!reset", "!override"});
    fail(place, "unknown tag '" + tag + "', " +
                    (near ? "did you mean '" + *near + "'?" : "expected !reset or !override"));
  }

  void open(Value::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    Frame frame;
    frame.value.kind = kind;
    frame.value.place = place(mark);
    frame.value.tag = own_tag(tag, frame.value.place);
    frame.anchor = anchor;
    frames_.push_back(std::move(frame));
  }

  void close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    if (frame.merge) merge_into(frame);
    add(std::move(frame.value), frame.anchor);
  }

  void add(Value value, YAML::anchor_t anchor, std::optional<Place> alias = {}) {
    if (++nodes_ > k_max_nodes) fail(value.place, "the document is too large once its aliases are expanded");
    if (anchor != 0) anchors_[anchor] = value;
    if (frames_.empty()) {
      root_ = std::move(value);
      return;
    }
    Frame& top = frames_.back();
    if (top.value.is_sequence()) {
      top.value.items.push_back(std::move(value));
    } else if (!top.key) {
      add_key(top, value, alias.value_or(value.place));
    } else if (top.key_merges) {
      top.merge = std::move(value);
      top.merge_position = top.value.entries.size();
      top.key.reset();
    } else {
      top.key->value = std::move(value);
      top.value.entries.push_back(std::move(*top.key));
      top.key.reset();
    }
  }

  void add_key(Frame& frame, const Value& key, const Place& place) {
    if (!key.is_scalar())
      fail(place, "expected a name as key, found " + std::string(key.is_null() ? "nothing" : "a collection"));
    const auto [before, added] = frame.keys.emplace(key.text, place);
    if (!added) {
      fail(place, "duplicate key '" + key.text + "', first given in line " +
                      std::to_string(before->second.line) +
                      (key.text == "<<" ? "; give << one list of maps instead" : ""));
    }
    frame.key = Entry{key.text, place, {}};
    frame.key_merges = key.plain && key.text == "<<";
  }

  // The mapping's own keys win over merged ones, and the first map of a list over the later ones.
  static void merge_into(Frame& frame) {
    std::vector<Value> sources;
    if (frame.merge->is_sequence()) {
      sources = std::move(frame.merge->items);
    } else {
      sources.push_back(std::move(*frame.merge));
    }
    std::vector<Entry> merged;
    for (Value& source : sources) {
      if (!source.is_mapping()) fail(source.place, "<< takes a mapping or a list of mappings");
      for (Entry& entry : source.entries) {
        if (frame.keys.emplace(entry.key, entry.place).second) merged.push_back(std::move(entry));
      }
    }
    auto& entries = frame.value.entries;
    entries.insert(entries.begin() + static_cast<std::ptrdiff_t>(frame.merge_position),
                   std::make_move_iterator(merged.begin()), std::make_move_iterator(merged.end()));
  }

  std::string file_;
  Value root_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Value> anchors_;
  std::size_t nodes_ = 0;
};

// What the parser would misread: it takes 0x04 for the end of the text, and bytes that are not UTF-8 for
// characters.
void check_characters(const std::string& text, const std::string& file) {
  Place place{file, 1, 1};
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7f) {
      fail(place, "a control character is not allowed in YAML");
    }
    place.column = c == '\n' ? 1 : place.column + 1;
    if (c == '\n') ++place.line;
  }
  if (util::valid_utf8(text) != text) fail({file, 1, 1}, "the file is not UTF-8 text");
}

std::string why(const std::string& text, const YAML::Exception& error) {
  std::istringstream lines(text);
  std::string line;
  for (int i = 0; i <= error.mark.line && std::getline(lines, line); ++i) {
  }
  const std::size_t indentation = line.find_first_not_of(" \t");
  if (line.substr(0, indentation).find('\t') != std::string::npos)
    return "a tab is not allowed as indentation";
  return error.msg;
}

// A block of text (| or >) that ends with the file, without a line end there, has none at its own end either:
// the one that it got is of the comment that was added.
void drop_added_line_end(Value& value, const std::string& text) {
  if (!value.items.empty()) return drop_added_line_end(value.items.back(), text);
  if (!value.entries.empty()) return drop_added_line_end(value.entries.back().value, text);
  std::istringstream lines(text);
  std::string line;
  for (int i = 0; i < value.place.line; ++i) std::getline(lines, line);
  const auto column = static_cast<std::size_t>(std::max(value.place.column - 1, 0));
  const bool block = column < line.size() && (line[column] == '|' || line[column] == '>');
  if (value.is_scalar() && block && value.text.ends_with('\n')) value.text.pop_back();
}

template <class Self>
auto find_in(Self& value, std::string_view key) -> decltype(&value.entries.front().value) {
  for (auto& entry : value.entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

}  // namespace

const Value* Value::find(std::string_view key) const {
  return find_in(*this, key);
}
Value* Value::find(std::string_view key) {
  return find_in(*this, key);
}

std::vector<Value> parse_documents(const std::string& text, const std::string& file) {
  check_characters(text, file);
  std::istringstream in(text + "\n" + std::string(k_end) + "\n");
  std::vector<Value> documents;
  try {
    YAML::Parser parser(in);
    for (;;) {
      Builder builder(file);
      if (!parser.HandleNextDocument(builder)) break;
      documents.push_back(builder.take());
      if (documents.size() > k_max_documents)
        fail(documents.back().place,
             "there are more than " + std::to_string(k_max_documents) + " documents in the file");
    }
  } catch (const YAML::Exception& error) {
    // An error at the end is found in the comment that was added.
    const auto lines = static_cast<int>(std::count(text.begin(), text.end(), '\n')) + 1;
    if (error.mark.line >= lines) fail({file, lines, 1}, "not valid YAML: " + why(text, error));
    fail({file, error.mark.line + 1, error.mark.column + 1}, "not valid YAML: " + why(text, error));
  }
  if (documents.empty()) documents.push_back(Value{.place = {file, 1, 1}});
  if (!text.ends_with('\n')) drop_added_line_end(documents.back(), text);
  return documents;
}

void refuse_more_documents(const std::vector<Value>& documents) {
  if (documents.size() > 1) fail(documents[1].place, "expected the end of the file, found another document");
}

Value parse_yaml(const std::string& text, const std::string& file) {
  auto documents = parse_documents(text, file);
  refuse_more_documents(documents);
  return std::move(documents.front());
}

}  // namespace stackd::yaml
