#include "store/layout.h"

#include <fmt/format.h>

#include <chrono>

namespace kelp::store {
namespace {

constexpr size_t kNameBytesMax = 128;  // well below the 255 of file systems

std::chrono::year_month_day DateOf(int32_t day) {
  return std::chrono::sys_days(std::chrono::days(day));
}

}  // namespace

Status CheckName(std::string_view what, std::string_view name) {
  bool good = !name.empty() && name.size() <= kNameBytesMax && name[0] != '.';
  for (const char c : name) {
    good = good &&
           ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-');
  }
  if (good) return OkStatus();
  return InvalidArgumentError(
      fmt::format("the {} name \"{}\" is not good: use 1 to {} of a-z, 0-9, '.', '_' and '-', not "
                  "beginning with a dot",
                  what, name.substr(0, 2 * kNameBytesMax), kNameBytesMax));
}

Status CheckNames(const LogstoreName& name) {
  RETURN_IF_ERROR(CheckName("project", name.project));
  return CheckName("logstore", name.logstore);
}

std::string NumberedName(uint64_t number, std::string_view suffix) {
  return fmt::format("{:016x}{}", number, suffix);
}

bool ParseNumberedName(std::string_view name, std::string_view suffix, uint64_t& number) {
  if (name.size() != 16 + suffix.size() || name.substr(16) != suffix) return false;
  number = 0;
  for (const char c : name.substr(0, 16)) {
    if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) return false;
    number = number << 4 | static_cast<uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
  }
  return true;
}

std::string LogstoreDir(const std::string& dir, const LogstoreName& name) {
  return JoinPath(JoinPath(dir, name.project), name.logstore);
}
std::string LockPath(const std::string& dir) { return JoinPath(dir, "LOCK"); }
std::string WalDir(const std::string& dir) { return JoinPath(dir, "WAL"); }

std::string DayName(int32_t day) {
  const std::chrono::year_month_day date = DateOf(day);
  return fmt::format("{:04}{:02}{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

bool ParseDayName(std::string_view name, int32_t& day) {
  if (name.size() != 8) return false;
  int digits = 0;
  for (const char c : name) {
    if (c < '0' || c > '9') return false;
    digits = digits * 10 + (c - '0');
  }
  const std::chrono::year_month_day date{
      std::chrono::year(digits / 10000),
      std::chrono::month(static_cast<unsigned>(digits / 100 % 100)),
      std::chrono::day(static_cast<unsigned>(digits % 100))};
  if (!date.ok()) return false;
  day = static_cast<int32_t>(std::chrono::sys_days(date).time_since_epoch().count());
  return true;
}

std::string SegmentName(uint64_t id) { return NumberedName(id, ".seg"); }
bool ParseSegmentName(std::string_view name, uint64_t& id) {
  return ParseNumberedName(name, ".seg", id);
}

std::string SegmentPath(const std::string& logstore_dir, int32_t day, uint64_t id) {
  return JoinPath(JoinPath(logstore_dir, DayName(day)), SegmentName(id));
}

Status MakeDirsDurably(FileSystem& files, const std::string& path) {
  std::vector<std::string> parents;  // of folders that are missing, deepest first
  for (std::string at = path; !files.Stat(at).ok() && DirName(at) != at; at = DirName(at)) {
    parents.push_back(DirName(at));
  }
  RETURN_IF_ERROR(files.MakeDirs(path));
  for (auto it = parents.rbegin(); it != parents.rend(); ++it) {
    RETURN_IF_ERROR(files.SyncDir(*it));
  }
  return OkStatus();
}

Result<std::vector<LogstoreName>> ListLogstores(FileSystem& files, const std::string& dir) {
  std::vector<LogstoreName> found;
  ASSIGN_OR_RETURN(const std::vector<DirEntry> projects, files.ListDir(dir));
  for (const DirEntry& project : projects) {
    if (project.type != FileType::kDirectory || !CheckName("project", project.name).ok()) continue;
    ASSIGN_OR_RETURN(const std::vector<DirEntry> logstores,
                     files.ListDir(JoinPath(dir, project.name)));
    for (const DirEntry& logstore : logstores) {
      if (logstore.type != FileType::kDirectory || !CheckName("logstore", logstore.name).ok()) {
        continue;
      }
      found.push_back({project.name, logstore.name});
    }
  }
  return found;
}

}  // namespace kelp::store
