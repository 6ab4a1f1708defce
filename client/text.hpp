// Text for people and shells: widths, durations, times, quoting. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stackd::client {

// Columns that UTF-8 text takes on a terminal: combining marks none, East Asian wide and emoji two.
int display_width(std::string_view text);
// Cut to `width` columns, with an ellipsis when something is missing.
std::string fit(std::string_view text, int width);
// Filled up with blanks to `width` columns.
std::string pad(std::string_view text, int width);
// One line that is safe on a terminal: escape sequences and control characters taken out, tabs and ends of
// lines as blanks.
std::string clean(std::string_view text);
// The same, but that its colours and its tabs stay; a colour ends with the line.
std::string harmless(std::string_view text);
std::vector<std::string> lines_of(std::string_view text);  // without a last empty one

// "35ms", "1.2s", "1m05s", "2h03m".
std::string duration_text(std::int64_t milliseconds);
// "0.5%", "120%"; "512B", "1.5MB", "2.0GB".
std::string percent_text(double percent);
std::string bytes_text(std::int64_t bytes);
// "90", "1.5s", "1m30s", "500ms", "2h"; a bare number is seconds. Milliseconds; nothing when it is not a
// duration.
std::optional<std::int64_t> parse_duration(std::string_view text);
std::int64_t now_ms();
// "14:03:07.120" of an RFC 3339 time, in local time; the text itself when it is not one.
std::string clock_text(const std::string& rfc3339);

// As one word of a POSIX shell: 'it'\''s'.
std::string shell_quote(std::string_view text);
// A name that a shell can assign to.
bool is_shell_name(std::string_view text);

// For a URL's path or query: everything but letters, digits and -._~ as %XX.
std::string percent_encode(std::string_view text);
bool is_utf8(std::string_view text);

std::string join(const std::vector<std::string>& parts, std::string_view separator);
// "1 service", "3 services".
std::string counted(std::size_t count, const std::string& noun);
// The candidate that looks most like `word`, "" when none is near: for "did you mean".
std::string nearest(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace stackd::client
