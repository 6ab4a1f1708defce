#include "daemon/resolve/reference_syntax.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "daemon/util/text.hpp"

namespace stackd::resolve {

namespace {

constexpr std::array<std::string_view, 4> k_roots{"services", "owned", "worktree", "stack"};

bool is_digits(const std::string& text) {
  return !text.empty() && text.size() < 6 && text.find_first_not_of("0123456789") == std::string::npos;
}

// `body` is <name>.<name>…: what neither Compose nor a shell could mean otherwise.
bool is_dotted(const std::string& body) {
  const std::size_t dot = body.find('.');
  if (dot == 0 || dot == std::string::npos || dot + 1 == body.size()) return false;
  return std::all_of(body.begin(), body.end(),
                     [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '.' || c == '-'; });
}

// A slip of the hand in the root, such as ${service.db.host_port}.
std::optional<std::string> nearest_root(const std::string& body) {
  if (!is_dotted(body)) return std::nullopt;
  const auto root = util::nearest(body.substr(0, body.find('.')), {k_roots.begin(), k_roots.end()});
  return root ? std::optional(*root + body.substr(body.find('.'))) : std::nullopt;
}

std::string unknown_value(const std::string& body) {
  const std::string whole = "${" + body + "} is not known: ";
  if (body.empty()) return whole + "a reference is missing between the braces";
  if (const auto near = nearest_root(body)) return whole + "did you mean ${" + *near + "}?";
  if (body.find('.') != std::string::npos)
    return whole + "references begin with services, owned, worktree or stack";
  return whole +
         "a value here can refer to services, owned, worktree and stack only; env_from passes a variable of "
         "the "
         "caller through, and $${ stands for ${";
}

class Splitter {
public:
  Splitter(const std::string& text, Strictness strictness) : text_(text), strictness_(strictness) {}

  std::vector<Piece> split() {
    for (std::size_t i = 0; i < text_.size();) i = step(i);
    flush();
    return std::move(pieces_);
  }

private:
  // Takes what begins at `at`; returns where to go on.
  std::size_t step(std::size_t at) {
    const char next = at + 1 < text_.size() ? text_[at + 1] : '\0';
    if (text_[at] != '$') return plain(at, 1);
    if (next == '$' && strictness_ == Strictness::value) {
      plain_ += '$';
      return at + 2;
    }
    if (next == '$' && strictness_ == Strictness::shell && text_.compare(at, 3, "$${") == 0) {
      plain_ += "${";
      return at + 3;
    }
    if (next != '{') return plain(at, 1);
    return braces(at);
  }

  std::size_t braces(std::size_t at) {
    const std::size_t end = text_.find('}', at);
    const bool known = begins_reference(text_, at);
    if (end == std::string::npos) {
      if (!known && strictness_ != Strictness::value) return plain(at, 2);
      add(Piece::Kind::broken, "'" + text_.substr(at, 60) + "': '${' is not closed");
      return text_.size();
    }
    const std::string body = text_.substr(at + 2, end - at - 2);
    if (known) {
      add(Piece::Kind::reference, body);
    } else if (strictness_ == Strictness::value) {
      add(Piece::Kind::broken, unknown_value(body));
    } else {
      return plain(at, 2);
    }
    return end + 1;
  }

  std::size_t plain(std::size_t at, std::size_t count) {
    plain_ += text_.substr(at, count);
    return at + count;
  }

  void flush() {
    if (!plain_.empty()) pieces_.push_back({Piece::Kind::text, std::move(plain_)});
    plain_.clear();
  }

  void add(Piece::Kind kind, std::string text) {
    flush();
    pieces_.push_back({kind, std::move(text)});
  }

  const std::string& text_;
  Strictness strictness_;
  std::string plain_;
  std::vector<Piece> pieces_;
};

Reference parse_field(Reference reference, const std::string& rest, const std::vector<std::string>& fields) {
  reference.member = rest;
  if (std::find(fields.begin(), fields.end(), rest) == fields.end())
    reference.mistake = reference.root + " has no '" + rest + "'" + hint(rest, fields);
  return reference;
}

// host_port, host_port_<i>, port.
Reference parse_member(Reference reference, const std::string& member) {
  constexpr std::string_view k_indexed = "host_port_";
  const bool owned = reference.root == "owned";
  reference.member = member;
  if (member == (owned ? "port" : "host_port")) return reference;
  if (!owned && member.starts_with(k_indexed) && is_digits(member.substr(k_indexed.size()))) {
    reference.member = "host_port";
    reference.key = member.substr(k_indexed.size());
    return reference;
  }
  const std::string usual = owned ? "port" : "host_port";
  const std::vector<std::string> forms{usual, "ports.<key>", "captured.<key>"};
  const bool of_other_kind = member == (owned ? "host_port" : "port");
  reference.mistake = "'" + member + "' is no part of " + (owned ? "an owned service" : "a service") +
                      (of_other_kind ? ", did you mean '" + usual + "'?" : hint(member, forms));
  return reference;
}

std::vector<std::string> names_of(const Spec& spec, bool owned) {
  std::vector<std::string> names;
  for (const Service& service : spec.services) {
    if (service.owned == owned) names.push_back(service.name);
  }
  return names;
}

std::string no_service(const Reference& reference, const Spec& spec) {
  const bool owned = reference.root == "owned";
  if (const Service* other = spec.find(reference.name)) {
    return "'" + reference.name + "' is " + (other->owned ? "owned" : "a container") + ", write ${" +
           (other->owned ? "owned." : "services.") + reference.name + "." +
           (reference.key.empty() || reference.member == "host_port"
                ? std::string(other->owned ? "port" : "host_port")
                : reference.member + "." + reference.key) +
           "}";
  }
  return std::string("there is no ") + (owned ? "owned service" : "service") + " '" + reference.name + "'" +
         hint(reference.name, names_of(spec, owned));
}

}  // namespace

bool begins_reference(const std::string& text, std::size_t at) {
  if (text.compare(at, 2, "${") != 0) return false;
  return std::any_of(k_roots.begin(), k_roots.end(), [&](std::string_view root) {
    return text.compare(at + 2, root.size(), root) == 0 && text.size() > at + 2 + root.size() &&
           text[at + 2 + root.size()] == '.';
  });
}

std::vector<Piece> split_references(const std::string& text, Strictness strictness) {
  return Splitter(text, strictness).split();
}

Reference parse_reference(const std::string& body) {
  Reference reference;
  const std::size_t dot = body.find('.');
  reference.root = body.substr(0, dot);
  const std::string rest = dot == std::string::npos ? "" : body.substr(dot + 1);
  if (reference.root == "worktree") return parse_field(reference, rest, {"name", "id", "path"});
  if (reference.root == "stack") return parse_field(reference, rest, {"name", "id", "directory", "profile"});

  // Names of services may have dots in them: the end decides.
  const std::size_t last = rest.rfind('.');
  if (last == std::string::npos || last == 0 || last + 1 == rest.size()) {
    reference.mistake = reference.root == "owned"
                            ? "expected ${owned.<name>.port}, .ports.<key> or .captured.<key>"
                            : "expected ${services.<name>.host_port}, .ports.<key> or .captured.<key>";
    return reference;
  }
  const std::string head = rest.substr(0, last);
  for (const std::string group : {"ports", "captured"}) {
    if (!head.ends_with("." + group) || head.size() == group.size() + 1) continue;
    reference.name = head.substr(0, head.size() - group.size() - 1);
    reference.member = group;
    reference.key = rest.substr(last + 1);
    return reference;
  }
  reference.name = head;
  return parse_member(reference, rest.substr(last + 1));
}

std::string slip_in(const std::string& text) {
  for (std::size_t at = text.find("${"); at != std::string::npos; at = text.find("${", at + 2)) {
    const std::size_t end = text.find('}', at);
    if (end == std::string::npos) return "";
    if (at > 0 && text[at - 1] == '$') continue;  // escaped (X18)
    if (begins_reference(text, at)) continue;
    const std::string body = text.substr(at + 2, end - at - 2);
    const auto near = nearest_root(body);
    if (near && parse_reference(*near).mistake.empty())
      return "${" + body + "} is not known: did you mean ${" + *near + "}?";
  }
  return "";
}

Target look_up(const Reference& reference, const Spec& spec) {
  Target found;
  const Service* service = spec.find_known(reference.name);
  if (!service || service->owned != (reference.root == "owned")) {
    const auto& off = spec.disabled;
    if (service || std::find(off.begin(), off.end(), reference.name) == off.end())
      found.mistake = no_service(reference, spec);
    return found;
  }
  const std::string what = "service '" + service->name + "'";
  std::vector<std::string> keys;
  if (reference.member == "captured") {
    if (service->ready_when) {
      for (const auto& [key, pattern] : service->ready_when->capture) keys.push_back(key);
    }
    if (std::find(keys.begin(), keys.end(), reference.key) != keys.end()) {
      found.service = service;
    } else {
      found.mistake = what + " captures no '" + reference.key + "'" +
                      (keys.empty() ? "; its ready_when has no 'capture'" : hint(reference.key, keys));
    }
    return found;
  }
  const auto& ports = service->ports;
  for (const Port& port : ports) keys.push_back(port.key);
  if (ports.empty()) {
    found.mistake = what + " has no port";
  } else if (reference.member == "ports") {
    const auto port = std::find_if(ports.begin(), ports.end(),
                                   [&](const Port& candidate) { return candidate.key == reference.key; });
    if (port != ports.end())
      found.port = &*port;
    else
      found.mistake = what + " has no port '" + reference.key + "'" + hint(reference.key, keys);
  } else if (!reference.key.empty()) {
    const auto index = static_cast<std::size_t>(std::stoul(reference.key));
    if (index < ports.size())
      found.port = &ports[index];
    else
      found.mistake = what + " has " + std::to_string(ports.size()) +
                      (ports.size() == 1 ? " port" : " ports") + ", counted from 0";
  } else if (reference.root == "owned" && ports.size() > 1) {
    found.mistake = what + " has several ports, write ${owned." + service->name +
                    ".ports.<key>} with one of " + util::join(keys, ", ");
  } else {
    found.port = &ports.front();
  }
  if (found.port) found.service = service;
  return found;
}

std::string hint(const std::string& word, const std::vector<std::string>& candidates) {
  if (const auto near = util::nearest(word, candidates)) return ", did you mean '" + *near + "'?";
  if (candidates.empty() || candidates.size() > 12) return "";
  return ", expected one of " + util::join(candidates, ", ");
}

}  // namespace stackd::resolve
