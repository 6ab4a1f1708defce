// Compose's short forms: ports "127.0.0.1:8000-8002:80-82/udp" and mounts "./data:/data:ro". Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/model/spec.hpp"

namespace stackd::compose {

using namespace model;

struct ShortMount {
  std::string source;  // empty: an anonymous volume
  std::string target;
  std::vector<std::string> options;  // "ro", "z" …
  bool is_path() const;              // the source is a path, not a volume's name
};
// Nothing when it is none.
std::optional<ShortMount> split_short_mount(const std::string& text);
// The mount that it means; a path as it is written. Nothing when it is none.
std::optional<Mount> short_mount(const std::string& text);

// One Port a container port, its keys empty. Throws Error(invalid_file) without a place that says what is
// wrong.
std::vector<Port> parse_short_ports(const std::string& text);

// "80" or "8000-8010"; the second is 0 when there is no range. Nothing when it is neither or not within 0 …
// 65535.
std::optional<std::pair<int, int>> parse_port_range(const std::string& text);

// The words of a command that is one text, as Compose splits it: quotes and backslashes as in a shell, and
// the command ends at ; & | < > that stand outside quotes. Nothing when a quote, a $( or a backslash is left
// open.
std::optional<std::vector<std::string>> shell_words(const std::string& text);

std::string lower_case(std::string text);  // of ASCII's letters

// C:\data, C:/data, \\host\share, \\.\pipe\docker: absolute wherever it is read.
bool is_windows_path(std::string_view text);

}  // namespace stackd::compose
