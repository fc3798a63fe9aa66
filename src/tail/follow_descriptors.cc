// Descriptors: how many are held, and for whom.
#include <algorithm>

#include "base/log.h"
#include "tail/follow.h"

namespace kelp::tail {
namespace {

// Newlines of a file that is let go are counted in steps, one for each step of the service.
constexpr size_t kCountBytes = 8u << 20;
// So many descriptors are looked at to find one that can be closed.
constexpr size_t kParkTries = 32;

}  // namespace

// Whether a descriptor was closed. Once in a step there is none, thousands may still ask.
bool Follow::MakeRoom(TailContext& context) {
  if (context.none_free_in == context.step && context.step != 0) return false;
  if (ParkSome(context, kParkTries, /*needed=*/true) > 0) return true;
  context.none_free_in = context.step;
  return false;
}

Result<std::shared_ptr<File>> Follow::OpenFile(const std::string& path) {
  const size_t most = context_.options.descriptors_max;
  if (context_.open_files.size() >= most && !MakeRoom(context_)) {
    return ResourceExhaustedError("cannot open " + path + " yet: " + std::to_string(most) +
                                  " files are open, the rest of the descriptors is for outputs "
                                  "(raise the limit of open files, ulimit -n)");
  }
  Result<std::unique_ptr<File>> file = context_.env.files().OpenForRead(path);
  if (!file.ok() && file.status().code() == Code::kResourceExhausted && MakeRoom(context_)) {
    file = context_.env.files().OpenForRead(path);
  }
  if (!file.ok()) return file.status();
  return std::shared_ptr<File>(std::move(file).value());
}

void Follow::NoteOpen(Incarnation& file) {
  if (std::exchange(file.wanting, false)) context_.wanting.erase(file.listed_at);
  file.open = true;
  file.listed_at = context_.open_files.insert(context_.open_files.end(), &file);
  context_.open_files_gauge->Set(static_cast<int64_t>(context_.open_files.size()));
  if (context_.open_files.size() > context_.options.open_files_max) ParkSome(context_, 1);
}

void Follow::NoteClosed(Incarnation& file) {
  if (std::exchange(file.wanting, false)) context_.wanting.erase(file.listed_at);
  if (!file.open) return;
  file.open = false;
  context_.open_files.erase(file.listed_at);
  context_.none_free_in = 0;
  context_.open_files_gauge->Set(static_cast<int64_t>(context_.open_files.size()));
}

void Follow::NoteWanting(Incarnation& file) {
  if (!std::exchange(file.wanting, true)) {
    file.listed_at = context_.wanting.insert(context_.wanting.end(), &file);
  }
}

void Follow::ServeWanting(TailContext& context) {
  while (!context.wanting.empty()) {
    const bool room = context.open_files.size() < context.options.descriptors_max;
    if (!room && !MakeRoom(context)) return;
    Incarnation& file = *context.wanting.front();
    context.wanting.pop_front();
    file.wanting = false;
    file.follow->Touch(file);
    if (file.wanting) return;
  }
}

void Follow::NoteHeld(Incarnation& file, Duration now) {
  if (std::exchange(file.held, true)) return;
  context_.held.push_back({&file, now, {}, nullptr, 0, 0, 0});
}

void Follow::KeepCeilings(TailContext& context, Duration now) {
  const TailOptions& options = context.options;
  size_t files = 0;
  uint64_t bytes = 0;
  const auto unread = [](const HeldFile& held) -> uint64_t {
    const FileSource& source = *held.file->source;
    return source.text_size() > source.position() ? source.text_size() - source.position() : 0;
  };
  for (const HeldFile& held : context.held) {
    if (!held.cause.empty()) continue;
    ++files;
    bytes += unread(held);
  }
  std::vector<Incarnation*> counted;
  for (HeldFile& held : context.held) {
    if (!held.cause.empty()) {
      if (CountHeld(held)) counted.push_back(held.file);
      continue;
    }
    const uint64_t its = unread(held);
    std::string_view cause;
    if (files > options.held_files_max) {
      cause = "held_files_max";
    } else if (options.held_bytes_max != 0 && bytes > options.held_bytes_max && its > 0) {
      cause = "held_bytes_max";
    } else if (now - held.since > options.held_age_max) {
      cause = "held_age_max";
    } else {
      continue;
    }
    --files;
    bytes -= its;
    DropHeld(held, cause);
  }
  for (Incarnation* file : counted) {
    file->source->RequestFinish();
    file->source->Release();
    file->follow->host_.Ready(file->id);
  }
}

// Nothing more is read of it; what it holds is counted before it is closed.
void Follow::DropHeld(HeldFile& held, std::string_view cause) {
  Incarnation& file = *held.file;
  held.cause = cause;
  held.counting = file.source->file();
  file.source->Detach();
  // Its inode may be used again as soon as it is closed.
  const auto live = file.follow->live_.find(file.key);
  if (live != file.follow->live_.end() && live->second == &file) file.follow->live_.erase(live);
  file.follow->NoteClosed(file);
  held.at = file.source->position();
  held.end = std::max(held.at, file.source->text_size());
}

// True when everything is counted, and said.
bool Follow::CountHeld(HeldFile& held) {
  if (held.counting == nullptr) return false;
  if (held.at < held.end) {
    std::string bytes(static_cast<size_t>(std::min<uint64_t>(kCountBytes, held.end - held.at)),
                      '\0');
    const Result<size_t> n = held.counting->ReadAt(held.at, bytes.data(), bytes.size());
    bytes.resize(n.ok() ? *n : 0);
    held.lines += static_cast<uint64_t>(std::count(bytes.begin(), bytes.end(), '\n'));
    held.at += bytes.size();
    if (!bytes.empty() && held.at < held.end) return false;
  }
  held.counting = nullptr;
  Incarnation& file = *held.file;
  const uint64_t lost = held.end - std::min<uint64_t>(held.end, file.source->position());
  if (lost > 0) {
    LOG_RATE(10s, kError,
             "{} was deleted or rotated away, and is closed before it was read to its end, because "
             "of {}: {} bytes ({} lines) are lost",
             file.path(), held.cause, lost, held.lines);
    file.follow->host_.Lost(file.id, {held.cause, lost, held.lines});
    file.source->ForgetUnread();
  }
  return true;
}

size_t Follow::ParkSome(TailContext& context, size_t count, bool needed) {
  size_t parked = 0;
  std::list<Incarnation*>& files = context.open_files;
  const size_t tries = std::min<size_t>(kParkTries, files.size());
  for (size_t i = 0; i < tries && parked < count; ++i) {
    Incarnation& file = *files.front();
    if (file.follow->Park(file, /*unread=*/false)) {
      ++parked;
    } else {
      // The next time others are looked at.
      files.splice(files.end(), files, files.begin());
    }
  }
  // The older ones, for which they wait, may be those that find no descriptor.
  for (auto it = files.begin(); needed && parked == 0 && it != files.end();) {
    Incarnation& file = **it++;
    if (file.waiting && file.follow->Park(file, /*unread=*/true)) ++parked;
  }
  return parked;
}

bool Follow::Park(Incarnation& file, bool unread) {
  const FileSource& source = *file.source;
  const bool findable = !file.names.empty() || !file.location.empty();
  if (!findable || file.searching() || file.ended || file.deleted || source.has_half() ||
      (!unread && (file.waiting || source.position() != source.text_size()))) {
    return false;
  }
  file.source->Attach(nullptr);
  NoteClosed(file);
  return true;
}

bool Follow::Unpark(Incarnation& file) {
  const std::string path = file.names.empty() ? file.location : file.names.front()->path();
  if (path.empty()) return false;
  Result<std::shared_ptr<File>> open = OpenFile(path);
  if (!open.ok()) {
    if (open.status().code() != Code::kNotFound) ReportScanError(open.status());
    if (open.status().code() == Code::kResourceExhausted) NoteWanting(file);
    return false;
  }
  const Result<FileInfo> info = (*open)->Stat();
  if (!info.ok()) return false;
  if (!file.Is(*info)) return !file.names.empty() && Renumbered(*file.names.front(), *info);
  file.source->Attach(std::move(open).value());
  NoteOpen(file);
  return true;
}

}  // namespace kelp::tail
