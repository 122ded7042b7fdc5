#include "server/access_log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <iterator>

#include "server/json_object.h"

namespace llmproxy {
namespace {

// Lines waiting for the background thread; about 400 bytes each.
constexpr std::size_t kQueuedLines = 2048;
// Model names and messages come from outside and may be megabytes.
constexpr std::size_t kLongestValue = 512;

struct Level {
  std::string_view name;
  spdlog::level::level_enum level;
};
constexpr Level kLevels[] = {{"debug", spdlog::level::debug},
                             {"info", spdlog::level::info},
                             {"warn", spdlog::level::warn},
                             {"error", spdlog::level::err},
                             {"off", spdlog::level::off}};

const Level& level_of(const RequestRecord& record) {
  const auto level =
      record.status >= 500 ? spdlog::level::warn : spdlog::level::info;
  return *std::find_if(std::begin(kLevels), std::end(kLevels),
                       [&](const Level& row) { return row.level == level; });
}

std::string timestamp(LogTime when) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(when);
  const auto rest =
      std::chrono::duration_cast<std::chrono::milliseconds>(when - whole);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(whole)),
                     rest.count());
}

double milliseconds(std::chrono::microseconds time) {
  return static_cast<double>(time.count()) / 1000.0;
}

/// Hands every field that has a value to `out`, in one order for all formats.
template <class Fields>
void each_field(const RequestRecord& record, Fields& out) {
  const auto text = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) out.text(name, value.substr(0, kLongestValue));
  };
  const auto count = [&](std::string_view name,
                         const std::optional<std::int64_t>& value) {
    if (value) out.number(name, *value);
  };
  text("request_id", record.request_id);
  text("peer", record.peer);
  text("method", record.method);
  text("path", record.path);
  text("client_dialect", record.client_dialect);
  text("model", record.model);
  text("backend", record.backend);
  text("upstream_model", record.upstream_model);
  out.number("status", record.status);
  out.flag("stream", record.stream);
  count("input_tokens", record.input_tokens);
  count("output_tokens", record.output_tokens);
  count("cached_tokens", record.cached_tokens);
  if (record.losses > 0)
    out.number("losses", static_cast<std::int64_t>(record.losses));
  if (record.first_byte) out.real("ttfb_ms", milliseconds(*record.first_byte));
  out.real("total_ms", milliseconds(record.total));
  text("outcome", record.outcome);
  text("error", record.error);
}

/// name=value fields, quoted where a value holds more than plain letters.
class TextFields {
 public:
  explicit TextFields(std::string& out) : out_(out) {}

  void text(std::string_view name, std::string_view value) {
    begin(name);
    if (std::all_of(value.begin(), value.end(), is_plain)) {
      out_ += value;
      return;
    }
    out_ += '"';
    for (const char c : value) append_escaped(c);
    out_ += '"';
  }
  void number(std::string_view name, std::int64_t value) {
    begin(name);
    fmt::format_to(std::back_inserter(out_), "{}", value);
  }
  void real(std::string_view name, double value) {
    begin(name);
    fmt::format_to(std::back_inserter(out_), "{:.3f}", value);
  }
  void flag(std::string_view name, bool value) {
    begin(name);
    out_ += value ? "true" : "false";
  }

 private:
  static bool is_plain(char c) {
    return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '=';
  }
  void begin(std::string_view name) {
    out_ += ' ';
    out_ += name;
    out_ += '=';
  }
  void append_escaped(char c) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out_ += '\\';
      out_ += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      fmt::format_to(std::back_inserter(out_), "\\x{:02x}", byte);
    } else {
      out_ += c;
    }
  }

  std::string& out_;
};

std::string known_levels() {
  std::string names;
  for (const Level& row : kLevels) {
    if (!names.empty()) names += ", ";
    names += row.name;
  }
  return names;
}

spdlog::sink_ptr open_sink(const std::string& file) {
  spdlog::sink_ptr sink;
  if (file.empty()) {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  } else {
    sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file);
  }
  sink->set_pattern("%v");
  return sink;
}

}  // namespace

std::string text_line(const RequestRecord& record, LogTime when) {
  std::string line = timestamp(when);
  line += ' ';
  line += level_of(record).name;
  TextFields fields(line);
  each_field(record, fields);
  return line;
}

std::string json_line(const RequestRecord& record, LogTime when) {
  JsonObject fields;
  fields.text("time", timestamp(when));
  fields.text("level", level_of(record).name);
  each_field(record, fields);
  return fields.take();
}

Result<std::unique_ptr<AccessLog>> AccessLog::open(const LogConfig& config) {
  const auto* level =
      std::find_if(std::begin(kLevels), std::end(kLevels),
                   [&](const Level& row) { return row.name == config.level; });
  if (level == std::end(kLevels))
    return invalid_request("the log level must be one of " + known_levels());
  if (config.format != "text" && config.format != "json")
    return invalid_request("the log format must be text or json");
  std::unique_ptr<AccessLog> log(new AccessLog);
  log->json_ = config.format == "json";
  try {
    log->thread_ =
        std::make_shared<spdlog::details::thread_pool>(kQueuedLines, 1);
    log->logger_ = std::make_shared<spdlog::async_logger>(
        "access", open_sink(config.file), log->thread_,
        spdlog::async_overflow_policy::overrun_oldest);
  } catch (const spdlog::spdlog_ex& problem) {
    return invalid_request(problem.what());
  }
  log->logger_->set_level(level->level);
  // Happens on the background thread; a log file is then never behind.
  log->logger_->flush_on(spdlog::level::trace);
  return log;
}

AccessLog::~AccessLog() = default;

void AccessLog::on_request(const RequestRecord& record) {
  const auto level = level_of(record).level;
  if (!logger_->should_log(level)) return;
  const auto now = std::chrono::system_clock::now();
  const std::string line =
      json_ ? json_line(record, now) : text_line(record, now);
  logger_->log(level, spdlog::string_view_t(line));
}

}  // namespace llmproxy
