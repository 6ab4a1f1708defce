// Small text helpers shared by the loaders and the messages. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stackd::util {

std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string_view trim(std::string_view text);
// 'text', one word for /bin/sh.
std::string shell_quoted(std::string_view text);
bool starts_with_icase(std::string_view text, std::string_view prefix);

// The candidate with the smallest edit distance to `word`, when it is near enough to be a slip of the hand.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);

// Go's and Compose's duration: a sum of <number><ns|us|ms|s|m|h>, "1m30s"; nothing when it is none. A bare
// integer is taken in `bare_unit` when one is given.
std::optional<std::chrono::milliseconds> parse_duration(
    std::string_view text, std::optional<std::chrono::milliseconds> bare_unit = std::nullopt);
// "1m30s", "500ms", "0s": what parse_duration takes.
std::string format_duration(std::chrono::milliseconds value);

// Words of a shell command line, quotes and backslashes honoured, nothing expanded (C1.1). Throws
// `invalid_request` for an unclosed quote.
std::vector<std::string> split_words(std::string_view line);

// At most `max_lines` last lines and `max_bytes` bytes: blank lines dropped, a line overwritten by carriage
// returns reduced to its last segment, invalid UTF-8 removed (C2.9).
std::vector<std::string> tail_lines(std::string_view text, std::size_t max_lines = 10,
                                    std::size_t max_bytes = 2048);

// The same of a longer text, in which the line that says most of why it ended (telling_line) is kept when it
// stands before the last ones: it comes first then, and a line says how many are between.
std::vector<std::string> telling_lines(std::string_view text, std::size_t max_lines = 10,
                                       std::size_t max_bytes = 2048);
// The last line that tells of a failure and is no frame of a stack; else the last that is none; "" of
// nothing.
std::string telling_line(std::string_view text);

// Bytes that are not UTF-8 are dropped; everything that goes into JSON from outside passes here.
std::string valid_utf8(std::string_view text);

}  // namespace stackd::util
