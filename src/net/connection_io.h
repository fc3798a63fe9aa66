// The bytes of one server connection: reading, writing, deadlines. Internal to net/: includes Asio.
#ifndef KELP_NET_CONNECTION_IO_H_
#define KELP_NET_CONNECTION_IO_H_

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/units.h"
#include "net/server_core.h"

namespace kelp::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;

inline constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

// What so many bytes may take at the slowest pace, beside the time-out of their direction.
inline Duration TimeFor(uint64_t bytes, const HttpServerOptions& options) {
  return std::chrono::seconds(bytes / options.bytes_per_second_min.bytes);
}

// Adapts plain sockets and TLS streams to what Connection needs.
template <typename Stream>
struct StreamTraits;

template <>
struct StreamTraits<asio::ip::tcp::socket> {
  static constexpr bool kPlain = true;
  static asio::ip::tcp::socket& Socket(asio::ip::tcp::socket& stream) { return stream; }
  static asio::awaitable<bool> Open(asio::ip::tcp::socket&) { co_return true; }
  static asio::awaitable<void> EndWriting(asio::ip::tcp::socket& stream) {
    error_code ignored;
    stream.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    co_return;
  }
};

// Moves the bytes of one connection.
//
// Place:   a Connection owns one; Stream is a socket or a TLS stream.
// Threads: confined to the worker's thread.
// Errors:  0 or false: the peer is gone, Close() was called, or a deadline passed.
template <typename Stream>
class ConnectionIo {
  using Traits = StreamTraits<Stream>;

 public:
  // `deadline` is the connection's; writing moves it. `options` outlive this.
  ConnectionIo(Stream stream, SteadyTime& deadline, const HttpServerOptions& options)
      : stream_(std::move(stream)), deadline_(deadline), options_(options) {}

  // What was read and not yet used.
  boost::beast::flat_buffer& buffer() { return buffer_; }
  // What Write() sends; the memory must hold until it is done.
  std::vector<asio::const_buffer>& out() { return out_; }
  bool closed() const { return closed_; }

  // Prepares the socket, gives the peer's address; the TLS handshake is Open().
  std::string Prepare();
  asio::awaitable<bool> Open() { return Traits::Open(stream_); }

  // Reads up to `bytes` into buffer().
  asio::awaitable<size_t> ReadSome(size_t bytes);
  asio::awaitable<size_t> ReadInto(void* data, size_t size);
  // Reads into buffer() in the background; `done` hears whether the peer is gone.
  template <typename F>
  void ReadLater(size_t bytes, F done);

  // Sends out(). The deadline moves with each byte that the peer takes, up to what all of them may
  // take at the slowest pace.
  asio::awaitable<bool> Write();
  asio::awaitable<void> EndWriting() { return Traits::EndWriting(stream_); }

  // Ends what is under way without closing.
  void Cancel() {
    error_code ignored;
    Traits::Socket(stream_).cancel(ignored);
  }
  void Close() {
    closed_ = true;
    error_code ignored;
    Traits::Socket(stream_).close(ignored);
  }

 private:
  asio::awaitable<size_t> WriteSome(std::span<const asio::const_buffer> buffers);
  void MoveWriteDeadline(std::span<const asio::const_buffer> left);

  Stream stream_;
  SteadyTime& deadline_;
  const HttpServerOptions& options_;
  boost::beast::flat_buffer buffer_;
  std::vector<asio::const_buffer> out_;
  std::optional<SteadyTime> write_by_;  // of what Write() sends, once it had to wait
  bool closed_ = false;
};

template <typename Stream>
std::string ConnectionIo<Stream>::Prepare() {
  error_code error;
  auto& socket = Traits::Socket(stream_);
  socket.non_blocking(true, error);
  socket.set_option(asio::ip::tcp::no_delay(true), error);
  const auto endpoint = socket.remote_endpoint(error);
  if (error) return "an unknown peer";
  const std::string address = endpoint.address().to_string(error);
  return (endpoint.address().is_v6() ? "[" + address + "]" : address) + ":" +
         std::to_string(endpoint.port());
}

template <typename Stream>
asio::awaitable<size_t> ConnectionIo<Stream>::ReadSome(size_t bytes) {
  const auto space = buffer_.prepare(bytes);
  const size_t n = co_await ReadInto(space.data(), space.size());
  buffer_.commit(n);
  co_return n;
}

template <typename Stream>
asio::awaitable<size_t> ConnectionIo<Stream>::ReadInto(void* data, size_t size) {
  error_code error;
  if constexpr (Traits::kPlain) {
    // Bytes are often there already; then a plain call saves the trip through the reactor.
    const size_t n = stream_.read_some(asio::buffer(data, size), error);
    if (!error) co_return n;
    if (error != asio::error::would_block) co_return 0;
  }
  const auto [failure, n] = co_await stream_.async_read_some(asio::buffer(data, size), kAwait);
  co_return failure ? 0 : n;
}

template <typename Stream>
template <typename F>
void ConnectionIo<Stream>::ReadLater(size_t bytes, F done) {
  const auto space = buffer_.prepare(bytes);
  stream_.async_read_some(asio::buffer(space.data(), space.size()),
                          [this, done = std::move(done)](error_code error, size_t n) {
                            buffer_.commit(n);
                            done(static_cast<bool>(error));
                          });
}

template <typename Stream>
asio::awaitable<bool> ConnectionIo<Stream>::Write() {
  write_by_.reset();
  size_t first = 0;
  while (first < out_.size()) {
    // The system takes a bounded number of pieces at once; Asio passes on as many as it can.
    const std::span<const asio::const_buffer> rest(out_.data() + first, out_.size() - first);
    size_t n = co_await WriteSome(rest);
    if (n == 0 || closed_) co_return false;
    while (first < out_.size() && n >= out_[first].size()) {
      n -= out_[first].size();
      ++first;
    }
    if (first < out_.size()) out_[first] += n;
  }
  deadline_ = SteadyTime::max();
  co_return true;
}

template <typename Stream>
void ConnectionIo<Stream>::MoveWriteDeadline(std::span<const asio::const_buffer> left) {
  const SteadyTime stalled = std::chrono::steady_clock::now() + options_.write_timeout;
  if (!write_by_) {
    uint64_t bytes = 0;
    for (const asio::const_buffer& piece : left) bytes += piece.size();
    write_by_ = stalled + TimeFor(bytes, options_);
  }
  deadline_ = std::min(stalled, *write_by_);
}

template <typename Stream>
asio::awaitable<size_t> ConnectionIo<Stream>::WriteSome(
    std::span<const asio::const_buffer> buffers) {
  if constexpr (Traits::kPlain) {
    error_code error;
    const size_t n = stream_.write_some(buffers, error);
    if (!error) co_return n;
    if (error != asio::error::would_block) co_return 0;
  }
  MoveWriteDeadline(buffers);
  const auto [failure, n] = co_await stream_.async_write_some(buffers, kAwait);
  co_return failure ? 0 : n;
}

}  // namespace kelp::net

#endif  // KELP_NET_CONNECTION_IO_H_
